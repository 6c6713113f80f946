import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { CommandTarget } from '@longwire/client';
import type { FuzzCase } from '../fuzz-case.ts';
import { serveHttp } from './http-connection.ts';
import { Mutator } from './mutator.ts';
import { serveProcess } from './process-connection.ts';

/** A server of one case. */
export interface FuzzServer extends AsyncDisposable {
  readonly target: string | CommandTarget;
  /** Connections that the other side holds open; to a process, its connection here. */
  open(): number;
  /** What the server said so far, the beginning of it. */
  readonly said: readonly string[];
}

const MAX_SAID = 40;
const MAX_SAID_LENGTH = 400;

const PATHS = {
  sse: '/sse',
  'tool-events': '/sse',
  'streamable-json': '/mcp',
  'streamable-events': '/mcp',
  'stateless-json': '/mcp',
  'stateless-events': '/mcp',
} as const;

/** Passes on what a process says and is told: of a server over standard input and output. */
const RELAY = fileURLToPath(new URL('../../chaos/stdio-relay.mjs', import.meta.url));

/** Starts the server of a case on 127.0.0.1. */
export async function startFuzzServer(fuzzCase: FuzzCase): Promise<FuzzServer> {
  const { transport } = fuzzCase;
  const mutator = new Mutator(fuzzCase);
  const sockets = new Set<Socket>();
  const said: string[] = [];
  const onSay = (bytes: Buffer): void => {
    if (said.length < MAX_SAID) said.push(bytes.toString('utf8', 0, MAX_SAID_LENGTH));
  };
  const stream = { write: () => {} };
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    if (transport === 'stdio') serveProcess(socket, { mutator, onSay });
    else serveHttp(socket, { transport, mutator, onSay, stream });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    target:
      transport === 'stdio'
        ? { command: process.execPath, args: [RELAY, String(port)] }
        : `http://127.0.0.1:${port}${PATHS[transport]}`,
    open: () => sockets.size,
    said,
    [Symbol.asyncDispose]: async () => {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
