import type { AsyncResource } from 'node:async_hooks';
import type { JSONRPCMessage, RequestId } from '@modelcontextprotocol/client';
import { ConnectionLostError, type LongwireError } from '../errors.js';
import type { HttpMethod } from './exchange.js';

/**
 * How a server talks: `sse` is HTTP+SSE of protocol 2024-11-05, `streamable-http` what came after
 * it, `stdio` a process of our own, `in-memory` a server in this process, and `tool-events` the
 * habit of SSE servers that never adopted JSON-RPC.
 */
export type Dialect = 'sse' | 'streamable-http' | 'stdio' | 'in-memory' | 'tool-events';

/**
 * The two ages of MCP: `legacy` begins a session with `initialize`; `modern`, from protocol
 * 2026-07-28 on, has no sessions, and says with each request who asks.
 */
export type Era = 'legacy' | 'modern';

/** One HTTP request that is about to go out, as the headers function sees it. */
export interface Attempt {
  method: HttpMethod;
  /** A copy. */
  url: URL;
  /** The dialect, once it is known. */
  dialect: Dialect | undefined;
  /** 1 for the first, one more for each time that a challenge was answered with `retry`. */
  attempt: number;
  /** The session that a header of it names, if one does. Not to be shown: it opens the session. */
  sessionId?: string;
  /**
   * It belongs to no call: a handshake, a ping, a stream on which the server speaks unasked, a
   * notification, the end of a session, what a new session is told again. The function is then run
   * in the async context (`AsyncLocalStorage`) in which the client was made; otherwise in that of
   * the call, however long it has waited, and whoever connected or retried meanwhile. The
   * cancellation of a call belongs to it, and so does the stream that brings its answer.
   */
  internal: boolean;
}

/** Headers as they are given: a record, or a function asked anew for every HTTP request. */
export type HeadersOption =
  | Readonly<Record<string, string>>
  | ((
      attempt: Attempt,
    ) => Readonly<Record<string, string>> | Promise<Readonly<Record<string, string>>>);

/** What to do after a 401 or 403: ask for the headers again and repeat the request, or give up. */
export type ChallengeVerdict = 'retry' | 'fail';

/** What may be used up. */
export interface Limits {
  /**
   * What one event of a stream may hold, in UTF-16 code units once decoded, of which there are
   * never more than bytes. Over it the session ends with code `limit-exceeded`. Guards the memory
   * against a server whose line never ends. Default 67 108 864 (64 MiB): a result of 50 MiB fits.
   */
  maxEventBytes?: number;
  /** Requests waiting for an answer at a time; one more fails with `queue-full`. Default 10 000. */
  maxInFlight?: number;
  /**
   * How deep arrays and objects may be nested in one message of the server; at most 1 000, because
   * what reads them calls itself for every level. A call whose answer is deeper fails with
   * `limit-exceeded`. Default 200.
   */
  maxJsonDepth?: number;
  /**
   * How many values one message of the server may hold, those inside arrays and objects included.
   * A call whose answer holds more fails with `limit-exceeded`: a few megabytes of text can make
   * gigabytes of values. Default 1 000 000.
   */
  maxJsonValues?: number;
  /**
   * What a list (of tools, prompts, resources, templates) may hold, all its pages together, in
   * UTF-16 code units of JSON. Listing more fails with `limit-exceeded`. Default 67 108 864 (64 MiB).
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
   * Sent on the GET and on every POST. `Accept` and `Content-Type` are completed; `Host`,
   * `Content-Length` and hop-by-hop headers are a `TypeError`. Default: none.
   */
  headers: HeadersOption;
  /** Who answers for authentication. */
  auth: {
    /**
     * Asked after a 401 or 403, at most three times a request. `attempt` is what was challenged: the
     * very object that the headers function was asked with, so that a program can tell which token
     * was refused. Default: `fail`.
     */
    onChallenge?: (
      status: 401 | 403,
      headers: Readonly<Record<string, string | string[] | undefined>>,
      attempt: Attempt,
    ) => ChallengeVerdict | Promise<ChallengeVerdict>;
  };
  /** What may be used up. */
  limits: Limits;
  /**
   * Whether cookies are kept and sent back, as load balancers need it that tell by them to which of
   * several servers a session belongs. In memory, for this client alone, and to the very origin that
   * set them. Kept is what comes with answers to what belongs to no call, and to calls that go out
   * with the same headers; not what a call is given that has headers of its own. Where `headers` (or
   * a middleware) sets `Cookie`, that is sent and nothing else. Default `true`.
   */
  cookies: boolean;
  /**
   * A dispatcher of undici 7, for private authorities, client certificates and proxies; never
   * closed here. It must allow two connections at least, because one holds the stream. Default: one
   * for each session, with at most 256 connections.
   */
  dispatcher: DispatcherLike;
}

