import type { TransportName } from '../transport-name.js';
import type { ProxyOption, TlsOptions } from './network-options.js';

/** The methods of the requests that are sent. */
export type HttpMethod = 'GET' | 'POST' | 'DELETE';

/** One HTTP request that is about to be sent, as the headers function is given it. */
export interface OutgoingRequest {
  method: HttpMethod;
  /** A copy. */
  url: URL;
  /** The transport, once it is known. */
  transport: TransportName | undefined;
  /** 1 for the first, one more for each time that a challenge was answered with `retry`. */
  attempt: number;
  /** The session that a header of it names, if one does. A secret: it opens the session. */
  sessionId?: string;
  /**
   * Whether it belongs to no call: a handshake, a ping, the stream of server messages, a
   * notification, the end of a session, what a new session is asked again. The function then runs in
   * the async context (`AsyncLocalStorage`) in which the client was made. Otherwise it runs in that
   * of the call, however long the call has waited, and whoever connected or retried meanwhile. The
   * cancellation of a call belongs to the call, and so does the stream that brings its answer.
   */
  internal: boolean;
}

/** Headers as they are given: a record, or a function that is called for every HTTP request. */
export type HeadersOption =
  | Readonly<Record<string, string>>
  | ((
      request: OutgoingRequest,
    ) => Readonly<Record<string, string>> | Promise<Readonly<Record<string, string>>>);

/** What to do after a 401 or 403: ask for the headers again and repeat the request, or fail. */
export type ChallengeDecision = 'retry' | 'fail';

/** What may be used up. */
export interface Limits {
  /**
   * What one event of a stream may hold, in UTF-16 code units. Decoded, there are never more of them
   * than bytes. Over it the session ends with code `limit-exceeded`. Guards the memory against a
   * server that sends an event without an end: a result of 50 MiB fits. Default 67 108 864 (64 MiB).
   */
  maxEventBytes?: number;
  /**
   * How many requests may wait for an answer at a time. One more fails with `queue-full`. Default
   * 10 000.
   */
  maxInFlight?: number;
  /**
   * How deep arrays and objects may be nested in one message of the server. A call whose answer is
   * deeper fails with `limit-exceeded`. At most 1 000, because what reads them calls itself for
   * every level. Default 200.
   */
  maxJsonDepth?: number;
  /**
   * How many values one message of the server may hold, nested ones included. A call whose answer
   * holds more fails with `limit-exceeded`: a few megabytes of text can make gigabytes of values.
   * Default 1 000 000.
   */
  maxJsonValues?: number;
  /**
   * What a list may hold, all its pages together, in UTF-16 code units of JSON. It is a list of
   * tools, prompts, resources or templates. Listing more fails with `limit-exceeded`. Default
   * 67 108 864 (64 MiB).
   */
  maxListBytes?: number;
  /** How many entries a list may have, all its pages together. Default 100 000. */
  maxListItems?: number;
  /** How many pages a list may have. Default 1 000. */
  maxListPages?: number;
}

/**
 * A `Dispatcher` of undici 7, by its shape alone: a program that has no undici need not have its
 * types either.
 */
export interface DispatcherLike {
  dispatch(options: never, handler: never): boolean;
}

/** Options of everything that a channel sends. */
export interface ChannelOptions {
  /**
   * Sent with every HTTP request. `Accept` and `Content-Type` are completed; `Host`,
   * `Content-Length` and hop-by-hop headers are a `TypeError`. Default: none.
   */
  headers: HeadersOption;
  /** Who answers for authentication, such as what `oauth` of `@longwire/client/oauth` makes. */
  auth: {
    /**
     * Headers that carry the credentials, asked anew for every HTTP request. They come over `headers`
     * of the same name. Default: none.
     */
    headers?: Exclude<HeadersOption, Readonly<Record<string, string>>>;
    /**
     * Asked after a 401 or 403, at most three times a request. `request` is what was challenged: the
     * very object that the functions for headers were given, so that a program can tell which token
     * was refused. Default: `fail`.
     */
    onChallenge?: (
      status: 401 | 403,
      headers: Readonly<Record<string, string | string[] | undefined>>,
      request: OutgoingRequest,
    ) => ChallengeDecision | Promise<ChallengeDecision>;
  };
  /** What may be used up. */
  limits: Limits;
  /**
   * Whether cookies are kept, in memory, and sent back. Load balancers need it that tell by a cookie
   * to which of several servers a session belongs. They are kept for this client alone, and go back
   * to the very origin that set them. Kept are those that come with answers to what belongs to no
   * call, and to calls with the same headers; not those of a call that has headers of its own. Where
   * `headers` (or a middleware) sets `Cookie`, that is sent and nothing else. Default `true`.
   */
  cookies: boolean;
  /**
   * The proxy through which servers are reached: its address, or `'environment'` for `HTTP_PROXY`,
   * `HTTPS_PROXY` and `NO_PROXY` as they are when the client is made. Those do not concern servers on this
   * machine. Not together with `dispatcher`. Default: no proxy, whatever the environment says.
   */
  proxy: ProxyOption;
  /**
   * Certificates for servers at `https://`: whom to trust, and who the client is. Not together with
   * `dispatcher`. Default: those that Node trusts, and no certificate of the client.
   */
  tls: TlsOptions;
  /**
   * A dispatcher of undici 7, for what `proxy` and `tls` cannot say. It is never closed here. It must allow
   * two connections at least, because one holds the stream. Default: one for each session, with at most
   * 256 connections.
   */
  dispatcher: DispatcherLike;
}
