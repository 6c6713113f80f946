import type { AsyncResource } from 'node:async_hooks';
import { Agent, type Dispatcher } from 'undici';
import { LongwireError } from '../errors.js';
import type { KnownSecrets } from '../secrets/known-secrets.js';
import { YoungMap } from '../young-map.js';
import {
  Attempts,
  isInternal,
  type AttemptMaker,
  type AttemptTeller,
  type HttpRequest,
} from './attempts.js';
import type { Attempt, ChallengeVerdict, ChannelOptions } from './channel.js';
import type { CookieJar } from './cookies.js';
import {
  Exchange,
  type CookieTaker,
  type ExchangeAnswer,
  type ExchangeHost,
  type Settler,
} from './exchange.js';
import { headerSource, type HeaderRecord, type HeaderSource } from './headers.js';
import { DEFAULT_JSON_BOUNDS, type JsonBounds } from './json.js';
import type { TrafficCounts } from './traffic-counts.js';

/** One holds the stream; what is more than this waits its turn instead of using up descriptors. */
const MAX_CONNECTIONS = 256;

/** How long the connection that is kept for asking may have nothing to do. */
const PROBER_KEPT_MS = 86_400_000;

/** What a channel's HTTP is made with, beside the program's options. */
export interface HttpSetup {
  /** For one socket. A dispatcher of the program's has its own. */
  connectMs: number;
  /** For how long nothing may come on a stream that is there for what the server says unasked. */
  hearingMs: number;
  /** The async context in which the program's functions are run for what belongs to no call. */
  scope: AsyncResource;
  /** What goes with all that belongs to no call, over the program's headers. */
  headersOfAll: () => HeaderRecord | undefined;
  /** Sent where the program's headers name none. */
  authorization: string | undefined;
  /** Where all that goes over it is counted. */
  counts: TrafficCounts;
  /** Told what is sent and must not be told. Default: nobody is. */
  secrets?: KnownSecrets | undefined;
  /** Where cookies are kept. Default: nowhere. */
  cookieJar?: CookieJar | undefined;
  /** What one message may hold. Default: the defaults of `limits`. */
  jsonBounds?: JsonBounds | undefined;
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
export class Http implements AttemptMaker, CookieTaker {
  /** Of messages that came, whoever reads them counts them. */
  readonly counts: TrafficCounts;
  /** What one message may hold that comes over it. */
  readonly jsonBounds: JsonBounds;
  readonly #headers: HeaderSource;
  readonly #onChallenge: NonNullable<ChannelOptions['auth']['onChallenge']> | undefined;
  readonly #dispatcher: Dispatcher;
  readonly #owned: Agent | undefined;
  /**
   * One connection, as old as the first question that was asked over it. What cuts connections
   * without a word cuts all that are open: if this one is dead, so are the others.
   */
  readonly #prober: Dispatcher;
  readonly #ownProber: Agent | undefined;
  /** `undefined` where no function of the program's is run. */
  readonly #scope: AsyncResource | undefined;
  readonly #hearingMs: number;
  readonly #headersOfAll: () => HeaderRecord | undefined;
  readonly #open = new YoungMap<Exchange, Exchange>();
  readonly #host: ExchangeHost;
  readonly #cookieJar: CookieJar | undefined;
  /** With what the latest request went out that belongs to no call. */
  #internalHeaders: readonly string[] | undefined;
  /** Fixed headers by the dialect's headers that they were merged with, as undici likes them best. */
  readonly #merged = new WeakMap<
    HeaderRecord,
    { ofAll: HeaderRecord | undefined; merged: string[] }
  >();
  readonly #secrets: KnownSecrets | undefined;
  #lastUrl: URL | undefined;
  #lastRoute = { origin: '', path: '' };
  #closed: Promise<void> | undefined;

  constructor(options: Partial<ChannelOptions>, setup: HttpSetup) {
    const { connectMs, hearingMs, headersOfAll, authorization, counts, scope } = setup;
    this.counts = counts;
    this.#secrets = setup.secrets;
    this.#cookieJar = setup.cookieJar;
    const cookies = setup.cookieJar === undefined ? undefined : this;
    this.#host = { open: this.#open, counts, cookies };
    this.jsonBounds = setup.jsonBounds ?? DEFAULT_JSON_BOUNDS;
    this.#headersOfAll = headersOfAll;
    this.#hearingMs = hearingMs;
    this.#headers = headerSource(options.headers ?? {}, authorization);
    this.#onChallenge = options.auth?.onChallenge;
    this.#scope = runsProgramsCode(options) ? scope : undefined;
    const given = options.dispatcher as Dispatcher | undefined;
    this.#owned = given === undefined ? ownAgent(connectMs, MAX_CONNECTIONS) : undefined;
    this.#ownProber = given === undefined ? ownAgent(connectMs, 1, PROBER_KEPT_MS) : undefined;
    this.#dispatcher = given ?? (this.#owned as Agent);
    this.#prober = given ?? (this.#ownProber as Agent);
  }

  /**
   * Sends one request. Same-origin 307 and 308 are followed; a challenge is put to `onChallenge`.
   * Callbacks and not a promise, because this is the path of every call.
   */
  send(request: HttpRequest, settler: Settler): Attempts {
    const attempts = new Attempts(this, request, settler);
    attempts.start();
    return attempts;
  }

  /** As `send`, with a promise. */
  request(request: HttpRequest): Sent {
    let sent!: Attempts;
    const answer = new Promise<ExchangeAnswer>((resolve, reject) => {
      sent = this.send(request, { answered: resolve, failed: reject });
    });
    return { answer, abort: () => sent.abort() };
  }

