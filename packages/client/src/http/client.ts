import type { AsyncResource } from 'node:async_hooks';
import { LongwireError } from '../errors.js';
import type { ChannelOptions } from '../options/channel-options.js';
import type { KnownSecrets } from '../secrets/known-secrets.js';
import { DEFAULT_JSON_BOUNDS, type JsonBounds } from '../untrusted/json.js';
import { YoungMap } from '../young-map.js';
import type { CookieJar } from './cookies.js';
import { credentialSource, type Credentials } from './credentials.js';
import { createDispatchers, type Dispatchers, type SharedDispatchers } from './dispatchers.js';
import { DispatchHandler, type DispatchHandlerOptions } from './dispatch-handler.js';
import {
  hasHeader,
  headerSource,
  identityIn,
  RequestHeaders,
  type HeaderRecord,
} from './headers.js';
import { PLAIN_NETWORK, type Network } from './network.js';
import { HttpRequest, type HttpRequestHandlers } from './request.js';
import type { HttpRequestOptions, HttpResponse, ResponseHandler } from './request-options.js';
import { isInternal } from './send-options.js';
import type { TrafficCounts } from './traffic-counts.js';

/** What a channel's HTTP is made with, beside the program's options. */
export interface HttpClientOptions {
  /** For one socket. A dispatcher of the program's has its own. */
  connectMs: number;
  /** How servers are reached. Default: without a proxy, and trusted as Node does. */
  network?: Network | undefined;
  /** How long a stream on which the server speaks unasked may be silent. */
  serverStreamSilenceMs: number;
  /** The async context in which the program's functions run for internal requests. */
  scope: AsyncResource;
  /** Headers of every internal request, over the program's. */
  internalHeaders: () => HeaderRecord | undefined;
  /** Sent unless the program's headers name one. */
  authorization: string | undefined;
  /** Counts everything that is sent and received. */
  counts: TrafficCounts;
  /** Learns what is sent and must not be shown. Default: nobody does. */
  secrets?: KnownSecrets | undefined;
  /** Where cookies are kept. Default: nowhere. */
  cookieJar?: CookieJar | undefined;
  /** What one message may hold. Default: the defaults of `limits`. */
  jsonBounds?: JsonBounds | undefined;
  /** Of the principal that it sends for. Default: it sends for nobody but the client. */
  credentials?: Credentials | undefined;
  /** The sockets of all principals of a client. Default: it has its own. */
  sharedDispatchers?: SharedDispatchers | undefined;
}

/** A request under way. */
export interface PendingRequest {
  /** The head of the 2xx response; rejected with a LongwireError for everything else. */
  readonly answer: Promise<HttpResponse>;
  /** Aborts the request, and the connection it runs on. */
  abort(): void;
}

/**
 * The HTTP of one channel, once undici is loaded: its sockets, its headers, its cookies. Closing it
 * aborts every request that it sent.
 */
export class HttpClient implements HttpRequestHandlers {
  /** Bytes are counted here; messages by the channel that reads them. */
  readonly counts: TrafficCounts;
  /** What one message may hold that comes over it. */
  readonly jsonBounds: JsonBounds;
  readonly headers: RequestHeaders;
  readonly onChallenge: ChannelOptions['auth']['onChallenge'];
  readonly scope: AsyncResource | undefined;
  readonly #dispatchers: Dispatchers;
  readonly #serverStreamSilenceMs: number;
  readonly #open = new YoungMap<DispatchHandler, DispatchHandler>();
  readonly #handlerOptions: DispatchHandlerOptions;
  readonly #cookieJar: CookieJar | undefined;
  /** The headers of the latest internal request. */
  #internalHeaders: readonly string[] | undefined;
  readonly #secrets: KnownSecrets | undefined;
  #lastUrl: URL | undefined;
  #lastRoute = { origin: '', path: '' };
  #closed: Promise<void> | undefined;

