import { execFile } from 'node:child_process';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { removeFolder } from '../../../support/remove-folder.ts';

/** A busy machine takes long to start an interpreter. */
const CLIENT_MS = 90_000;

/** Where the programs of the clients are. */
export const clients: string = fileURLToPath(new URL('../clients/', import.meta.url));

/** Nothing of theirs is to leave the machine, nor to be looked for, nor to open a browser. */
export const QUIET: Record<string, string> = {
  PATH: process.env['PATH'] ?? '',
  DO_NOT_TRACK: '1',
  NO_UPDATE_NOTIFIER: '1',
  FASTMCP_CHECK_FOR_UPDATES: 'off',
  BROWSER: 'false',
  HTTP_PROXY: 'http://127.0.0.1:9',
  HTTPS_PROXY: 'http://127.0.0.1:9',
  NO_PROXY: '127.0.0.1',
};

/** Runs a client in a home of its own unless one is given, and returns what it wrote. */
export async function runClient(
  command: string,
  args: readonly string[],
  { cwd, home: given }: { cwd?: string; home?: string } = {},
): Promise<string> {
  const home = given ?? (await mkdtemp(join(tmpdir(), 'longwire-client-')));
  try {
    const env = { ...QUIET, HOME: home };
    const options = { env, cwd: cwd ?? home, timeout: CLIENT_MS, killSignal: 'SIGKILL' } as const;
    const { stdout } = await promisify(execFile)(command, args, options);
    return stdout;
  } finally {
    if (given === undefined) await removeFolder(home);
  }
}
