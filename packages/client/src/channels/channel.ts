import type { JSONRPCMessage, RequestId } from '@modelcontextprotocol/client';
import { ConnectionLostError, type LongwireError } from '../errors.js';
import type { SendOptions } from '../http/send-options.js';
import type { Era } from '../protocol-version.js';
import type { TransportName } from '../transport-name.js';

/** What a channel reports to whoever opened it. */
export interface ChannelHandlers {
  /**
   * A message from the server, in the order of arrival. `requestId` names the request on whose stream
   * it came, if each request has its own stream.
   */
  onMessage(message: JSONRPCMessage, requestId?: RequestId): void;
  /**
   * Something came that could not be read, or was dropped; the channel stays open. `answerTo` names the
   * request if it was meant as an answer.
   */
  onError(error: LongwireError, answerTo?: RequestId): void;
  /**
   * The channel ended by itself: once, and never after `close()`. Nothing comes after it, unless the
   * channel drains, and messages that had not left are withdrawn.
   */
  onEnd(reason: LongwireError): void;
}

/**
 * What the next channel needs to resume where this one ended. Its content is known to the transport
 * alone.
 */
export interface Resumption {
  readonly transport: TransportName;
}

/**
 * The stream with the answer to a request broke, and can be resumed: by `resume` of the same channel, or
 * of the next channel of the session.
 */
export class BrokenStreamError extends ConnectionLostError {
  override readonly name: string = 'BrokenStreamError';
  /** What `resume` needs; its content is known to the transport alone. */
  readonly broken: BrokenStream;

  constructor(message: string, { broken, cause }: { broken: BrokenStream; cause: unknown }) {
    super(message, { certainty: 'outcome-unknown', cause });
    this.broken = broken;
  }
}

/** A stream that broke before its answer came. */
export interface BrokenStream {
  /** The request that it answers. */
  readonly requestId: RequestId;
  /** The delay that the server asked for before it is opened again, in milliseconds. */
  readonly askedDelayMs: number | undefined;
  /** It brought something since it was last opened. */
  readonly madeProgress: boolean;
}

/**
 * One attempt to talk to a server. It is opened once, moves messages, and ends once; it never
 * dials again and never sends anything twice. A new attempt is a new channel.
 */
export interface Channel {
  readonly transport: TransportName;
  readonly era: Era;
  /** Where messages go, for errors and logs: a URL without its query, or a command. */
  readonly address: string;
  /**
   * When bytes last came on a stream that can carry an answer, comments included; on the clock of
   * `performance.now()`. Now, if no such stream is open.
   */
  readonly lastActivityAt: number;
  /** The delay that the server asked for before the next connection, in milliseconds. */
  readonly askedDelayMs: number | undefined;
  /** How the next channel can resume this one; `undefined` if it cannot. */
  readonly resumption: Resumption | undefined;
  /**
   * Sends one message. Fulfilled when the server has accepted or answered it.
   *
   * - `onWire` is called when the first byte is about to leave: before that it was certainly not sent.
   * - Without `options` the message is internal.
   * - A `notifications/cancelled` withdraws a request that has not left; otherwise the server gets the
   *   cancellation in the form of the transport.
   *
   * @throws LongwireError whose certainty says whether the server may have run it. Code
   * `connection-lost` with a certainty that it did not run says that the channel is ending.
   * BrokenStreamError if the answer can still be fetched by `resume`.
   */
  send(message: JSONRPCMessage, onWire?: () => void, options?: SendOptions): Promise<void>;
  /**
   * Resumes a stream that broke. Fulfilled as `send` of its request: when that is answered. Missing where
   * the transport cannot resume.
   *
   * @throws LongwireError as `send` does.
   */
  resume?(broken: BrokenStream, caller?: SendOptions): Promise<void>;
  /**
   * Ends the channel after a check of its session:
   *
   * - `gone`: the session is lost. Nothing more is sent, and the channel ends once the open requests
   *   have settled.
   * - `away`: the server cannot be reached and works on no request. The channel ends at once.
   *
   * Missing where the session is the connection itself.
   */
  abandon?(reason: LongwireError, how: 'gone' | 'away'): void;
  /**
   * Called in `onEnd` if the answers to these requests are still wanted. If the session is lost while
   * streams are open, the channel drains: it keeps what can bring these answers, closes the rest, and
   * returns the requests that may still be answered. Otherwise it returns none.
   *
   * While it drains, messages come as before, and a `send` that is open settles as ever. Of new messages it
   * sends only answers and cancellations, though the server may refuse them. `onBroken` is called once if
   * no answer can come any more and no `send` says so. `close()` ends it.
   *
   * Missing where the session is the connection itself.
   */
  drain?(
    requests: ReadonlySet<RequestId>,
    onBroken: (reason: LongwireError) => void,
  ): readonly RequestId[];
  /**
   * Opens the stream on which the server speaks unasked, if the transport has one beside those of
   * requests. Fulfilled if the server offers none; rejected when it ends. `onOpen` is called when it is
   * open, with whether it resumes the stream before.
   *
   * @throws LongwireError
   */
  listen?(onOpen: (isResumed: boolean) => void): Promise<void>;
  /**
   * Closes the channel and everything that it has open, even after `onEnd`; harmless when repeated. The
   * session ends with it if the transport can say so, unless another channel resumes it. Fulfilled
   * when no socket or process of its own is left.
   */
  close(options?: { keepSession?: boolean }): Promise<void>;
}