  constructor(options: Partial<ChannelOptions>, own: HttpClientOptions) {
    const { connectMs, counts, cookieJar, secrets, network = PLAIN_NETWORK } = own;
    this.counts = counts;
    this.#secrets = secrets;
    for (const authorization of network.proxies?.authorizations ?? []) {
      secrets?.addHeader('proxy-authorization', authorization);
    }
    this.#cookieJar = cookieJar;
    this.#handlerOptions = {
      open: this.#open,
      counts,
      proxyFor: (url) => network.proxies?.proxyFor(url),
      onCookies: cookieJar && ((dispatched, setCookie) => this.#takeCookies(dispatched, setCookie)),
    };
    this.jsonBounds = own.jsonBounds ?? DEFAULT_JSON_BOUNDS;
    const { headers, auth } = options;
    const service = headerSource({
      headers,
      auth: auth?.headers,
      authorization: own.authorization,
    });
    const { credentials } = own;
    this.headers = new RequestHeaders({
      source:
        credentials === undefined
          ? service
          : credentialSource({ credentials, service, plain: headerSource({ headers }) }),
      internalHeaders: own.internalHeaders,
      onMerged: (headers) => secrets?.learnHeaders(headers),
    });
    this.#serverStreamSilenceMs = own.serverStreamSilenceMs;
    this.onChallenge = options.auth?.onChallenge;
    const runsCode = credentials !== undefined || runsProgramsCode(options);
    this.scope = runsCode ? own.scope : undefined;
    this.#dispatchers = createDispatchers({
      given: options.dispatcher,
      network,
      connectMs,
      shared: own.sharedDispatchers,
    });
  }

  /**
   * Sends one request. Follows 307 and 308 of the same origin; `onChallenge` decides on a challenge.
   * Callbacks and not a promise, because this is the path of every call.
   */
  send(request: HttpRequestOptions): HttpRequest {
    const sent = new HttpRequest(this, request);
    sent.start();
    return sent;
  }

  /** As `send`, with a promise. `body` reads the body of a 2xx response. Default: nobody does. */
  request(
    request: Omit<HttpRequestOptions, 'handler'>,
    body?: Omit<ResponseHandler, 'onError'>,
  ): PendingRequest {
    let sent!: HttpRequest;
    const answer = new Promise<HttpResponse>((resolve, reject) => {
      const onHead = (response: HttpResponse): void => {
        body?.onHead(response);
        resolve(response);
      };
      sent = this.send({ ...request, handler: { ...body, onHead, onError: reject } });
    });
    return { answer, abort: () => sent.abort() };
  }

  /** The server has begun a session: whoever knows its id can use it. */
  learnSession(id: string): void {
    this.#secrets?.addSession(id);
  }

  dispatch(
    request: HttpRequestOptions,
    url: URL,
    headers: string[],
    handler: ResponseHandler,
  ): DispatchHandler {
    if (this.#closed !== undefined) {
      throw new LongwireError('the connection was closed before the request was sent', {
        code: 'closed',
        certainty: 'not-sent',
      });
    }
    const route = this.#routeTo(url);
    if (isInternal(request.caller)) this.#internalHeaders = headers;
    const cookie = this.#cookieJar?.headerFor(url);
    // A cookie of the program's is sent as it is.
    const isOurs = cookie !== undefined && !hasHeader(headers, 'cookie');
    const sentHeaders = isOurs ? [...headers, 'cookie', cookie] : headers;
    const dispatched = new DispatchHandler(request, url, handler, this.#handlerOptions, headers);
    // A stream may be silent for as long as it likes, and a server may hold the response to a POST
    // until the tool is done: the sender has its own timeout. Nobody waits for a server stream.
    const silenceMs = request.isServerStream === true ? this.#serverStreamSilenceMs : 0;
    const { requests, probes } = this.#dispatchers;
    try {
      (request.isProbe === true ? probes : requests).dispatch(
        {
          origin: route.origin,
          path: route.path,
          method: request.method,
          headers: sentHeaders,
          body: request.body ?? null,
          headersTimeout: silenceMs,
          bodyTimeout: silenceMs,
        },
        dispatched,
      );
    } catch (cause) {
      dispatched.rejected(cause);
    }
    return dispatched;
  }

  /** A URL's getters parse it each time, and nearly all requests go to one endpoint. */
  #routeTo(url: URL): { origin: string; path: string } {
    if (this.#lastUrl !== url) {
      this.#lastUrl = url;
      this.#secrets?.addEndpoint(url);
      this.#lastRoute = { origin: url.origin, path: url.pathname + url.search };
    }
    return this.#lastRoute;
  }

  /**
   * Keeps the cookies of a response to an internal request, or to one that tells the server of the
   * same identity. A cookie that the server sets for a call with credentials of its own must not go
   * out with other calls.
   */
  #takeCookies({ request, url, sentHeaders }: DispatchHandler, setCookie: string | string[]): void {
    const jar = this.#cookieJar;
    if (jar === undefined) return;
    if (!isInternal(request.caller)) {
      const internal = this.#internalHeaders ?? [];
      if (sentHeaders !== internal && identityIn(sentHeaders) !== identityIn(internal)) return;
    }
    jar.take(url, setCookie);
    this.#secrets?.setCookies(jar.values());
  }

  /** Aborts everything; fulfilled when no socket of its own is left. */
  close(): Promise<void> {
    if (this.#closed === undefined) {
      this.#closed = this.#dispatchers.close();
      for (const dispatched of this.#open.values()) dispatched.abort();
    }
    return this.#closed;
  }
}

/** Whether a function or a dispatcher of the program runs for a request. */
export function runsProgramsCode(options: Partial<ChannelOptions>): boolean {
  const { headers, auth, dispatcher } = options;
  return (
    typeof headers === 'function' ||
    auth?.headers !== undefined ||
    auth?.onChallenge !== undefined ||
    dispatcher !== undefined
  );
}
