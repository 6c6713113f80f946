import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { CommandTarget } from '@longwire/client';
import { createRandom } from '@longwire/testing';
import type { CountingServer, ServerWatch } from './chaos-server.ts';
import { ChaosSession, type ClientMessage } from './chaos-session.ts';

/** Options of a server over standard input and output. */
export interface StdioServerOptions extends ServerWatch {
  /** Decides what noise there is. */
  seed: number;
}

/**
 * An MCP server whose every session is a process. The process only passes on what is said, to here,
 * where it is counted: what it was killed with is known nevertheless.
 */
export interface StdioServer extends CountingServer {
  /** What starts a process. */
  readonly command: CommandTarget;
  /** Processes that were started, and run. */
  running(): number;
  /** Kills the process that was started last. Whether there is one. */
  kill(): boolean;
}

const NOISE = [
  'Server running on stdio',
  '',
  '\u001b[32mINFO\u001b[0m {"level":30,"msg":"ready"}',
  '{"level":30,"msg":"ready"}',
  '[1,2,3]',
];
const NOISE_SHARE = 0.02;

/** Starts what the processes pass on to. */
export async function startStdioServer(options: StdioServerOptions): Promise<StdioServer> {
  const { seed, onRun, onBreach } = options;
  const random = createRandom(seed);
  const sessions = new Map<Socket, ChaosSession>();
  const pids = new Set<number>();
  let openedSessions = 0;

  function take(socket: Socket): void {
    const session = new ChaosSession({
      version: '2025-11-25',
      send: (message) => {
        if (random.chance(NOISE_SHARE)) socket.write(`${NOISE[random.below(NOISE.length)]}\n`);
        socket.write(`${JSON.stringify(message)}\n`);
      },
      onRun,
      onBreach,
    });
    let pid: number | undefined;
    // A line that was cut off by a kill has no end, and is no message.
    let rest = '';
    socket.setEncoding('utf8').on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        if (pid !== undefined) session.receive(JSON.parse(line) as ClientMessage);
        else {
          pid = Number(line);
          pids.add(pid);
          sessions.set(socket, session);
          openedSessions += 1;
        }
      }
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      session.close();
      sessions.delete(socket);
    });
  }

  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    take(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const relay = fileURLToPath(new URL('stdio-relay.mjs', import.meta.url));

  function alive(): number[] {
    for (const pid of pids) if (!isRunning(pid)) pids.delete(pid);
    return [...pids];
  }

  return {
    command: { command: process.execPath, args: [relay, String(port)] },
    openedSessions: () => openedSessions,
    liveSessions: () => sessions.size,
    openStreams: () => 0,
    resumptions: () => 0,
    announce: () => {
      for (const session of sessions.values()) session.announce();
    },
    running: () => alive().length,
    kill: () => {
      const pid = alive().at(-1);
      return pid !== undefined && process.kill(pid, 'SIGKILL');
    },
    [Symbol.asyncDispose]: async () => {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
