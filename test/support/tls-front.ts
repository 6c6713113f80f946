import { once } from 'node:events';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { createServer } from 'node:tls';
import { selfSigned, type Certificate } from './certificates.ts';

/** What ends TLS in front of a server that knows nothing of it. */
export interface TlsFront extends AsyncDisposable {
  /** `https://127.0.0.1:PORT`. */
  readonly origin: string;
}

/**
 * Starts one, on a free port of 127.0.0.1, in front of an origin of plain http. With `clientAuthority` it
 * takes only clients that have a certificate of it.
 */
export async function startTlsFront(
  origin: string,
  certificate: Certificate = selfSigned,
  { clientAuthority }: { clientAuthority?: string } = {},
): Promise<TlsFront> {
  const sockets = new Set<Socket>();
  const only = clientAuthority !== undefined && {
    ca: clientAuthority,
    requestCert: true,
    rejectUnauthorized: true,
  };
  const server = createServer({ ...certificate, ...only }, (outside) => {
    const inside = connect(Number(new URL(origin).port), '127.0.0.1');
    for (const socket of [outside, inside]) {
      sockets.add(socket);
      socket.on('close', () => sockets.delete(socket));
      socket.on('error', () => {
        outside.destroy();
        inside.destroy();
      });
    }
    outside.pipe(inside).pipe(outside);
  });
  // A client that is refused is nothing to end for.
  server.on('tlsClientError', () => {});
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    origin: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
