import { Buffer } from 'node:buffer';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** One side of a TCP connection, and what it has seen of the other. */
export interface TcpEnd {
  readonly socket: Socket;
  /** How many bytes came. */
  readonly receivedBytes: number;
  /** What came, as text. */
  readonly text: string;
  /** What has happened to it: `end` is a FIN of the other side. */
  readonly events: ('end' | 'reset' | 'closed')[];
}

/** A server that does nothing by itself. */
export interface TcpTarget extends AsyncDisposable {
  readonly port: number;
  /** Its connections, in the order in which they were accepted. */
  readonly ends: TcpEnd[];
  /** How many of them are open. */
  openConnections(): number;
}

/** Starts a server on a free port of 127.0.0.1; its side stays open when the other is ended. */
export async function startTcpTarget(): Promise<TcpTarget> {
  const ends: TcpEnd[] = [];
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    ends.push(watch(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    ends,
    openConnections: () => ends.filter(({ events }) => !events.includes('closed')).length,
    [Symbol.asyncDispose]: async () => {
      for (const { socket } of ends) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

/** Opens a connection that stays open when the other side ends its half. */
export async function dial(port: number): Promise<TcpEnd> {
  const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true });
  const end = watch(socket);
  await once(socket, 'connect');
  return end;
}

function watch(socket: Socket): TcpEnd {
  const chunks: Buffer[] = [];
  const events: TcpEnd['events'] = [];
  let receivedBytes = 0;
  socket.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    receivedBytes += chunk.length;
  });
  socket.on('end', () => events.push('end'));
  socket.on('error', () => events.push('reset'));
  socket.on('close', () => events.push('closed'));
  return {
    socket,
    get receivedBytes() {
      return receivedBytes;
    },
    get text() {
      return Buffer.concat(chunks).toString('latin1');
    },
    events,
  };
}
