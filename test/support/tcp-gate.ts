import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** An address of its own in front of a server, which can go away and come back. */
export interface TcpGate extends AsyncDisposable {
  /** The server's URL, with the address of the gate. */
  readonly url: string;
  /** Connections that were ever accepted. */
  accepted(): number;
  /** Drops all connections, and refuses new ones. */
  shut(): Promise<void>;
  /** Lets connections through again, at the address from before. */
  open(): Promise<void>;
  /** Nothing passes any more on the connections that are open now, in neither direction. */
  freeze(): void;
  close(): Promise<void>;
}

/** Opens a gate to a server on a free port of 127.0.0.1. */
export async function startTcpGate(serverUrl: string): Promise<TcpGate> {
  const target = new URL(serverUrl);
  const sockets = new Set<Socket>();
  let accepted = 0;
  let server: Server | undefined;

  function join(outer: Socket): void {
    accepted += 1;
    const inner = connect(Number(target.port), target.hostname);
    for (const [socket, other] of [
      [outer, inner],
      [inner, outer],
    ] as const) {
      sockets.add(socket);
      socket.on('data', (chunk) => other.write(chunk));
      socket.on('error', () => {});
      socket.once('close', () => {
        sockets.delete(socket);
        other.destroy();
      });
    }
  }

  async function listen(port: number): Promise<number> {
    server = createServer(join).listen(port, '127.0.0.1');
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  }

  async function shut(): Promise<void> {
    const closing = server;
    server = undefined;
    for (const socket of sockets) socket.destroy();
    if (closing === undefined) return;
    const closed = once(closing, 'close');
    closing.close();
    await closed;
  }

  const url = new URL(target);
  const port = await listen(0);
  url.port = String(port);
  return {
    url: url.href,
    accepted: () => accepted,
    shut,
    open: async () => {
      await listen(port);
    },
    freeze: () => {
      for (const socket of sockets) socket.pause().removeAllListeners('data');
    },
    close: shut,
    [Symbol.asyncDispose]: shut,
  };
}
