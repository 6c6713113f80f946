import type {
  JSONRPCMessage,
  JSONRPCNotification,
  JSONRPCRequest,
  JSONRPCResponse,
  RequestId,
} from '@modelcontextprotocol/client';
import type { BrokenStream, Channel, ChannelHandlers, Resumption } from '../channels/channel.js';
import { dial } from '../dial/dial.js';
import type { FirstRequests } from '../dial/eras.js';
import type { Connected } from '../dial/handshake.js';
import type { Target } from '../dial/target.js';
import type { LongwireError, ProbeResult } from '../errors.js';
import { checkKept } from '../http/event-stream.js';
import type { HeaderRecord } from '../http/headers.js';
import type { SendOptions } from '../http/send-options.js';
import { runHandshake, type MiddlewareChain } from '../middleware/chain.js';
import { MAX_TIMER_MS } from '../options/checks.js';
import type { HeartbeatOptions } from '../options/connection-options.js';
import { maskError, maskServerError } from '../secrets/mask-error.js';
import { toJson } from '../untrusted/exact-json.js';
import { withTimeout } from '../with-timeout.js';
import { closedError, initializedTimeout } from './failures.js';
import { usableInitializeAnswer } from './initialize-result.js';
import type { ResolvedConnectionOptions } from './resolve-options.js';
import { isObjection } from './retry.js';

/** How long closing waits for messages that are being sent, such as a cancellation. */
const FLUSH_MS = 1000;

/** A server stream cannot be pinged: it counts as ended after so many times `silenceMs`. */
const SERVER_STREAM_SILENCES = 10;

/** How many messages that came before the handshake was done are delivered in one turn of the event loop. */
const EARLY_BATCH = 1000;

interface EarlyMessage {
  message: JSONRPCMessage;
  /** The request on whose own stream it came. */
  requestId: RequestId | undefined;
}

/** What a dialed channel is made with. */
export interface DialedChannelOptions {
  target: Target;
  options: ResolvedConnectionOptions;
  /** The middlewares around the handshake. */
  chain: MiddlewareChain | undefined;
  /** The session to resume, if the server lets it. */
  resumption: Resumption | undefined;
  handlers: ChannelHandlers;
}

/** One dial, and the channel that it opened, until that is closed. */
export class DialedChannel {
  readonly #target: Target;
  readonly #options: ResolvedConnectionOptions;
  readonly #chain: MiddlewareChain | undefined;
  readonly #resumption: Resumption | undefined;
  readonly #handlers: ChannelHandlers;
  readonly #startedAt = performance.now();
  readonly #dialAbort = new AbortController();
  readonly #sending = new Set<Promise<void>>();
  #channel: Channel | undefined;
  #tried: readonly ProbeResult[] | undefined;
  #headers: HeaderRecord | undefined;
  #dialed: Promise<unknown> = Promise.resolve();
  /**
   * Messages that came before the handshake was done; `undefined` afterwards. A resumed session has
   * no handshake: the messages that it repeats are not kept, and not counted again.
   */
  #early: EarlyMessage[] | undefined = [];
  #earlySize = 0;
  #requestsUnderWay = 0;
  #onIdle: (() => void) | undefined;
  #isStarted = false;
  #endedBy: LongwireError | undefined;
  #isRetired = false;
  #isDraining = false;
  #isClosed = false;

  constructor({ target, options, chain, resumption, handlers }: DialedChannelOptions) {
    this.#chain = chain;
    this.#target = target;
    this.#options = options;
    this.#resumption = resumption;
    this.#handlers = handlers;
  }

  /** The channel, once the dial has succeeded. */
  get channel(): Channel | undefined {
    return this.#channel;
  }

  /** What was tried to find the server. */
  get tried(): readonly ProbeResult[] | undefined {
    return this.#tried;
  }

  /** Where messages go, without secrets: a command may have keys among its words. */
  get address(): string {
    return this.#options.secrets.mask(this.#channel?.address ?? '');
  }

  /** The handshake is done, or was not needed. */
  get isStarted(): boolean {
    return this.#isStarted;
  }

  /** It was closed, and its session may be resumed on another channel. */
  get isRetired(): boolean {
    return this.#isRetired;
  }

  /** Why its session is lost, if answers are still awaited on it. */
  get drainsAfter(): LongwireError | undefined {
    return this.#isDraining ? this.#endedBy : undefined;
  }

  /** Milliseconds since the dial began. */
  get ageMs(): number {
    return performance.now() - this.#startedAt;
  }

