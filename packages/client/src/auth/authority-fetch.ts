import { Buffer } from 'node:buffer';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FetchLike } from '@modelcontextprotocol/client';
import { networkAdvice, networkReason } from '../http/network-error.js';
import { ProxyError } from '../http/proxy-error.js';
import { isUnavailable, retryAfterMs } from '../http/status.js';
import { DEFAULT_JSON_BOUNDS, parseJson } from '../untrusted/json.js';
import { displayUrl } from '../http/display-url.js';
import { LongwireError } from '../errors.js';
import { nextExchange } from '../http/traffic-counts.js';
import type { HttpMethod } from '../options/channel-options.js';
import type { WireExchange, WireObserver } from '../options/wire-event.js';
import { RefusedAddressError } from './addresses.js';
import { readText } from './read-text.js';

/** Before the second try, the third and the fourth. */
const PAUSES_MS = [250, 500, 1000];
/** The longest delay of a timer. */
const MAX_TIMER_MS = 2 ** 31 - 1;
/** No connection was made: nothing was sent. */
const NOT_SENT = new Set([
  'ECONNREFUSED',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
]);

/**
 * An authorization server, or the server with its metadata, did not answer. That says nothing about
 * tokens and clients. It is a TypeError because the SDK ends a flow by one: after any other error of a
 * metadata request it continues with an authorization server that nobody named.
 */
export class AuthorityUnavailableError extends TypeError {
  override readonly name = 'AuthorityUnavailableError';
}

/**
 * A `fetch` with a time limit: a request with all its tries takes at most `timeoutMs`. It is sent up to
 * four times if no server could be reached or could answer; a request that may have run is not sent
 * again. The body has been read, within a bound.
 *
 * @throws AuthorityUnavailableError; LongwireError `limit-exceeded`; RefusedAddressError.
 */
export function timeLimitedFetch(
  base: FetchLike,
  { timeoutMs, observe }: { timeoutMs: number; observe?: WireObserver | undefined },
): FetchLike {
  const ask = observe === undefined ? askOnce : askObserved(observe);
  return async (url, init) => {
    const { method = 'GET' } = init ?? {};
    const what = `${method} ${displayUrl(new URL(url))}`;
    const signal = AbortSignal.timeout(Math.min(timeoutMs, MAX_TIMER_MS));
    const startedAt = performance.now();
    for (let tries = 1; ; tries++) {
      const answer = await withSignal(signal, ask(base, url, { ...init, signal })).catch(asError);
      // Over a limit: another try would be, too.
      if (answer instanceof LongwireError) throw answer;
      const cause = answer instanceof Error ? networkError(answer) : undefined;
      if (cause instanceof RefusedAddressError) throw cause;
      if (signal.aborted) {
        throw new AuthorityUnavailableError(`${what} was not answered within ${timeoutMs} ms`);
      }
      const pauseMs = pauseBefore(tries, method, answer);
      if (pauseMs !== undefined && performance.now() - startedAt + pauseMs < timeoutMs) {
        await sleep(pauseMs);
        continue;
      }
      if (!(answer instanceof Error)) return answer;
      const times = tries > 1 ? ` ${tries} times` : '';
      const why = cause ?? answer;
      const reason = networkReason(why, new URL(url));
      const advice = networkAdvice(why, new URL(url));
      throw new AuthorityUnavailableError(
        `${what} failed${times}: ${reason}${advice === undefined ? '' : `; ${advice}`}`,
        { cause: answer },
      );
    }
  };
}

/** `undefined`: no further try. */
function pauseBefore(tries: number, method: string, answer: Response | Error): number | undefined {
  const pauseMs = PAUSES_MS[tries - 1];
  if (answer instanceof Error) {
    const cause = networkError(answer);
    // Nothing was sent to the server; what a proxy refuses, it refuses again.
    if (cause instanceof ProxyError) return cause.status === undefined ? pauseMs : undefined;
    const { code } = cause as NodeJS.ErrnoException;
    return method === 'GET' || NOT_SENT.has(code ?? '') ? pauseMs : undefined;
  }
  if (answer.status !== 500 && !isUnavailable(answer.status)) return undefined;
  const askedMs = retryAfterMs(answer.headers.get('retry-after') ?? undefined) ?? 0;
  return pauseMs && Math.max(pauseMs, askedMs);
}

/** Rejects as soon as the time is up: a program's own `fetch` may ignore signals. */
async function withSignal<T>(signal: AbortSignal, promise: Promise<T>): Promise<T> {
  let end = (): void => {};
  const ended = new Promise<never>((_resolve, reject) => {
    end = () => reject(new Error('the time is up'));
    signal.addEventListener('abort', end);
  });
  try {
    return await Promise.race([promise, ended]);
  } finally {
    signal.removeEventListener('abort', end);
  }
}

/** The response with its body, read within bounds. */
async function askOnce(base: FetchLike, url: string | URL, init: RequestInit): Promise<Response> {
  const response = await base(url, init);
  const { status, statusText, headers } = response;
  // A response of these statuses may not be made with a body.
  if (status < 200 || status > 599 || response.body === null) return response;
  const text = await readText(response);
  if (headers.get('content-type')?.includes('json') === true) checkJson(text);
  return new Response(text, { status, statusText, headers: withoutEncoding(headers) });
}

/** As {@link askOnce}, told to an observer. */
function askObserved(observe: WireObserver): typeof askOnce {
  return async (base, url, init) => {
    const startedAt = performance.now();
    const { body, method = 'GET' } = init;
    const sent = body instanceof URLSearchParams || typeof body === 'string' ? String(body) : '';
    const known = {
      type: 'exchange',
      exchange: nextExchange(),
      method: method as HttpMethod,
      url: displayUrl(new URL(url)),
      message: undefined,
      bytesSent: Buffer.byteLength(sent),
    } as const;
    const tell = (
      phase: WireExchange['phase'],
      {
        response,
        error,
        bytes = 0,
      }: { response?: Response; error?: LongwireError; bytes?: number },
    ): void =>
      observe({
        ...known,
        phase,
        status: response?.status,
        contentType: response?.headers.get('content-type') ?? undefined,
        bytesReceived: bytes,
        elapsedMs: performance.now() - startedAt,
        error,
      });
    tell('sent', {});
    try {
      const response = await askOnce(base, url, init);
      const { byteLength } = await response.clone().arrayBuffer();
      tell('ended', { response, bytes: byteLength });
      return response;
    } catch (cause) {
      const reason = networkReason(networkError(asError(cause)), new URL(url));
      const options = { code: 'connect-failed', certainty: 'outcome-unknown', cause } as const;
      tell('ended', { error: new LongwireError(reason, options) });
      throw cause;
    }
  };
}

/** Checks the bounds alone; the SDK rejects what is no JSON. */
function checkJson(text: string): void {
  try {
    parseJson(text, DEFAULT_JSON_BOUNDS);
  } catch (error) {
    if (error instanceof LongwireError) throw error;
  }
}

/** `fetch` has decoded the body. */
function withoutEncoding(headers: Headers): Headers {
  const copy = new Headers(headers);
  copy.delete('content-encoding');
  copy.delete('content-length');
  return copy;
}

/** `fetch` says only that it failed; the reason is its cause. */
function networkError(error: Error): Error {
  return error.cause instanceof Error ? error.cause : error;
}

function asError(cause: unknown): Error {
  return cause instanceof Error ? cause : new Error(String(cause));
}