  /** Sends a request once, to this URL and with these headers. */
  exchange(request: HttpRequest, url: URL, headers: string[], settler: Settler): Exchange {
    if (this.#closed !== undefined) {
      throw new LongwireError('the connection was closed before the request went out', {
        code: 'closed',
        certainty: 'not-sent',
      });
    }
    const route = this.#routeTo(url);
    if (isInternal(request.caller)) this.#internalHeaders = headers;
    const cookie = this.#cookieJar?.headerFor(url);
    // A program that sends cookies of its own is left alone with them.
    const isOurs = cookie !== undefined && !hasHeader(headers, 'cookie');
    const sentHeaders = isOurs ? [...headers, 'cookie', cookie] : headers;
    const exchange = new Exchange(request, url, settler, this.#host, headers);
    // A stream may be silent for as long as it likes, and a server may hold the answer to a POST
    // until the tool is done: whoever sent it judges that. But what nobody waits for, nobody misses.
    const silenceMs = request.isHearing === true ? this.#hearingMs : 0;
    try {
      (request.isProbe === true ? this.#prober : this.#dispatcher).dispatch(
        {
          origin: route.origin,
          path: route.path,
          method: request.method,
          headers: sentHeaders,
          body: request.body ?? null,
          headersTimeout: silenceMs,
          bodyTimeout: silenceMs,
        },
        exchange,
      );
    } catch (cause) {
      exchange.refused(cause);
    }
    return exchange;
  }

  /** A URL's getters parse it anew each time, and nearly all requests go to one endpoint. */
  #routeTo(url: URL): { origin: string; path: string } {
    if (this.#lastUrl !== url) {
      this.#lastUrl = url;
      this.#secrets?.addEndpoint(url);
      this.#lastRoute = { origin: url.origin, path: url.pathname + url.search };
    }
    return this.#lastRoute;
  }

  scopeOf({ caller }: HttpRequest): AsyncResource | undefined {
    return isInternal(caller) ? this.#scope : caller?.scope;
  }

  /** The headers of an attempt: at once if they are fixed, else what the program says now. */
  headersFor(
    request: HttpRequest,
    attempts: AttemptTeller,
    url: URL,
  ): string[] | Promise<string[]> {
    const headers = this.#headers;
    // A call has what the middlewares gave it, and nothing that they gave to somebody else.
    const ofAll = isInternal(request.caller) ? this.#headersOfAll() : undefined;
    if (typeof headers === 'function') {
      return headers(attempts.tell(url)).then((own) =>
        this.#flatten({ ...own, ...ofAll, ...request.headers }),
      );
    }
    const kept = this.#merged.get(request.headers);
    if (kept !== undefined && kept.ofAll === ofAll) return kept.merged;
    const merged = this.#flatten({ ...headers, ...ofAll, ...request.headers });
    this.#merged.set(request.headers, { ofAll, merged });
    return merged;
  }

  #flatten(headers: HeaderRecord): string[] {
    this.#secrets?.learnHeaders(headers);
    return Object.entries(headers).flat();
  }

  /**
   * Keeps the cookies of an answer, if they are this client's: if it was asked for no call, or with
   * just the headers with which it asks for none. What a server gives to somebody in particular,
   * whose credentials came with a call, must not go out with the calls of others.
   */
  takeCookies({ request, url, sentHeaders }: Exchange, setCookie: string | string[]): void {
    const jar = this.#cookieJar;
    if (jar === undefined) return;
    if (!isInternal(request.caller)) {
      const internal = this.#internalHeaders ?? [];
      if (sentHeaders !== internal && ownOf(sentHeaders) !== ownOf(internal)) return;
    }
    jar.take(url, setCookie);
    this.#secrets?.setCookies(jar.values());
  }

  /** What the program says to a challenge of this attempt. */
  async challenge(
    status: 401 | 403,
    exchange: Exchange,
    attempt: Attempt,
  ): Promise<ChallengeVerdict> {
    if (this.#onChallenge === undefined) return 'fail';
    return this.#onChallenge(status, exchange.responseHeaders, attempt);
  }

  /** Ends everything; fulfilled when no socket of its own is left. */
  close(): Promise<void> {
    if (this.#closed === undefined) {
      this.#closed = this.#destroy();
      for (const exchange of this.#open.values()) exchange.abort();
    }
    return this.#closed;
  }

  async #destroy(): Promise<void> {
    await Promise.all([this.#owned?.destroy(), this.#ownProber?.destroy()]);
  }
}

/** Headers that are the transport's, and say nothing of who asks. */
const OF_TRANSPORT = /^(?:accept|content-type|cache-control|last-event-id|mcp-.*)$/;

/** The headers of a request that are not the transport's. */
function ownOf(headers: readonly string[]): string {
  const own: string[] = [];
  for (let at = 0; at < headers.length; at += 2) {
    const name = headers[at] ?? '';
    if (!OF_TRANSPORT.test(name)) own.push(`${name}: ${headers[at + 1]}`);
  }
  return own.sort().join('\n');
}

function hasHeader(headers: readonly string[], name: string): boolean {
  for (let at = 0; at < headers.length; at += 2) if (headers[at] === name) return true;
  return false;
}

/** Whether something is called for a request that the program has handed in. */
export function runsProgramsCode(options: Partial<ChannelOptions>): boolean {
  const { headers, auth, dispatcher } = options;
  return (
    typeof headers === 'function' || auth?.onChallenge !== undefined || dispatcher !== undefined
  );
}

function ownAgent(connectMs: number, connections: number, keptMs?: number): Agent {
  const kept = keptMs && { keepAliveTimeout: keptMs, keepAliveMaxTimeout: keptMs };
  return new Agent({ connections, connect: { timeout: connectMs }, ...kept });
}
