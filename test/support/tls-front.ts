import { once } from 'node:events';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { createServer } from 'node:tls';

/** Of no secret: it is for 127.0.0.1, and nobody trusts it but tests. */
const KEY = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQggow87GGt/ZBp2s3Y
Yq1oju1jnMtMR3AXGrjntl4eTmqhRANCAAS5LmeZEOHLG5ZTn5NKDQnHKoujlkoH
kPyONvrjOgvBDM6IKBlhgaL1AZndn00v+vYgNcmvP92LlKzdPQuMSgFB
-----END PRIVATE KEY-----`;

/** What a client has to trust that connects to a front. */
export const FRONT_CERTIFICATE = `-----BEGIN CERTIFICATE-----
MIIBmzCCAUGgAwIBAgIUWVK2VHQswmoEEcrQQek2ViBZqlowCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyODE0NDYyNVoYDzIxMjYxMTA0
MTQ0NjI1WjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAAS5LmeZEOHLG5ZTn5NKDQnHKoujlkoHkPyONvrjOgvBDM6IKBlhgaL1
AZndn00v+vYgNcmvP92LlKzdPQuMSgFBo28wbTAdBgNVHQ4EFgQUdGnT2EBdOljS
rRTrzdPRQu/UwiUwHwYDVR0jBBgwFoAUdGnT2EBdOljSrRTrzdPRQu/UwiUwDwYD
VR0TAQH/BAUwAwEB/zAaBgNVHREEEzARhwR/AAABgglsb2NhbGhvc3QwCgYIKoZI
zj0EAwIDSAAwRQIhAJFJidEVz0gkVsJLNAJC4n0RHqmXXSiFbeX7wMHwxUcuAiB3
/05o0zDahQZFyxU/jlZh2XTlFWxyriNb5w46uyfRQQ==
-----END CERTIFICATE-----`;

/** What ends TLS in front of a server that knows nothing of it. */
export interface TlsFront extends AsyncDisposable {
  /** `https://127.0.0.1:PORT`. */
  readonly origin: string;
}

/** Starts one, on a free port of 127.0.0.1, in front of an origin of plain http. */
export async function startTlsFront(origin: string): Promise<TlsFront> {
  const sockets = new Set<Socket>();
  const server = createServer({ key: KEY, cert: FRONT_CERTIFICATE }, (outside) => {
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