  /**
   * Dials, and makes the handshake with the program's first requests.
   *
   * @throws ConnectError; LongwireError `closed` if it was closed meanwhile.
   */
  open(requests: FirstRequests): Promise<Connected> {
    const opened = this.#runHandshake(requests);
    this.#dialed = opened.catch(() => {});
    return opened;
  }

  /**
   * Tells the server that the handshake is done; fulfilled when the server has accepted that, or has
   * refused no more than this message. Messages that came before are delivered by `start`.
   *
   * @throws LongwireError
   */
  async sendInitialized(initialized: JSONRPCNotification): Promise<void> {
    const channel = this.#channel;
    if (channel === undefined) throw closedError('not-sent');
    const leftMs = this.#options.connectMs - this.ageMs;
    try {
      await withTimeout(leftMs, this.#masked(channel.send(initialized)), () =>
        initializedTimeout(this.address),
      );
    } catch (error) {
      // A server that refuses this notification may work all the same.
      if (!isObjection(error)) throw error;
      this.#handlers.onError(error);
    }
  }

  /** Delivers the messages that came during the handshake, and all others from now on. */
  start(): void {
    this.#isStarted = true;
    this.#deliverEarly(EARLY_BATCH);
  }

  /** Delivers so many; the others, and what comes meanwhile, in later turns of the event loop. */
  #deliverEarly(count: number): void {
    const early = this.#early ?? [];
    for (const { message, requestId } of early.splice(0, count)) {
      this.#handlers.onMessage(message, requestId);
    }
    if (early.length > 0) setImmediate(() => this.#deliverEarly(EARLY_BATCH));
    else this.#early = undefined;
  }

  /** Sends a request; fulfilled when the server has accepted it. */
  sendRequest(request: JSONRPCRequest, onWire: () => void, options: SendOptions): Promise<void> {
    return this.#count((this.#channel as Channel).send(request, onWire, options));
  }

