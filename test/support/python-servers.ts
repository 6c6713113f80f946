import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { firstLine, running, stopTree, type Peer } from './peers.ts';
import { prepare, type Prepared } from './user-cache.ts';

/** From PyPI; pinned, so that what is released tomorrow breaks nothing today. */
const packages = ['mcp==2.3.0', 'fastmcp[tasks]==4.1.4'];

const script = fileURLToPath(new URL('python-server.py', import.meta.url));

/** Which library serves, and how: Streamable HTTP with answers as streams, as JSON, or stateless. */
export interface PythonServerOptions {
  library: 'mcp' | 'fastmcp';
  output: 'sse' | 'stream' | 'json' | 'stateless';
}

/**
 * Makes a virtual environment with packages of PyPI, once. Its interpreter works wherever it is; its
 * other commands do not.
 */
export function preparePython(name = 'python', wanted: string[] = packages): Promise<Prepared> {
  return prepare({
    name,
    sources: wanted.join(' '),
    needs: [['python3', '--version']],
    make: async (directory, run) => {
      await run('python3', ['-m', 'venv', directory]);
      const quietly = ['--quiet', '--disable-pip-version-check', '--no-input'];
      await run(interpreterOf(directory), ['-m', 'pip', 'install', ...quietly, ...wanted]);
    },
  });
}

/** The interpreter of a virtual environment. */
export function interpreterOf(directory: string): string {
  return join(directory, 'bin', 'python');
}

/** Starts a server in Python, on a free port of 127.0.0.1. */
export async function startPython(
  directory: string,
  { library, output }: PythonServerOptions,
): Promise<Peer> {
  const child = spawn(interpreterOf(directory), [script, library, output], {
    env: { PATH: process.env['PATH'] ?? '', HOME: directory, FASTMCP_CHECK_FOR_UPDATES: 'off' },
  });
  let text = '';
  child.stderr.setEncoding('utf8').on('data', (more: string) => (text += more));
  try {
    const port = await firstLine(child, () => text);
    const path = output === 'sse' ? '/sse' : '/mcp';
    return running(child, `http://127.0.0.1:${port}${path}`, () => text);
  } catch (error) {
    await stopTree(child);
    throw error;
  }
}
