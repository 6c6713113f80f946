import { ProxyError } from './proxy-error.js';
import { tlsFailure } from './tls-error.js';

/** The codes of Node and undici for a connection that ends in the middle of a response. */
const DROPPED: ReadonlySet<string> = new Set(['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET']);
/** How undici's parser ends its message about the same; this error has no code. */
const ENDED_EARLY = '(Invalid EOF state)';

/** How undici's parser begins its message about bytes that are no HTTP. */
const NO_HTTP = 'Response does not match the HTTP/1.1 protocol';

/** What undici's own `ProxyAgent` says, which a program may give. */
const PROGRAMS_TUNNEL = /^Proxy response \((\d+)\) !== 200 when HTTP Tunneling$/;

/** Why no connection could be made, by the codes of Node and undici. */
const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there',
  ENOTFOUND: 'no such host',
  EAI_AGAIN: 'its name cannot be looked up now',
  EHOSTUNREACH: 'no way leads there',
  ENETUNREACH: 'no way leads there',
  ETIMEDOUT: 'nothing answered there',
  UND_ERR_CONNECT_TIMEOUT: 'nothing answered there',
  HPE_INVALID_CONSTANT: 'what answers there does not speak HTTP',
};

/**
 * Why a connection failed, in words. Node hides it in `cause`, or in the parts of an AggregateError.
 * `url` is where it went, for errors that are about TLS.
 */
export function networkReason(error: Error, url?: URL): string {
  const first = firstPart(error);
  const { code, message, name } = first;
  if (first instanceof ProxyError) return message;
  const known = url && tlsFailure(first, url)?.reason;
  const reason =
    known ?? (code !== undefined && Object.hasOwn(REASONS, code) ? REASONS[code] : undefined);
  if (reason !== undefined) return `${reason} (${code})`;
  if (DROPPED.has(code ?? '')) return `the server dropped the connection (${code})`;
  if (message.endsWith(ENDED_EARLY)) return 'the server dropped the connection';
  const [, tunnelStatus] = PROGRAMS_TUNNEL.exec(message) ?? [];
  if (tunnelStatus !== undefined) return `its proxy refuses the way to it (${tunnelStatus})`;
  if (message.startsWith(NO_HTTP)) return 'what answers there does not speak HTTP';
  if (message !== '') return code === undefined ? message : `${message} (${code})`;
  return code ?? name;
}

/** What to do about it, where more is known than to try again later. */
export function networkAdvice(error: Error, url: URL): string | undefined {
  const first = firstPart(error);
  return first instanceof ProxyError ? first.hint : tlsFailure(first, url)?.advice;
}

/** The failure that an error is about: itself, or the first part of several. */
export function firstPart(error: Error): NodeJS.ErrnoException {
  if (error instanceof AggregateError && error.errors[0] instanceof Error) {
    return firstPart(error.errors[0]);
  }
  return error;
}
