import { HttpStatusError, LongwireError } from '../errors.js';
import type { HttpMethod } from '../options/channel-options.js';
import { displayUrl } from './display-url.js';
import type { Proxy, UnusableProxy } from './proxy.js';
import { proxyRefused } from './proxy-error.js';
import type { ResponseHeaders } from './request-options.js';
import { retryAfterMs } from './status.js';
import { certificateAnswer, type TlsFailure } from './tls-error.js';

/** An answer that is no 2xx. */
interface ErrorAnswer {
  method: HttpMethod;
  url: URL;
  headers: ResponseHeaders;
  /** The proxy of the URL, if there is one. */
  proxy: Proxy | UnusableProxy | undefined;
  excerpt: string;
  /** The excerpt in words, for the message. */
  said: string;
}

/** The error for an answer of this status. */
export function statusError(status: number, answer: ErrorAnswer): LongwireError {
  const { method, url, headers, proxy, excerpt, said } = answer;
  if (status === 407 && proxy !== undefined && url.protocol === 'http:' && 'url' in proxy) {
    return refusedByProxy(answer, proxy);
  }
  const about = url.protocol === 'https:' ? certificateAnswer(status, excerpt) : undefined;
  if (about !== undefined) return clientRefused(url, about);
  return new HttpStatusError(`${method} ${displayUrl(url)} was answered ${status}${said}`, {
    hint: advice(status),
    status,
    excerpt,
    certainty: certaintyOf(status, headers),
    retryAfterMs: retryAfterMs(headers['retry-after']),
  });
}

/** The error where a server refuses the client because of its certificate: it runs nothing. */
export function clientRefused(
  { origin }: URL,
  { reason, advice: hint }: TlsFailure,
  cause?: Error,
): LongwireError {
  return new LongwireError(`cannot connect to ${origin}: ${reason}`, {
    code: 'connect-failed',
    certainty: 'refused',
    hint,
    cause,
  });
}

function refusedByProxy({ url, headers }: ErrorAnswer, proxy: Proxy): LongwireError {
  const offered = [headers['proxy-authenticate'] ?? []].flat();
  const cause = proxyRefused(proxy, { status: 407, host: url.host, offered });
  return new LongwireError(`cannot connect to ${url.origin}: ${cause.message}`, {
    code: 'connect-failed',
    certainty: 'refused',
    hint: cause.hint,
    cause,
  });
}

function certaintyOf(status: number, headers: ResponseHeaders): 'refused' | 'outcome-unknown' {
  // Of the other redirects, 303 at least follows a request that was carried out.
  if (status < 400 && status !== 307 && status !== 308) return 'outcome-unknown';
  if (status < 500) return 'refused';
  return status === 503 && headers['retry-after'] !== undefined ? 'refused' : 'outcome-unknown';
}

function advice(status: number): string | undefined {
  if (status === 401) return 'give credentials that it takes, in headers';
  if (status === 403) return 'these credentials are not enough';
  return undefined;
}
