import { once } from 'node:events';
import type { ClientRequest, IncomingMessage } from 'node:http';
import { isIP, type Socket } from 'node:net';
import { networkAdvice, networkReason } from './network-error.js';
import { bareHost, type Proxy } from './proxy.js';
import { proxyRefused, proxyUnreached } from './proxy-error.js';
import type { TlsSettings } from './tls-options.js';

/** Sockets that lead to a server through a proxy: their other end is the proxy. */
const tunnels = new WeakSet<object>();

/** Whether a socket, or that below its TLS, ends at a proxy. */
export function isTunnel(socket: object): boolean {
  return tunnels.has(socket);
}

/** Notes a connection that was made over a tunnel. */
export function markTunnel(socket: object): void {
  tunnels.add(socket);
}

/**
 * Asks a proxy for a way to a server by `CONNECT`
 * (https://www.rfc-editor.org/rfc/rfc9110#name-connect). The socket is the caller's.
 *
 * @throws ProxyError; what `signal` was aborted with.
 */
export async function openTunnel(
  proxy: Proxy,
  { hostname, port }: { hostname: string; port: number },
  { tls = {}, signal, timeoutMs }: { tls?: TlsSettings; signal?: AbortSignal; timeoutMs: number },
): Promise<Socket> {
  const host = `${isIP(hostname) === 6 ? `[${hostname}]` : hostname}:${port}`;
  const late = AbortSignal.timeout(Math.ceil(timeoutMs));
  const limit = signal === undefined ? late : AbortSignal.any([signal, late]);
  let request: ClientRequest | undefined;
  try {
    request = await connectRequest(proxy, host, tls);
    request.on('error', () => {});
    request.end();
    const [response, socket, head] = (await once(request, 'connect', { signal: limit })) as [
      IncomingMessage,
      Socket,
      Buffer,
    ];
    const { statusCode = 0, headers } = response;
    if (statusCode < 200 || statusCode > 299) {
      socket.on('error', () => {}).destroy();
      const offered = [headers['proxy-authenticate'] ?? []].flat();
      throw proxyRefused(proxy, { status: statusCode, host, offered });
    }
    // TLS and HTTP/1.1 both let the client speak first.
    if (head.length > 0) socket.unshift(head);
    markTunnel(socket);
    return socket;
  } catch (error) {
    request?.destroy();
    signal?.throwIfAborted();
    if ((error as Error).name === 'ProxyError') throw error;
    const cause = error as Error;
    const isLate = late.aborted;
    throw proxyUnreached(proxy, {
      reason: isLate
        ? `it does not answer within ${timeoutMs} ms`
        : networkReason(cause, proxy.url).replace('the server dropped', 'it dropped'),
      advice: isLate ? undefined : networkAdvice(cause, proxy.url),
      cause,
    });
  }
}

async function connectRequest(
  proxy: Proxy,
  host: string,
  tls: TlsSettings,
): Promise<ClientRequest> {
  const { protocol, hostname, port } = proxy.url;
  const options = {
    host: bareHost(hostname),
    ...(port !== '' && { port }),
    method: 'CONNECT',
    path: host,
    headers: {
      host,
      ...(proxy.authorization !== undefined && { 'proxy-authorization': proxy.authorization }),
    },
    agent: false,
  };
  if (protocol === 'http:') return (await import('node:http')).request(options);
  const { secureContext, rejectUnauthorized } = tls;
  return (await import('node:https')).request({
    ...options,
    ...(secureContext !== undefined && { secureContext }),
    ...(rejectUnauthorized !== undefined && { rejectUnauthorized }),
  });
}
