import { execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { stopTree } from './peers.ts';

const exec = promisify(execFile);

/** What a test needs and a machine may lack: a directory, or why there is none. */
export type Prepared = { directory: string } | { missing: string };

/** What is made once and kept outside the tree, so that a fresh clone finds it again. */
export interface Preparation {
  /** What it is called there. */
  name: string;
  /** What it is made of: another text, another directory. */
  sources: string;
  /** Commands that must be there; each is run with `version`, its argument. */
  needs: [command: string, version: string][];
  /**
   * Fills the directory, which is moved afterwards: two processes may make the same at one time.
   * Nothing in it may say where it is.
   */
  make: (directory: string, run: Run) => Promise<void>;
}

/** Runs a command quietly. */
export type Run = (
  command: string,
  args: string[],
  options?: { cwd?: string; env?: NodeJS.ProcessEnv },
) => Promise<void>;

/** For one command: the dependencies of a server in Rust are many. */
const makeMs = 600_000;
const cache = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'longwire-test');

/** Whether what a machine lacks is a failure there. */
export const isCi = ![undefined, '', 'false', '0'].includes(process.env['CI']);

/** Makes what a test needs, unless it was made before. */
export async function prepare({ name, sources, needs, make }: Preparation): Promise<Prepared> {
  const digest = createHash('sha256').update(sources).digest('hex').slice(0, 16);
  const directory = join(cache, `${name}-${digest}`);
  if (existsSync(join(directory, 'made'))) return { directory };
  for (const [command, version] of needs) {
    const isThere = await exec(command, [version]).then(
      () => true,
      () => false,
    );
    if (!isThere) return { missing: `there is no ${command} here` };
  }
  await mkdir(cache, { recursive: true });
  const beside = await mkdtemp(join(cache, 'making-'));
  try {
    await make(beside, run);
    await mkdir(join(beside, 'made'));
    // Another process may have been faster.
    await rename(beside, directory).catch(ignoreIfThere(directory));
    return { directory };
  } catch (error) {
    return { missing: `${name} could not be made: ${String(error)}` };
  } finally {
    await rm(beside, { recursive: true, force: true });
  }
}

/** Runs a command; should it take too long, it is ended with all that it started. */
const run: Run = async (command, args, options) => {
  const child = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  const keep = (text: string): void => void (output = (output + text).slice(-10_000));
  child.stdout.setEncoding('utf8').on('data', keep);
  child.stderr.setEncoding('utf8').on('data', keep);
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    void stopTree(child);
  }, makeMs);
  try {
    const [code] = (await once(child, 'close')) as [number | null];
    if (code === 0) return;
    const why = isLate ? `it took longer than ${makeMs / 1000} s` : `exit code ${String(code)}`;
    throw new Error(`${[command, ...args].join(' ')}: ${why}: ${lastLines(output)}`);
  } finally {
    clearTimeout(timer);
  }
};

/** The text of all files below a directory, with their names, in one order. */
export async function textOf(directory: string): Promise<string> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((e) => join(e.parentPath, e.name));
  const texts = paths
    .toSorted()
    .map(async (path) => `${path.slice(directory.length)}\n${await readFile(path, 'utf8')}`);
  return (await Promise.all(texts)).join('\n');
}

function ignoreIfThere(directory: string): (error: unknown) => void {
  return (error) => {
    if (!existsSync(join(directory, 'made'))) throw error;
  };
}

function lastLines(output: string): string {
  return output.trim().split('\n').slice(-12).join('\n');
}
