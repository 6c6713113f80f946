import type { AsyncResource } from 'node:async_hooks';
import { HttpStatusError, LongwireError } from '../errors.js';
import type { BodySink, Exchange, ExchangeAnswer, HttpMethod, Settler } from './exchange.js';
import type { Attempt, ChallengeVerdict, Dialect, SendOptions } from './channel.js';
import type { HeaderRecord } from './headers.js';
import { shownPlace } from './origin.js';
import { place } from './place.js';
import { isRedirect, judgeRedirect } from './redirect.js';

const MAX_REDIRECTS = 5;
const MAX_CHALLENGES = 3;

/** One request, before headers of the program's are added. */
export interface HttpRequest {
  method: HttpMethod;
  url: URL;
  dialect: Dialect | undefined;
  /** Headers of the dialect; a program's own headers of the same name give way. A constant. */
  headers: HeaderRecord;
  body?: string;
  /** On whose behalf it is sent. Default: on that of no call, but of the connection. */
  caller?: SendOptions | undefined;
  /** Goes over the connection that is kept for asking whether the server is there. Default: no. */
  isProbe?: boolean;
  /** Its answer is a stream on which the server speaks unasked. Default: no. */
  isHearing?: boolean;
  /** Where the body of a 2xx answer goes. Default: nowhere. */
  sink?: BodySink | undefined;
}

/** Whether something is sent for no call of the program. */
export function isInternal(caller: SendOptions | undefined): boolean {
  return caller === undefined || caller.internal === true;
}

/** What an attempt is made with. */
export interface AttemptMaker {
  /** The async context in which the program's functions are run for a request; `undefined`: any. */
  scopeOf(request: HttpRequest): AsyncResource | undefined;
  /** The headers of an attempt: at once if they are fixed, else what the program says now. */
  headersFor(request: HttpRequest, attempts: AttemptTeller, url: URL): string[] | Promise<string[]>;
  /** Sends a request once, to this URL and with these headers. */
  exchange(request: HttpRequest, url: URL, headers: string[], settler: Settler): Exchange;
  /** What the program says to a challenge of this attempt. */
  challenge(status: 401 | 403, exchange: Exchange, attempt: Attempt): Promise<ChallengeVerdict>;
}

/** Tells the program of attempts. */
export interface AttemptTeller {
  /** The attempt under way, which goes to this URL: the same object however often it is asked for. */
  tell(url: URL): Attempt;
}

/**
 * One request from its first attempt to its last: what is done about an answer that asks for
 * another attempt. A request that broke off is never repeated here.
 */
export class Attempts implements Settler, AttemptTeller {
  readonly #maker: AttemptMaker;
  readonly #request: HttpRequest;
  readonly #settler: Settler;
  #exchange: Exchange | undefined;
  #settled = false;
  #isOnWire = false;
  #redirects = 0;
  #challenges = 0;
  #told: Attempt | undefined;

  constructor(maker: AttemptMaker, request: HttpRequest, settler: Settler) {
    this.#maker = maker;
    this.#request = request;
    this.#settler = settler;
  }

  /** Makes the first attempt. */
  start(): void {
    this.#attempt(this.#request.url);
  }

  /** Gives the request up, which settles it at once; harmless once it is over. */
  abort(): void {
    // Settled first: what the exchange says of its end is no news.
    this.#fail(
      new LongwireError(`${this.#request.method} ${place(this.#request.url)} was given up`, {
        code: 'closed',
        certainty: this.#isOnWire ? 'outcome-unknown' : 'not-sent',
      }),
    );
    this.#exchange?.abort();
  }

  tell(url: URL): Attempt {
    const { method, dialect, headers, caller } = this.#request;
    const sessionId = headers['mcp-session-id'];
    this.#told ??= {
      method,
      url: new URL(url),
      dialect,
      attempt: this.#challenges + 1,
      internal: isInternal(caller),
      ...(sessionId !== undefined && { sessionId }),
    };
    return this.#told;
  }

  started(): void {
    this.#isOnWire = true;
    this.#settler.started?.();
  }

  answered(answer: ExchangeAnswer): void {
    if (this.#settled) return;
    this.#settled = true;
    this.#settler.answered(answer);
  }

  failed(error: LongwireError, body?: string): void {
    const exchange = this.#exchange;
    if (!(error instanceof HttpStatusError) || exchange === undefined || this.#settled) {
      this.#fail(error, body);
    } else if (isRedirect(error.status)) {
      this.#redirect(exchange, error);
    } else if (error.status === 401 || error.status === 403) {
      const { status } = error;
      this.#inScope(() => void this.#answerChallenge(exchange, status, error));
    } else {
      this.#fail(error, body);
    }
  }

  #fail(error: LongwireError, body?: string): void {
    if (this.#settled) return;
    this.#settled = true;
    this.#settler.failed(error, body);
  }

  /** What comes of an answer comes of a socket's event, which may be of anybody's context. */
  #inScope(run: () => void): void {
    const scope = this.#maker.scopeOf(this.#request);
    if (scope === undefined) run();
    else scope.runInAsyncScope(run);
  }

  #attempt(url: URL): void {
    const scope = this.#maker.scopeOf(this.#request);
    // Nothing of the program's is run for most requests.
    if (scope === undefined) this.#attemptNow(url);
    else scope.runInAsyncScope(() => this.#attemptNow(url));
  }

  #attemptNow(url: URL): void {
    this.#told = undefined;
    try {
      const headers = this.#maker.headersFor(this.#request, this, url);
      if (Array.isArray(headers)) this.#send(url, headers);
      else void this.#sendWith(url, headers);
    } catch (error) {
      this.#fail(error as LongwireError);
    }
  }

  async #sendWith(url: URL, headers: Promise<string[]>): Promise<void> {
    try {
      this.#send(url, await headers);
    } catch (error) {
      this.#fail(error as LongwireError);
    }
  }

  #send(url: URL, headers: string[]): void {
    if (!this.#settled) this.#exchange = this.#maker.exchange(this.#request, url, headers, this);
  }

  #redirect(exchange: Exchange, error: HttpStatusError): void {
    const { method, url: from, responseHeaders } = exchange;
    const to = judgeRedirect({ method, from, location: responseHeaders['location'], error });
    if (to instanceof LongwireError) this.#fail(to);
    else if (++this.#redirects <= MAX_REDIRECTS) this.#attempt(to);
    else {
      const { status, excerpt, certainty } = error;
      const summary =
        `${method} ${place(from)} was redirected ${MAX_REDIRECTS} times, and once more, to ` +
        shownPlace(to);
      const hint = 'use that address if the server is there';
      this.#fail(new HttpStatusError(summary, { status, excerpt, certainty, hint, cause: error }));
    }
  }

  async #answerChallenge(
    exchange: Exchange,
    status: 401 | 403,
    error: LongwireError,
  ): Promise<void> {
    const attempt = this.tell(exchange.url);
    if (++this.#challenges > MAX_CHALLENGES) {
      this.#fail(error);
      return;
    }
    try {
      const verdict = await this.#maker.challenge(status, exchange, attempt);
      if (verdict === 'retry') this.#attempt(exchange.url);
      else this.#fail(error);
    } catch (cause) {
      if (cause instanceof LongwireError) {
        this.#fail(cause);
        return;
      }
      this.#fail(
        new LongwireError(`auth.onChallenge failed: ${String(cause)}`, {
          code: 'config',
          certainty: 'refused',
          cause,
        }),
      );
    }
  }
}
