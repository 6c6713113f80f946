import { spawn } from 'node:child_process';
import { mkdtemp, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { connect, type ClientOptions, type LongwireClient } from '@longwire/client';
import { prepareServer } from '../../../support/built-servers.ts';
import { firstLine, stopTree } from '../../../support/peers.ts';
import { interpreterOf, preparePython } from '../../../support/python-servers.ts';
import { removeFolder } from '../../../support/remove-folder.ts';
import type { Prepared } from '../../../support/user-cache.ts';

/** For the first request to a server that has just started, on a busy machine. */
const CONNECT_MS = 60_000;

/** A library whose servers have tasks, and what they are like. */
export interface TaskLibrary {
  name: string;
  /** The version of the protocol that has its tasks. */
  protocol: '2026-07-28' | '2025-11-25';
  output: 'http' | 'stdio';
  prepare: () => Promise<Prepared>;
  /** The command that serves; over HTTP it prints its port. */
  command: (directory: string, events: string) => [command: string, ...args: string[]];
  /** It has a tool that asks. */
  asks: boolean;
  /** It cancels each task when the call is answered that made it. */
  cancelsAtOnce: boolean;
  /** It tells `Bearer ada` from `Bearer bob`. */
  knowsUsers: boolean;
  /** What it makes of a JSON-RPC error of a tool. */
  broken: { code: string; number: number; message: string } | { isError: true; text: string };
}

const IT_IS_BROKEN = { code: 'server-error', number: -32050, message: 'it is broken' };
const fastMcp = fileURLToPath(new URL('../servers/fastmcp-tasks.py', import.meta.url));
const inPython: TaskLibrary['command'] = (directory, events) => [
  interpreterOf(directory),
  fastMcp,
  events,
];

/** The last FastMCP that has the tasks of 2025-11-25, as server and as client. */
export function prepareFastMcp3(): Promise<Prepared> {
  return preparePython('python-fastmcp-3', ['fastmcp[tasks]==3.4.11']);
}

const fastMcp4: TaskLibrary = {
  name: 'FastMCP 4.1.4',
  protocol: '2026-07-28',
  output: 'http',
  prepare: () => preparePython(),
  command: inPython,
  asks: true,
  cancelsAtOnce: false,
  knowsUsers: true,
  broken: IT_IS_BROKEN,
};

const fastMcp3: TaskLibrary = {
  ...fastMcp4,
  name: 'FastMCP 3.4.11',
  protocol: '2025-11-25',
  prepare: prepareFastMcp3,
  // The error is lost in it: its class is made with another argument than it expects.
  broken: { isError: true, text: "'str' object has no attribute 'message'" },
};

const rmcp: TaskLibrary = {
  name: 'rmcp 3.11.0',
  protocol: '2026-07-28',
  output: 'http',
  prepare: () => prepareServer('rust-rmcp'),
  command: (directory, events) => [join(directory, 'tasks'), '0', events],
  asks: true,
  cancelsAtOnce: false,
  knowsUsers: false,
  broken: IT_IS_BROKEN,
};

const mcpGo: TaskLibrary = {
  name: 'mcp-go 1.2.1',
  protocol: '2025-11-25',
  output: 'stdio',
  prepare: () => prepareServer('go-mcp-go'),
  command: (directory, events) => [join(directory, 'tasks'), 'stdio', '0', events],
  asks: false,
  cancelsAtOnce: true,
  knowsUsers: false,
  broken: { code: 'server-error', number: -32603, message: 'it is broken' },
};

/** Servers with tasks of libraries that others wrote. */
export const LIBRARIES: readonly TaskLibrary[] = [fastMcp4, fastMcp3, rmcp];
export const MCP_GO: readonly TaskLibrary[] = [
  mcpGo,
  {
    ...mcpGo,
    output: 'http',
    command: (directory, events) => [join(directory, 'tasks'), 'http', '0', events],
  },
];

/** A server that runs, or that each client of it starts. */
export interface TaskServer extends AsyncDisposable {
  connect(options?: ClientOptions, user?: 'ada' | 'bob'): Promise<LongwireClient>;
  /** How often its tools wrote this. */
  happened(event: string): Promise<number>;
}

/** Starts a server on a free port of 127.0.0.1; over stdio its clients do. */
export async function startTaskServer(
  { command, output, protocol }: TaskLibrary,
  directory: string,
): Promise<TaskServer> {
  const scratch = await mkdtemp(join(tmpdir(), 'longwire-tasks-'));
  const events = join(scratch, 'events');
  const [program, ...args] = command(directory, events);
  const env = { PATH: process.env['PATH'] ?? '', HOME: scratch, FASTMCP_CHECK_FOR_UPDATES: 'off' };
  let target: string | { command: string; args: string[] } = { command: program, args };
  let stop = (): Promise<void> => Promise.resolve();
  if (output === 'http') {
    const child = spawn(program, args, { env });
    let text = '';
    child.stderr.setEncoding('utf8').on('data', (more: string) => (text += more));
    stop = () => stopTree(child);
    try {
      target = `http://127.0.0.1:${await firstLine(child, () => text)}/mcp`;
    } catch (error) {
      await stop();
      throw error;
    }
  }
  return {
    connect: async (options, user = 'ada') => {
      // A program with handlers would get the older protocol, in which servers can ask at any time.
      return await connect(target, {
        protocol,
        timeouts: { connectMs: CONNECT_MS },
        ...(output === 'http' && { headers: { authorization: `Bearer ${user}` } }),
        ...options,
      });
    },
    happened: async (event) => {
      const written = await readFile(events, 'utf8').catch(() => '');
      return written.split('\n').filter((line) => line === event).length;
    },
    [Symbol.asyncDispose]: async () => {
      await stop();
      await removeFolder(scratch);
    },
  };
}
