import { once } from 'node:events';
import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A proxy in front of two nodes that knows no sessions: every request goes to the node of now. */
export interface SwitchingProxy extends AsyncDisposable {
  /** `http://127.0.0.1:PORT`. */
  readonly origin: string;
  /** New requests go to this node; those that are open stay where they are. */
  switchTo(origin: string): void;
  /** Breaks off every request that is open. */
  cut(): void;
}

/** Starts one on a free port of 127.0.0.1. */
export async function startSwitchingProxy(first: string): Promise<SwitchingProxy> {
  let node = first;
  const open = new Set<ServerResponse>();
  const server = createServer((incoming, response) => {
    open.add(response);
    response.once('close', () => open.delete(response));
    const { method = 'GET', url, headers } = incoming;
    const asked = request(`${node}${url}`, { method, headers, agent: false });
    asked.once('response', (answer) => pass(answer, response));
    asked.on('error', () => response.destroy());
    response.once('close', () => asked.destroy());
    incoming.pipe(asked);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    switchTo: (origin) => {
      node = origin;
    },
    cut: () => {
      for (const response of open) response.destroy();
    },
    [Symbol.asyncDispose]: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

function pass(answer: IncomingMessage, response: ServerResponse): void {
  response.writeHead(answer.statusCode ?? 502, answer.headers);
  response.flushHeaders();
  answer.pipe(response);
  answer.on('error', () => response.destroy());
}
