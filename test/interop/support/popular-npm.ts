import { cp, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { prepare, type Prepared } from '../../support/user-cache.ts';
import type { PopularServer, ServerPlace } from './popular.ts';

const source = fileURLToPath(new URL('../servers/npm/', import.meta.url));

/** Installs them, once. */
export async function prepareNpmServers(): Promise<Prepared> {
  return await prepare({
    name: 'npm',
    sources: await readFile(join(source, 'package-lock.json'), 'utf8'),
    needs: [['npm', '--version']],
    make: async (directory, run) => {
      await cp(source, directory, { recursive: true });
      const quietly = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
      await run('npm', ['ci', ...quietly], { cwd: directory });
    },
  });
}

const node =
  (path: string, ...args: string[]) =>
  ({ directory }: ServerPlace): [string, ...string[]] => [
    process.execPath,
    join(directory, 'node_modules', path),
    ...args,
  ];
const says = (text: string): unknown => expect.stringContaining(text);

/** Popular servers of npm. */
export const npmServers: readonly PopularServer[] = [
  {
    name: 'filesystem',
    command: (around) => [
      ...node('@modelcontextprotocol/server-filesystem/dist/index.js')(around),
      around.scratch,
    ],
    call: { tool: 'read_text_file', args: ({ scratch }) => ({ path: join(scratch, 'hello.txt') }) },
    answer: says('hello'),
  },
  {
    name: 'memory',
    command: node('@modelcontextprotocol/server-memory/dist/index.js'),
    env: ({ scratch }) => ({ MEMORY_FILE_PATH: join(scratch, 'memory.json') }),
    call: { tool: 'read_graph', args: () => ({}) },
    answer: says('entities'),
  },
  {
    name: 'sequential-thinking',
    command: node('@modelcontextprotocol/server-sequential-thinking/dist/index.js'),
    call: {
      tool: 'sequentialthinking',
      args: () => ({
        thought: 'why',
        nextThoughtNeeded: false,
        thoughtNumber: 1,
        totalThoughts: 1,
      }),
    },
    answer: says('thoughtHistoryLength'),
  },
  {
    name: 'everything',
    command: node('@modelcontextprotocol/server-everything/dist/index.js', 'stdio'),
    call: { tool: 'get-sum', args: () => ({ a: 1, b: 2 }) },
    answer: says('The sum of 1 and 2 is 3'),
  },
  {
    name: 'eslint',
    command: node('@eslint/mcp/src/mcp-cli.js'),
    call: { tool: 'lint-files', args: ({ scratch }) => ({ filePaths: [join(scratch, 'a.js')] }) },
    answer: says('isError'),
    code: 1,
  },
  {
    name: 'notion',
    command: node('@notionhq/notion-mcp-server/bin/cli.mjs'),
    env: ({ origin }) => ({ NOTION_TOKEN: 'ntn_none', BASE_URL: origin }),
    call: { tool: 'API-get-self', args: () => ({}) },
    answer: says('local'),
  },
  {
    name: 'context7',
    command: node('@upstash/context7-mcp/dist/index.js'),
    env: ({ origin }) => ({ CONTEXT7_API_URL: origin }),
    call: { tool: 'resolve-library-id', args: () => ({ query: 'wire', libraryName: 'wire' }) },
    answer: says('"type": "text"'),
  },
  {
    name: 'playwright',
    command: node('@playwright/mcp/cli.js', '--headless', '--executable-path=/none'),
    call: { tool: 'browser_tabs', args: () => ({ action: 'list' }) },
    answer: says('isError'),
    code: 1,
  },
  {
    name: 'chrome-devtools',
    command: node(
      'chrome-devtools-mcp/build/src/bin/chrome-devtools-mcp.js',
      '--headless',
      '--executablePath=/none',
      '--no-usage-statistics',
    ),
    call: { tool: 'list_pages', args: () => ({}) },
    answer: says('isError'),
    code: 1,
  },
  {
    name: 'tavily',
    command: node('tavily-mcp/build/index.js'),
    env: () => ({ TAVILY_API_KEY: 'tvly-none' }),
    call: { tool: 'tavily_search', args: () => ({ query: 'wire' }) },
    answer: says('ECONNREFUSED'),
    code: 1,
  },
];
