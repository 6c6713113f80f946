import { once } from 'node:events';
import { rootError } from '../error-facts.js';
import { HttpStatusError, LongwireError } from '../errors.js';
import type { Network } from '../http/network.js';
import type { ChannelOptions } from '../options/channel-options.js';
import type { Target } from './target.js';

/** How long a server has to begin TLS. */
const HELLO_MS = 2000;

/** What servers of TLS answer to plain http: nginx, Go, Apache. */
const TLS_IS_WANTED =
  /plain HTTP request was sent to HTTPS port|HTTP request to an HTTPS server|plain HTTP to an SSL-enabled/i;

/**
 * Whether a server that was asked by plain http speaks TLS there: it says so, or it dropped the
 * connection and begins TLS when it is asked to.
 */
export async function isTlsSpoken(
  {
    target,
    channel: { dispatcher },
    network,
    signal,
  }: {
    target: Target;
    channel: Partial<ChannelOptions>;
    network?: Network | undefined;
    signal: AbortSignal;
  },
  errors: readonly LongwireError[],
): Promise<boolean> {
  if (target.kind !== 'url' || target.url.protocol !== 'http:') return false;
  if (errors.some(saysSo)) return true;
  const isDropped =
    errors.length > 0 && errors.every((error) => rootError(error).code === 'connection-lost');
  // Where a program's dispatcher, and a proxy, connect to is not known.
  const isDirect = dispatcher === undefined && network?.proxies?.proxyFor(target.url) === undefined;
  if (!isDropped || !isDirect || signal.aborted) return false;
  return await beginsTls(target.url, signal);
}

function saysSo(error: LongwireError): boolean {
  const root = rootError(error);
  return root instanceof HttpStatusError && root.status === 400 && TLS_IS_WANTED.test(root.excerpt);
}

/** Whether a server answers the first bytes of TLS with TLS. Nothing is sent over it. */
async function beginsTls({ hostname, port }: URL, signal: AbortSignal): Promise<boolean> {
  const { connect } = await import('node:tls');
  const host = hostname.replace(/^\[|\]$/g, '');
  // Its certificate is of no interest.
  const socket = connect({ host, port: Number(port || 80), rejectUnauthorized: false });
  socket.on('error', () => {});
  try {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(HELLO_MS)]);
    await once(socket, 'secureConnect', { signal: limit });
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

/** The error for a server of TLS that was asked by plain http. */
export function tlsIsSpoken({ host, origin, pathname }: URL): LongwireError {
  return new LongwireError(`${origin} speaks TLS, and was asked by plain http`, {
    code: 'connect-failed',
    certainty: 'refused',
    hint: `write https://${host}${pathname}`,
  });
}
