import type { AsyncResource } from 'node:async_hooks';
import { HttpStatusError, LongwireError } from '../errors.js';
import type {
  ChallengeDecision,
  ChannelOptions,
  OutgoingRequest,
} from '../options/channel-options.js';
import type { DispatchHandler } from './dispatch-handler.js';
import { displayUrl } from './display-url.js';
import type { RequestHeaders } from './headers.js';
import { displayLocation } from './origin.js';
import { isRedirect, redirectTarget } from './redirect.js';
import type { HttpRequestOptions, HttpResponse, ResponseHandler } from './request-options.js';
import { isInternal } from './send-options.js';

const MAX_REDIRECTS = 5;
const MAX_CHALLENGES = 3;

/** What a request needs of its client. */
export interface HttpRequestHandlers {
  readonly headers: RequestHeaders;
  readonly onChallenge: ChannelOptions['auth']['onChallenge'];
  /** The async context for internal requests; `undefined` where no function of the program runs. */
  readonly scope: AsyncResource | undefined;
  /** Sends a request once, to this URL and with these headers. */
  dispatch(
    request: HttpRequestOptions,
    url: URL,
    headers: string[],
    handler: ResponseHandler,
  ): DispatchHandler;
}

/**
 * One request with its redirects and challenges: it is sent again where the response asks for that.
 * A request whose connection broke is never sent again here.
 */
export class HttpRequest implements ResponseHandler {
  readonly #client: HttpRequestHandlers;
  readonly #request: HttpRequestOptions;
  #dispatched: DispatchHandler | undefined;
  #settled = false;
  #isSent = false;
  #redirects = 0;
  #challenges = 0;
  #outgoing: OutgoingRequest | undefined;

  constructor(client: HttpRequestHandlers, request: HttpRequestOptions) {
    this.#client = client;
    this.#request = request;
  }

  /** Sends it for the first time. */
  start(): void {
    this.#send(this.#request.url);
  }

  /** Aborts the request, which settles it at once; harmless once it is settled. */
  abort(): void {
    // Settled first: the handler hears of the abort once.
    this.#fail(
      new LongwireError(`${this.#request.method} ${displayUrl(this.#request.url)} was aborted`, {
        code: 'closed',
        certainty: this.#isSent ? 'outcome-unknown' : 'not-sent',
      }),
    );
    this.#dispatched?.abort();
  }

  /** The current request, to this URL, as the program sees it. The same object every time. */
  requestTo(url: URL): OutgoingRequest {
    const { method, transport, headers, caller } = this.#request;
    const sessionId = headers['mcp-session-id'];
    this.#outgoing ??= {
      method,
      url: new URL(url),
      transport,
      attempt: this.#challenges + 1,
      internal: isInternal(caller),
      ...(sessionId !== undefined && { sessionId }),
    };
    return this.#outgoing;
  }

  onSent(): void {
    this.#isSent = true;
    this.#request.handler.onSent?.();
  }

  onHead(response: HttpResponse): void {
    if (this.#settled) return;
    this.#settled = true;
    this.#request.handler.onHead(response);
  }

  onError(error: LongwireError, body?: string): void {
    const dispatched = this.#dispatched;
    if (!(error instanceof HttpStatusError) || dispatched === undefined || this.#settled) {
      this.#fail(error, body);
    } else if (isRedirect(error.status)) {
      this.#redirect(dispatched, error);
    } else if (error.status === 401 || error.status === 403) {
      const { status } = error;
      this.#inScope(() => void this.#answerChallenge(dispatched, status, error));
    } else {
      this.#fail(error, body);
    }
  }

  #fail(error: LongwireError, body?: string): void {
    if (this.#settled) return;
    this.#settled = true;
    this.#request.handler.onError(error, body);
  }

  /** Where the program's functions run: the context of the call, or that of the client. */
  get #scope(): AsyncResource | undefined {
    const { caller } = this.#request;
    return isInternal(caller) ? this.#client.scope : caller?.scope;
  }

  /** A response is an event of a socket, which may run in the context of another call. */
  #inScope(run: () => void): void {
    const scope = this.#scope;
    if (scope === undefined) run();
    else scope.runInAsyncScope(run);
  }

  #send(url: URL): void {
    const scope = this.#scope;
    // Most requests run no function of the program.
    if (scope === undefined) this.#sendNow(url);
    else scope.runInAsyncScope(() => this.#sendNow(url));
  }

  #sendNow(url: URL): void {
    this.#outgoing = undefined;
    try {
      const headers = this.#client.headers.of(this.#request, this, url);
      if (Array.isArray(headers)) this.#dispatch(url, headers);
      else void this.#dispatchWith(url, headers);
    } catch (error) {
      this.#fail(error as LongwireError);
    }
  }

  async #dispatchWith(url: URL, headers: Promise<string[]>): Promise<void> {
    try {
      this.#dispatch(url, await headers);
    } catch (error) {
      this.#fail(error as LongwireError);
    }
  }

  #dispatch(url: URL, headers: string[]): void {
    if (!this.#settled) this.#dispatched = this.#client.dispatch(this.#request, url, headers, this);
  }

  #redirect(dispatched: DispatchHandler, error: HttpStatusError): void {
    const { method, url: from, responseHeaders } = dispatched;
    const to = redirectTarget({ method, from, location: responseHeaders['location'], error });
    if (to instanceof LongwireError) this.#fail(to);
    else if (++this.#redirects <= MAX_REDIRECTS) this.#send(to);
    else {
      const { status, excerpt, certainty } = error;
      const summary =
        `${method} ${displayUrl(from)} was redirected ${MAX_REDIRECTS} times, and once more, to ` +
        displayLocation(to);
      const hint = 'use that address if the server is there';
      this.#fail(new HttpStatusError(summary, { status, excerpt, certainty, hint, cause: error }));
    }
  }

  async #answerChallenge(
    { url, responseHeaders }: DispatchHandler,
    status: 401 | 403,
    error: LongwireError,
  ): Promise<void> {
    const { onChallenge } = this.#client;
    const outgoing = this.requestTo(url);
    if (++this.#challenges > MAX_CHALLENGES || onChallenge === undefined) {
      this.#fail(error);
      return;
    }
    try {
      const decision: ChallengeDecision = await onChallenge(status, responseHeaders, outgoing);
      if (decision === 'retry') this.#send(url);
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
