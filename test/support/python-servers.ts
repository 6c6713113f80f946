import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { running, stopTree, type Peer } from './peers.ts';

const run = promisify(execFile);

/** From PyPI; pinned, so that what is released tomorrow breaks nothing today. */
const packages = ['mcp==2.3.0', 'fastmcp==4.1.2'];
const installMs = 240_000;

const environment = fileURLToPath(
  new URL('../../node_modules/.cache/longwire-python', import.meta.url),
);
const interpreter = join(environment, 'bin', 'python');
const script = fileURLToPath(new URL('python-server.py', import.meta.url));

/** Whether servers in Python can be started here, and if not, why. */
export type PythonAtHand =
  { at: 'hand' } | { at: 'nowhere' } | { at: 'no packages'; reason: string };

/** Which library serves, and how: Streamable HTTP with answers as streams, as JSON, or stateless. */
export interface PythonServerOptions {
  library: 'mcp' | 'fastmcp';
  output: 'sse' | 'stream' | 'json' | 'stateless';
}

/** Makes a virtual environment with the libraries, once. */
export async function preparePython(): Promise<PythonAtHand> {
  const wanted = packages.join(' ');
  const note = join(environment, 'installed');
  if ((await readFile(note, 'utf8').catch(() => '')) === wanted) return { at: 'hand' };
  try {
    await run('python3', ['--version']);
  } catch {
    return { at: 'nowhere' };
  }
  try {
    await rm(environment, { recursive: true, force: true });
    const limits = { timeout: installMs, killSignal: 'SIGKILL' } as const;
    await run('python3', ['-m', 'venv', environment], limits);
    const quietly = ['--quiet', '--disable-pip-version-check', '--no-input'];
    await run(interpreter, ['-m', 'pip', 'install', ...quietly, ...packages], limits);
    await writeFile(note, wanted);
    return { at: 'hand' };
  } catch (error) {
    const [reason = ''] = String(error).split('\n');
    return { at: 'no packages', reason };
  }
}

/** Starts a server in Python, on a free port of 127.0.0.1. */
export async function startPython({ library, output }: PythonServerOptions): Promise<Peer> {
  const child = spawn(interpreter, [script, library, output], {
    env: { PATH: process.env['PATH'] ?? '', HOME: environment, FASTMCP_CHECK_FOR_UPDATES: 'off' },
  });
  let text = '';
  child.stderr.setEncoding('utf8').on('data', (more: string) => (text += more));
  const lines = createInterface(child.stdout);
  const ended = new AbortController();
  try {
    const port = await Promise.race([
      once(lines, 'line', { signal: ended.signal }).then(([line]) => Number(line)),
      once(child, 'exit', { signal: ended.signal }).then(() => {
        throw new Error(`it did not start: ${text}`);
      }),
    ]);
    const path = output === 'sse' ? '/sse' : '/mcp';
    return running(child, `http://127.0.0.1:${port}${path}`, () => text);
  } catch (error) {
    await stopTree(child);
    throw error;
  } finally {
    ended.abort();
  }
}
