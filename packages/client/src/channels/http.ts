import { Agent, type Dispatcher } from 'undici';
import { HttpStatusError, LongwireError } from '../errors.js';
import type { Attempt, ChallengeVerdict, ChannelOptions, Dialect } from './channel.js';
import { headerSource, type HeaderRecord, type HeaderSource } from './headers.js';
import { Exchange, type ExchangeAnswer, type BodySink } from './exchange.js';

const MAX_REDIRECTS = 5;
const MAX_CHALLENGES = 3;

/** One request, before headers of the program's are added. */
export interface HttpRequest {
  method: 'GET' | 'POST';
  url: URL;
  dialect: Dialect | undefined;
  /** Headers of the dialect; a program's own headers of the same name give way. */
  headers: HeaderRecord;
  body?: string;
  /** Where the body of a 2xx answer goes. Default: nowhere. */
  sink?: BodySink;
}

/** A request under way. */
export interface Sent {
  /** The 2xx answer's head; rejected with a LongwireError for everything else. */
  readonly answer: Promise<ExchangeAnswer>;
  /** Gives the request up, and the connection it runs on. */
  abort(): void;
}

/**
 * The HTTP of one channel: its sockets, its headers, its answers to challenges. Closing it ends
 * every request that it sent.
 */
export class Http {
  readonly #headers: HeaderSource;
  readonly #onChallenge: NonNullable<ChannelOptions['auth']['onChallenge']> | undefined;
  readonly #dispatcher: Dispatcher;
  readonly #owned: Agent | undefined;
  readonly #open = new Set<Exchange>();
  #closed: Promise<void> | undefined;

  /** `authorization` is sent where the program's headers name none. */
  constructor(options: Partial<ChannelOptions>, authorization?: string) {
    this.#headers = headerSource(options.headers ?? {}, authorization);
    this.#onChallenge = options.auth?.onChallenge;
    this.#owned = options.dispatcher === undefined ? new Agent() : undefined;
    this.#dispatcher = options.dispatcher ?? (this.#owned as Agent);
  }

  /** Sends one request. Same-origin 307 and 308 are followed; a challenge is put to `onChallenge`. */
  send(request: HttpRequest): Sent {
    if (typeof this.#headers !== 'function') {
      const first = this.#exchange(request, request.url, this.#headers);
      let current = first;
      const answer = first.answer.catch((error: unknown) =>
        this.#persist(request, first, error, (next) => (current = next)),
      );
      return { answer, abort: () => current.abort() };
    }
    let current: Exchange | undefined;
    let aborted = false;
    const answer = (async () => {
      const headers = await this.#askHeaders(request, request.url, 1);
      if (aborted) throw closedError();
      const first = (current = this.#exchange(request, request.url, headers));
      return first.answer.catch((error: unknown) =>
        this.#persist(request, first, error, (next) => (current = next)),
      );
    })();
    return {
      answer,
      abort: () => {
        aborted = true;
        current?.abort();
      },
    };
  }

  /** Ends everything; fulfilled when no socket of its own is left. */
  close(): Promise<void> {
    if (this.#closed === undefined) {
      this.#closed = this.#owned?.destroy() ?? Promise.resolve();
      for (const exchange of this.#open) exchange.abort();
    }
    return this.#closed;
  }

  #exchange(request: HttpRequest, url: URL, headers: HeaderRecord): Exchange {
    if (this.#closed !== undefined) throw closedError();
    const exchange = new Exchange(request, url, () => this.#open.delete(exchange));
    this.#open.add(exchange);
    this.#dispatcher.dispatch(
      {
        origin: url.origin,
        path: url.pathname + url.search,
        method: request.method,
        headers: { ...headers, ...request.headers },
        body: request.body ?? null,
        // A stream may be silent for as long as it likes, and a server may hold the answer to a
        // POST until the tool is done: the watchdog and the deadline of the call judge that.
        headersTimeout: 3_600_000,
        bodyTimeout: 0,
      },
      exchange,
    );
    return exchange;
  }

  async #askHeaders(request: HttpRequest, url: URL, attempt: number): Promise<HeaderRecord> {
    if (typeof this.#headers !== 'function') return this.#headers;
    const asked: Attempt = { method: request.method, url, dialect: request.dialect, attempt };
    return this.#headers(asked);
  }

  /** What may follow a first answer that was not 2xx. */
  async #persist(
    request: HttpRequest,
    first: Exchange,
    firstError: unknown,
    replaced: (exchange: Exchange) => void,
  ): Promise<ExchangeAnswer> {
    let exchange = first;
    let error = firstError;
    let redirects = 0;
    let challenges = 0;
    for (;;) {
      if (!(error instanceof HttpStatusError)) throw error;
      let url = exchange.url;
      if (error.status === 307 || error.status === 308) {
        url = redirectTarget(exchange, error, ++redirects);
      } else if (error.status === 401 || error.status === 403) {
        if (++challenges > MAX_CHALLENGES) throw error;
        if ((await this.#challenge(error.status, exchange)) === 'fail') throw error;
      } else {
        throw error;
      }
      const headers = await this.#askHeaders(request, url, challenges + 1);
      exchange = this.#exchange(request, url, headers);
      replaced(exchange);
      try {
        return await exchange.answer;
      } catch (next) {
        error = next;
      }
    }
  }

  async #challenge(status: 401 | 403, exchange: Exchange): Promise<ChallengeVerdict> {
    if (this.#onChallenge === undefined) return 'fail';
    return this.#onChallenge(status, exchange.responseHeaders);
  }
}

function redirectTarget(exchange: Exchange, error: HttpStatusError, redirects: number): URL {
  const location = exchange.responseHeaders['location'];
  const from = exchange.url;
  if (typeof location !== 'string' || !URL.canParse(location, from.href)) throw error;
  const url = new URL(location, from);
  if (url.origin !== from.origin) {
    throw new LongwireError(
      `${exchange.method} ${from.origin}${from.pathname} redirects to another origin ` +
        `(${url.origin}), which is never followed; connect to that address if you trust it`,
      { code: 'protocol', certainty: 'refused', cause: error },
    );
  }
  if (redirects > MAX_REDIRECTS) throw error;
  return url;
}

function closedError(): LongwireError {
  return new LongwireError('the connection was closed before the request went out', {
    code: 'closed',
    certainty: 'not-sent',
  });
}
