import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { interpreterOf, preparePython } from '../support/python-servers.ts';
import { stopTree } from '../support/peers.ts';
import type { Prepared } from '../support/user-cache.ts';

/** From PyPI; pinned, so that what is released tomorrow breaks nothing today. */
const PYTHON = [
  'fastmcp==4.1.2',
  'anthropic==2.14.0',
  'opentelemetry-sdk==1.45.2',
  'prometheus-client==0.26.0',
  'black==26.10.1',
];

/** The libraries that are compared, in the order of the page. */
export const LIBRARIES = ['longwire', 'official', 'ai-sdk', 'fastmcp'] as const;

export type Library = (typeof LIBRARIES)[number];

const require = createRequire(import.meta.url);

/** What each is called on the page. */
export const NAMES: Readonly<Record<Library, string>> = {
  longwire: 'Longwire',
  official: `\`@modelcontextprotocol/client\` ${versionOf('@modelcontextprotocol/client')}`,
  'ai-sdk': `\`@ai-sdk/mcp\` ${versionOf('@ai-sdk/mcp')}`,
  fastmcp: 'FastMCP 4.1.2',
};

/** The interpreter for the programs in Python, or why there is none. */
export function prepareTasks(): Promise<Prepared> {
  return preparePython('ten-tasks', PYTHON);
}

/** The file of a program, below this folder. */
export function fileOf(library: Library, task: string): string {
  return `programs/${library}/${task}.${library === 'fastmcp' ? 'py' : 'mjs'}`;
}

/** What a program did. */
export interface Ran {
  lines: string[];
  code: number | null;
  stderr: string;
}

/** What a program is run with. */
export interface RunOptions {
  library: Library;
  task: string;
  /** The directory of {@link prepareTasks}. */
  python: string;
  env: Record<string, string>;
  /** Told of every line that it prints. */
  onLine?: (line: string) => void;
}

/** So long only where a program hangs. */
const LIMIT_MS = 90_000;

/** Runs a program to its end. */
export async function runProgram(options: RunOptions): Promise<Ran> {
  const { library, task, python, env, onLine } = options;
  const command = library === 'fastmcp' ? interpreterOf(python) : process.execPath;
  const file = fileURLToPath(new URL(fileOf(library, task), import.meta.url));
  const child = spawn(command, [file], {
    env: {
      PATH: process.env['PATH'] ?? '',
      HOME: process.env['HOME'] ?? '',
      FASTMCP_CHECK_FOR_UPDATES: 'off',
      PYTHONUNBUFFERED: '1',
      PYTHONDONTWRITEBYTECODE: '1',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (more: string) => (stderr += more));
  const lines: string[] = [];
  let rest = '';
  child.stdout.setEncoding('utf8').on('data', (more: string) => {
    const parts = (rest + more).split('\n');
    rest = parts.pop() ?? '';
    for (const line of parts) {
      lines.push(line);
      onLine?.(line);
    }
  });
  const timer = setTimeout(() => void stopTree(child), LIMIT_MS);
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    });
    if (rest !== '') lines.push(rest);
    return { lines, code, stderr };
  } finally {
    clearTimeout(timer);
  }
}

function versionOf(name: string): string {
  const file = require.resolve(name).split(`/node_modules/${name}/`)[0] ?? '';
  const text = readFileSync(`${file}/node_modules/${name}/package.json`, 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
