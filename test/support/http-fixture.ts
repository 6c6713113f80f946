import { once } from 'node:events';
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';

/** One request as it arrived. */
export interface RecordedRequest {
  method: string;
  /** Path and query, as they were on the wire. */
  url: string;
  headers: IncomingHttpHeaders;
  body: string;
  /** The body parsed, or `undefined` if it is no JSON. */
  json: unknown;
}

/** An HTTP server of a test's own, on a free port of 127.0.0.1. */
export interface HttpFixture extends AsyncDisposable {
  /** `http://127.0.0.1:PORT`. */
  readonly origin: string;
  /** Everything that arrived, in the order in which it was complete. */
  readonly requests: RecordedRequest[];
  /** Connections that are open now. */
  openConnections(): number;
  /** Connections that were ever opened, whether or not anything was sent. */
  acceptedConnections(): number;
  /** Drops all connections, and keeps listening. */
  dropConnections(): void;
  /** Drops all connections and stops listening. */
  close(): Promise<void>;
}

/** Ports that servers of this process have had. */
const usedPorts = new Set<number>();

/** A client remembers for its process which version a server at an address speaks: no server gets one of before. */
async function listenWhereNobodyDid(server: Server): Promise<number> {
  for (;;) {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    if (!usedPorts.has(port)) {
      usedPorts.add(port);
      return port;
    }
    server.close();
    await once(server, 'close');
  }
}

/**
 * Starts a server that records every request before it is handled. A handler that throws is
 * answered for with 500.
 */
export async function startHttpFixture(
  handle: (request: RecordedRequest, response: ServerResponse) => void,
): Promise<HttpFixture> {
  const requests: RecordedRequest[] = [];
  const sockets = new Set<object>();
  let accepted = 0;
  const server = createServer((message, response) => {
    read(message)
      .then((request) => {
        requests.push(request);
        handle(request, response);
      })
      .catch((error: unknown) => {
        if (response.headersSent) response.destroy();
        else response.writeHead(500).end(String(error));
      });
  });
  server.on('connection', (socket) => {
    accepted += 1;
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  const port = await listenWhereNobodyDid(server);

  const close = async (): Promise<void> => {
    if (!server.listening) return;
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
  };
  return {
    origin: `http://127.0.0.1:${port}`,
    requests,
    openConnections: () => sockets.size,
    acceptedConnections: () => accepted,
    dropConnections: () => server.closeAllConnections(),
    close,
    [Symbol.asyncDispose]: close,
  };
}

async function read(message: IncomingMessage): Promise<RecordedRequest> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer);
  const body = Buffer.concat(chunks).toString('utf8');
  const { method = '', url = '', headers } = message;
  return { method, url, headers, body, json: parse(body) };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
