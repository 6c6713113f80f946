import { setTimeout as sleep } from 'node:timers/promises';
import type { FetchLike } from '@modelcontextprotocol/client';
import { networkReason, retryAfterMs } from '../channels/exchange.js';
import { DEFAULT_JSON_BOUNDS, parseJson } from '../channels/json.js';
import { place } from '../channels/place.js';
import { LongwireError } from '../errors.js';
import { RefusedAddressError } from './addresses.js';
import { readText } from './read-text.js';

/** Before the second try, the third and the fourth. */
const PAUSES_MS = [250, 500, 1000];
/** The longest time that a timer takes. */
const MAX_TIMER_MS = 2 ** 31 - 1;
/** No connection came about: whatever was to be sent was not. */
const NOT_SENT = new Set([
  'ECONNREFUSED',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
]);

/**
 * An authorization server, or who has its metadata, did not answer. That says nothing of tokens and
 * clients. It is a TypeError because the SDK ends a flow by one: after another error of a metadata
 * request it goes on with an authorization server that nobody named.
 */
export class AuthorityAwayError extends TypeError {
  override readonly name = 'AuthorityAwayError';
}

/** Whether a status says that nobody could answer now. A 500 is an answer. */
export function isAway(status: number): boolean {
  return status === 408 || status === 425 || status === 429 || (status > 501 && status < 600);
}

/**
 * A `fetch` that ends. A request with all its tries takes at most `timeoutMs`. It is tried up to four
 * times where nobody could be reached or could answer; what may have been taken is not sent again.
 * The body has been read, within a bound.
 *
 * @throws AuthorityAwayError; LongwireError `limit-exceeded`; RefusedAddressError.
 */
export function endingFetch(base: FetchLike, timeoutMs: number): FetchLike {
  return async (url, init) => {
    const { method = 'GET' } = init ?? {};
    const what = `${method} ${place(new URL(url))}`;
    const signal = AbortSignal.timeout(Math.min(timeoutMs, MAX_TIMER_MS));
    const startedAt = performance.now();
    for (let tries = 1; ; tries++) {
      const answer = await within(signal, askOnce(base, url, { ...init, signal })).catch(asError);
      // Too much, or refused, which it would be again.
      if (answer instanceof LongwireError) throw answer;
      const cause = answer instanceof Error ? networkError(answer) : undefined;
      if (cause instanceof RefusedAddressError) throw cause;
      if (signal.aborted) {
        throw new AuthorityAwayError(`${what} was not answered within ${timeoutMs} ms`);
      }
      const pauseMs = pauseBefore(tries, method, answer);
      if (pauseMs !== undefined && performance.now() - startedAt + pauseMs < timeoutMs) {
        await sleep(pauseMs);
        continue;
      }
      if (!(answer instanceof Error)) return answer;
      const times = tries > 1 ? ` ${tries} times` : '';
      throw new AuthorityAwayError(`${what} failed${times}: ${networkReason(cause ?? answer)}`, {
        cause: answer,
      });
    }
  };
}

/** `undefined`: it is not tried again. */
function pauseBefore(tries: number, method: string, answer: Response | Error): number | undefined {
  const pauseMs = PAUSES_MS[tries - 1];
  if (answer instanceof Error) {
    const { code } = networkError(answer) as NodeJS.ErrnoException;
    return method === 'GET' || NOT_SENT.has(code ?? '') ? pauseMs : undefined;
  }
  if (answer.status !== 500 && !isAway(answer.status)) return undefined;
  const askedMs = retryAfterMs(answer.headers.get('retry-after') ?? undefined) ?? 0;
  return pauseMs && Math.max(pauseMs, askedMs);
}

/** Rejected as soon as the time is up: whoever's `fetch` it is may not know of signals. */
async function within<T>(signal: AbortSignal, promise: Promise<T>): Promise<T> {
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

/** The answer with its body, read within bounds. */
async function askOnce(base: FetchLike, url: string | URL, init: RequestInit): Promise<Response> {
  const response = await base(url, init);
  const { status, statusText, headers } = response;
  // Without a body there is nothing to read, and none may be given to a new answer.
  if (status < 200 || status > 599 || response.body === null) return response;
  const text = await readText(response);
  if (headers.get('content-type')?.includes('json') === true) checkJson(text);
  return new Response(text, { status, statusText, headers: withoutEncoding(headers) });
}

/** What is no JSON is the SDK's to judge; what is too much is nobody's. */
function checkJson(text: string): void {
  try {
    parseJson(text, DEFAULT_JSON_BOUNDS);
  } catch (error) {
    if (error instanceof LongwireError) throw error;
  }
}

/** `fetch` has decoded it. */
function withoutEncoding(headers: Headers): Headers {
  const copy = new Headers(headers);
  copy.delete('content-encoding');
  copy.delete('content-length');
  return copy;
}

/** `fetch` says only that it failed; why is beneath. */
function networkError(error: Error): Error {
  return error.cause instanceof Error ? error.cause : error;
}

function asError(cause: unknown): Error {
  return cause instanceof Error ? cause : new Error(String(cause));
}