/** How a message is sent, and for whom. */
export interface SendOptions {
  /** They go with it where there are any, over the program's own; those of the dialect stay. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** It belongs to no call of the program. Default: it belongs to one. */
  readonly internal?: boolean | undefined;
  /** The async context in which the program's own functions are run for it. Default: any. */
  readonly scope?: AsyncResource | undefined;
  /** It only asks whether the server is there: nobody waits for the one before it any more. */
  readonly isProbe?: boolean | undefined;
}

/** What a channel tells the one who opened it. */
export interface ChannelHandlers {
  /**
   * A message from the server, in the order of arrival. `requestId` names the request on whose own
   * stream it came, where requests have streams of their own.
   */
  onMessage(message: JSONRPCMessage, requestId?: RequestId): void;
  /**
   * Something came that could not be read, or was dropped; the channel goes on. `answerTo` names
   * the request if it was meant as an answer.
   */
  onTrouble(error: LongwireError, answerTo?: RequestId): void;
  /**
   * The channel ended by itself: once, and never after `close()`. Nothing comes after it, and what
   * had not left by then is withdrawn.
   */
  onEnd(reason: LongwireError): void;
}

/**
 * What a channel that ended leaves to the next one, so that it can go on where this one ended.
 * What is in it concerns its dialect alone.
 */
export interface Resumption {
  readonly dialect: Dialect;
}

/**
 * The stream that carries the answer to a request broke off, and can be gone on with: the session
 * has it still. `resume` of the same channel, or of the one that goes on with its session, does.
 */
export class BrokenStreamError extends ConnectionLostError {
  override readonly name: string = 'BrokenStreamError';
  /** What `resume` needs; its dialect's own affair. */
  readonly broken: BrokenStream;

  constructor(message: string, { broken, cause }: { broken: BrokenStream; cause: unknown }) {
    super(message, { certainty: 'outcome-unknown', cause });
    this.broken = broken;
  }
}

/** A stream that broke off before it had brought its answer. */
export interface BrokenStream {
  /** Which request it is to answer. */
  readonly requestId: RequestId;
  /** How long the server asked to wait before it is opened again, in milliseconds. */
  readonly askedDelayMs: number | undefined;
  /** It has said something since it was last opened, so that it gets on. */
  readonly gotOn: boolean;
}

/**
 * One attempt to talk to a server. It is opened once, moves messages, and ends once; it never
 * dials again and never sends anything twice. A new attempt is a new channel.
 */
export interface Channel {
  readonly dialect: Dialect;
  readonly era: Era;
  /** Where messages go, for errors and the curious: a URL without its query, or a command. */
  readonly address: string;
  /**
   * When something last arrived of what would carry an answer, be it only a comment; on the clock
   * of `performance.now()`. Now, where nothing is open that could fall silent.
   */
  readonly heardAt: number;
  /** How long the server asked to wait before connecting again, in milliseconds. */
  readonly askedDelayMs: number | undefined;
  /** How the next channel can go on where this one stands; `undefined` if it cannot. */
  readonly resumption: Resumption | undefined;
  /**
   * Sends one message; fulfilled when the server has accepted it, or answered it. `onWire` is
   * called when its first byte is about to leave: before that it is certain not to have been sent.
   * Without `options` it is internal.
   * A `notifications/cancelled` withdraws a request that has not left yet, and is told the server
   * otherwise, in the words of the dialect.
   *
   * @throws LongwireError whose certainty says whether the server may have acted on it. One with
   * code `connection-lost` that is certain not to have run says that the channel is ending.
   * BrokenStreamError if its answer can still be had.
   */
  send(message: JSONRPCMessage, onWire?: () => void, options?: SendOptions): Promise<void>;
  /**
   * Goes on with a stream that broke off; as `send` of its request, fulfilled when that is
   * answered. Where nothing can be gone on with, there is none.
   *
   * @throws LongwireError as `send` does.
   */
  resume?(broken: BrokenStream, caller?: SendOptions): Promise<void>;
  /**
   * Takes the word of whoever asked the session: it is gone, so that nothing more is sent on it, and
   * the channel ends once what is on its way has arrived; or its server is away and at work on
   * nothing, and the channel ends. Where there is none, there is no session apart from the line.
   */
  abandon?(reason: LongwireError, how: 'gone' | 'away'): void;
  /**
   * Opens the stream on which the server speaks unasked, where a dialect has one beside those of
   * its requests. Fulfilled when the server has none to offer; rejected when it ends. `onOpen` is
   * told when it is open, and whether it brings what was said since it was open before.
   *
   * @throws LongwireError
   */
  listen?(onOpen: (isContinued: boolean) => void): Promise<void>;
  /**
   * Ends the channel and everything it has open, also after `onEnd`; harmless when repeated. The
   * server's session ends with it where that can be said, unless another channel is to go on with
   * it. Fulfilled when no socket or process of its own is left.
   */
  close(options?: { keepSession?: boolean }): Promise<void>;
}