  /** Resumes a stream that broke off; settles as `sendRequest` of its request. */
  resume(broken: BrokenStream, options: SendOptions): Promise<void> {
    return this.#count(
      this.#channel?.resume?.(broken, options) ?? Promise.reject(closedError('outcome-unknown')),
    );
  }

  /** A ping has shown that the session is gone, or its server away: the channel ends. */
  abandon(reason: LongwireError, how: 'gone' | 'away'): void {
    this.#channel?.abandon?.(reason, how);
  }

  /** Sends a message that is no request, for a call or for none: on this channel or not at all. */
  sendMessage(message: JSONRPCMessage, caller?: SendOptions): Promise<void> {
    if (this.#channel === undefined) return Promise.reject(closedError('not-sent'));
    const sent = this.#masked(this.#channel.send(message, undefined, caller));
    const settled = sent.catch(() => {}).finally(() => this.#sending.delete(settled));
    this.#sending.add(settled);
    return sent;
  }

  /** Waits a moment for the messages that are being sent. */
  async flush(): Promise<void> {
    if (this.#sending.size > 0) await withTimeout(FLUSH_MS, Promise.all(this.#sending));
  }

  /**
   * Closes a channel whose session may be resumed. If the channel ended by itself, requests that are
   * being sent get a moment to arrive: the session will answer those that it accepted.
   */
  async retire(): Promise<void> {
    this.#isRetired = true;
    if (this.#endedBy !== undefined && this.#requestsUnderWay > 0) {
      const idle = new Promise<void>((resolve) => {
        this.#onIdle = resolve;
      });
      await withTimeout(FLUSH_MS, idle);
    }
    await this.#close({ keepSession: true });
  }

  /**
   * Its session is lost. Returns which of these requests may still be answered: the channel is to be closed
   * when they are, or when `onBroken` is called; if there are none, now.
   */
  drain(
    requests: ReadonlySet<RequestId>,
    onBroken: (reason: LongwireError) => void,
  ): readonly RequestId[] {
    if (!this.#isStarted) return [];
    const { secrets } = this.#options;
    const left =
      this.#channel?.drain?.(requests, (reason) => onBroken(maskError(reason, secrets))) ?? [];
    this.#isDraining = left.length > 0;
    return left;
  }

  /** Closes channel and session; fulfilled when nothing is left open. Harmless when repeated. */
  async close(): Promise<void> {
    await this.#close({ keepSession: false });
  }

  /** These headers go with every message that belongs to no call, from now on. */
  setHeaders(headers: HeaderRecord | undefined): void {
    this.#headers = headers;
  }

  async #close(options: { keepSession: boolean }): Promise<void> {
    this.#isClosed = true;
    this.#dialAbort.abort(closedError('not-sent'));
    await this.#dialed;
    await this.#channel?.close(options);
  }

  async #count(sent: Promise<void>): Promise<void> {
    this.#requestsUnderWay++;
    try {
      await sent;
    } catch (error) {
      throw maskError(error, this.#options.secrets);
    } finally {
      if (--this.#requestsUnderWay === 0) this.#onIdle?.();
    }
  }

  /** Throws, which ends the channel, when a server sends too much before the handshake is done. */
  #keep(received: EarlyMessage, early: EarlyMessage[]): void {
    this.#earlySize += toJson(received.message).length;
    checkKept(this.#earlySize, this.#options.maxEventBytes);
    early.push(received);
  }

  #runHandshake(requests: FirstRequests): Promise<Connected> {
    if (this.#chain === undefined) return this.#open(requests);
    return runHandshake(this.#chain, requests, {
      open: (headers) => {
        this.#headers = headers;
        return this.#open(requests);
      },
      // For two attempts and what a middleware does between them.
      limitMs: Math.min(3 * this.#options.connectMs, MAX_TIMER_MS),
    });
  }

  async #open(requests: FirstRequests): Promise<Connected> {
    const { channel, answer, tried } = await this.#masked(this.#dial(requests));
    if (this.#isClosed) {
      await channel.close();
      throw closedError('not-sent');
    }
    this.#channel = channel;
    const { secrets } = this.#options;
    this.#tried = tried?.map((each) => ({ ...each, outcome: secrets.mask(each.outcome) }));
    const askedVersion = requests.initialize.params?.['protocolVersion'];
    const usable = (given: JSONRPCResponse): JSONRPCResponse =>
      channel.era === 'legacy' ? usableInitializeAnswer(given, askedVersion) : given;
    return { channel, answer: answer && usable(this.#maskAnswer(answer)) };
  }

  #dial(requests: FirstRequests): Promise<Connected> {
    const { secrets } = this.#options;
    return dial({
      target: this.#target,
      transport: this.#options.transport,
      firstRequests: requests,
      resumption: this.#resumption,
      onResumed: () => {
        this.#early = undefined;
      },
      handlers: {
        ...this.#handlers,
        onMessage: (received, requestId) => {
          const message = this.#maskAnswer(received);
          if (this.#early === undefined) this.#handlers.onMessage(message, requestId);
          else this.#keep({ message, requestId }, this.#early);
        },
        onError: (error, answerTo) => this.#handlers.onError(maskError(error, secrets), answerTo),
        onEnd: (reason) => {
          this.#endedBy = maskError(reason, secrets);
          if (this.#isStarted) this.#deliverEarly(Infinity);
          this.#handlers.onEnd(this.#endedBy);
        },
      },
      channel: this.#options,
      connectMs: this.#options.connectMs,
      maxEventBytes: this.#options.maxEventBytes,
      jsonBounds: this.#options.jsonBounds,
      internalHeaders: () => this.#headers,
      scope: this.#options.scope,
      serverStreamSilenceMs: serverStreamSilenceMs(this.#options.heartbeat),
      counts: this.#options.counts,
      network: this.#options.network,
      cookieJar: this.#options.cookieJar,
      credentials: this.#options.principal?.credentials,
      sharedDispatchers: this.#options.sharedDispatchers,
      secrets,
      signal: this.#dialAbort.signal,
    });
  }

  /** Errors may repeat the credentials that the server was sent: above this class none does. */
  async #masked<T>(outcome: Promise<T>): Promise<T> {
    try {
      return await outcome;
    } catch (error) {
      throw maskError(error, this.#options.secrets);
    }
  }

  #maskAnswer<M extends JSONRPCMessage>(message: M): M {
    if (!('error' in message)) return message;
    return { ...message, error: maskServerError(message.error, this.#options.secrets) };
  }
}

/** How long nothing may arrive on a stream that cannot be pinged, in milliseconds; 0 means no limit. */
function serverStreamSilenceMs({ silenceMs }: Required<HeartbeatOptions>): number {
  if (silenceMs > MAX_TIMER_MS) return 0;
  return Math.min(Math.ceil(silenceMs * SERVER_STREAM_SILENCES), MAX_TIMER_MS);
}
