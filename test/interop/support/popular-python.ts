import { execFileSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { expect } from 'vitest';
import { interpreterOf, preparePython } from '../../support/python-servers.ts';
import type { Prepared } from '../../support/user-cache.ts';
import type { PopularServer, ServerPlace } from './popular.ts';

const pinned = new URL('../servers/python/requirements.txt', import.meta.url);

/** Installs them, once. */
export async function preparePythonServers(): Promise<Prepared> {
  const packages = (await readFile(pinned, 'utf8')).split('\n').filter(Boolean);
  return await preparePython('python-popular', packages);
}

const python =
  (module: string) =>
  ({ directory }: ServerPlace): [string, ...string[]] => [interpreterOf(directory), '-m', module];
const says = (text: string): unknown => expect.stringContaining(text);

/** Popular servers of PyPI. */
export const pythonServers: readonly PopularServer[] = [
  {
    name: 'time',
    command: python('mcp_server_time'),
    call: { tool: 'get_current_time', args: () => ({ timezone: 'UTC' }) },
    answer: says('UTC'),
  },
  {
    name: 'git',
    command: (around) => {
      execFileSync('git', ['init', '--quiet', around.scratch]);
      return [...python('mcp_server_git')(around), '--repository', around.scratch];
    },
    call: { tool: 'git_status', args: ({ scratch }) => ({ repo_path: scratch }) },
    answer: says('hello.txt'),
  },
  {
    name: 'fetch',
    command: (around) => [
      ...python('mcp_server_fetch')(around),
      '--ignore-robots-txt',
      '--allow-private-ips',
    ],
    call: { tool: 'fetch', args: ({ origin }) => ({ url: `${origin}/page`, raw: true }) },
    answer: says('local'),
  },
];
