import type {
  JSONRPCMessage,
  JSONRPCNotification,
  JSONRPCRequest,
  Progress,
  RequestId,
  Transport,
} from '@modelcontextprotocol/client';
import type { Channel, ChannelHandlers } from '../channels/channel.js';
import { within } from '../channels/within.js';
import { LongwireError } from '../errors.js';
import { dial } from '../target/dial.js';
import type { Target } from '../target/target.js';
import type { CallMark } from './call-mark.js';
import { closedError, initializedTimeout, lossOf, queueFullError, unsendable } from './failures.js';
import { Ledger, type LedgerEntry } from './ledger.js';
import type { ResolvedConnectionOptions } from './options.js';
import { ServerRequests } from './server-requests.js';
import { transition, type ConnectionEvent, type ConnectionState, type Effect } from './state.js';

const METHOD_NOT_FOUND = -32601;
/** How long a close waits for what is being said, such as a cancellation. */
const FAREWELL_MS = 1000;

/** Who waits for a request: the pending `send()`. */
interface Waiter {
  resolve: () => void;
  reject: (error: LongwireError) => void;
}

type Entry = LedgerEntry<Waiter>;

/** One session with the server. A new session is a new one of these. */
interface Session {
  channel: Channel | undefined;
  readonly startedAt: number;
  readonly dialling: AbortController;
  /** What came before the handshake was through; `undefined` from then on. */
  early: JSONRPCMessage[] | undefined;
  /** Fulfilled when the dial is over, however it ended. */
  dialled: Promise<void>;
}

/**
 * Keeps a session with one server alive, and is the SDK's `Transport` upwards. It owns the only
 * loop that dials. What it does when is decided in `state.ts`, what became of a request in
 * `ledger.ts`; this file carries it out.
 *
 * `send()` of a request stays open until the request settles, because rejecting it is the only
 * way in which an error object reaches the SDK's caller unchanged.
 */
export class Connection implements Transport {
  onclose?: (() => void) | undefined;
  onerror?: ((error: Error) => void) | undefined;
  onmessage?: Transport['onmessage'];
  /** Told of every change of state. */
  onstate?: ((state: ConnectionState) => void) | undefined;

  readonly #target: Target;
  readonly #options: ResolvedConnectionOptions;
  readonly #ledger = new Ledger<Waiter>();
  readonly #serverRequests = new ServerRequests();
  readonly #farewells = new Set<Promise<void>>();
  #state: ConnectionState = { name: 'idle' };
  #session: Session | undefined;
  /** The program's own handshake, to be replayed on every new session. */
  #initialize: JSONRPCRequest | undefined;
  #initialized: JSONRPCNotification | undefined;
  #handshakes = 0;
  #closing: Promise<void> | undefined;

  constructor(target: Target, options: ResolvedConnectionOptions) {
    this.#target = target;
    this.#options = options;
  }

  /** Where the connection stands. */
  get state(): ConnectionState {
    return this.#state;
  }

  /** Answers that belonged to no request and were dropped. */
  get droppedAnswers(): number {
    return this.#ledger.dropped;
  }

  /** Does nothing: the connection dials when it has something to send. */
  start(): Promise<void> {
    return Promise.resolve();
  }

  send(message: JSONRPCMessage): Promise<void> {
    if (this.#closing !== undefined) return Promise.reject(closedError('not-sent'));
    if ('method' in message) {
      if ('id' in message) return this.#sendRequest(message);
      if (message.method === 'notifications/initialized') return this.#finishHandshake(message);
      if (message.method === 'notifications/cancelled') return this.#cancelRequest(message);
      return this.#say(message);
    }
    const answer = this.#serverRequests.answer(message as JSONRPCMessage & { id: RequestId });
    // The session that asked is gone, and so is who wanted to know.
    return answer === undefined ? Promise.resolve() : this.#say(answer);
  }

  /**
   * Settles a call with an error of the caller's making (it was aborted, it took too long), and
   * tells the server if the call had gone out.
   */
  cancel(mark: CallMark, error: LongwireError): void {
    const entry = this.#ledger.find(mark.id);
    if (entry === undefined || entry.mark !== mark) return;
    this.#ledger.remove(entry.request.id);
    entry.waiter.reject(error);
    if (mark.certainty === 'not-sent') return;
    this.#say({
      jsonrpc: '2.0',
      method: 'notifications/cancelled',
      params: { requestId: entry.request.id, reason: error.message },
    }).catch((cause: LongwireError) => this.onerror?.(cause));
  }

  /** Closes for good; fulfilled when nothing is left open. Harmless when repeated. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const session = this.#session;
    for (const { mark, waiter } of this.#ledger.removeAll()) {
      waiter.reject(closedError(mark.certainty));
    }
    await this.#sayFarewell();
    this.#happen({ type: 'close-asked' });
    await session?.dialled;
    await session?.channel?.close();
    this.onclose?.();
    this.onclose = this.onerror = this.onmessage = undefined;
  }

  #sendRequest(request: JSONRPCRequest): Promise<void> {
    if (request.method === 'server/discover') {
      this.#answerDiscover(request);
      return Promise.resolve();
    }
    if (request.method === 'initialize') this.#initialize = request;
    return new Promise((resolve, reject) => {
      if (this.#ledger.size >= this.#options.maxInFlight) {
        reject(queueFullError(this.#options.maxInFlight));
        return;
      }
      const entry = this.#ledger.enter(request, { resolve, reject });
      if (entry.mark.abandoned !== undefined) {
        this.#ledger.remove(request.id);
        reject(entry.mark.abandoned);
        return;
      }
      if (this.#state.name === 'ready') this.#transmit(entry);
      else this.#happen({ type: 'request-made' });
    });
  }

  /** Every dialect here is of the era before `server/discover`; no server need be asked. */
  #answerDiscover({ id }: JSONRPCRequest): void {
    const error = { code: METHOD_NOT_FOUND, message: 'Method not found' };
    queueMicrotask(() => this.#deliver({ jsonrpc: '2.0', id, error }));
  }

  #transmit(entry: Entry): void {
    this.#ledger.markSent(entry);
    const channel = this.#session?.channel as Channel;
    channel.send(entry.request).catch((error: unknown) => {
      // Settled meanwhile: by its answer, or because it was given up.
      if (this.#ledger.find(entry.request.id) !== entry) return;
      this.#ledger.remove(entry.request.id);
      entry.waiter.reject(error instanceof LongwireError ? error : unsendable(error));
    });
  }

  /** Sends what is no request: on this session or not at all. */
  #say(message: JSONRPCMessage): Promise<void> {
    const channel = this.#session?.channel;
    if (channel === undefined) return Promise.reject(closedError('not-sent'));
    const said = channel.send(message);
    const settled = said.catch(() => {}).finally(() => this.#farewells.delete(settled));
    this.#farewells.add(settled);
    return said;
  }

  async #sayFarewell(): Promise<void> {
    if (this.#farewells.size === 0) return;
    await within(FAREWELL_MS, Promise.all(this.#farewells)).catch(() => {});
  }

  #cancelRequest(notification: JSONRPCNotification): Promise<void> {
    const entry = this.#ledger.find(notification.params?.['requestId'] as RequestId | undefined);
    if (entry === undefined) return Promise.resolve();
    this.#ledger.remove(entry.request.id);
    entry.waiter.resolve();
    return entry.mark.certainty === 'not-sent' ? Promise.resolve() : this.#say(notification);
  }

  #happen(event: ConnectionEvent): void {
    const next = transition(this.#state, event);
    if (next === undefined) return;
    const changed = next.state !== this.#state;
    this.#state = next.state;
    for (const effect of next.effects) this.#carryOut(effect);
    if (changed) this.onstate?.(next.state);
  }

  #carryOut(effect: Effect): void {
    switch (effect.type) {
      case 'dial':
        this.#dial();
        break;
      case 'release':
        for (const entry of this.#ledger.unsent()) this.#transmit(entry);
        break;
      case 'fail-all':
        for (const entry of this.#ledger.removeAll()) {
          entry.waiter.reject(lossOf(entry, effect.reason));
        }
        break;
      case 'hang-up':
        this.#hangUp();
        break;
    }
  }

  #hangUp(): void {
    const session = this.#session;
    this.#session = undefined;
    for (const cancellation of this.#serverRequests.abandon()) this.#deliver(cancellation);
    session?.dialling.abort(closedError('not-sent'));
    session?.channel?.close().catch((error: Error) => this.onerror?.(error));
  }

  #dial(): void {
    const session: Session = {
      channel: undefined,
      startedAt: performance.now(),
      dialling: new AbortController(),
      early: [],
      dialled: Promise.resolve(),
    };
    this.#session = session;
    session.dialled = this.#shakeHands(session).catch((error: LongwireError) => {
      if (this.#session === session) this.#happen({ type: 'dial-failed', reason: error });
    });
  }

  async #shakeHands(session: Session): Promise<void> {
    const own = this.#initialize;
    if (own === undefined) {
      throw new LongwireError('a request was made before initialize', {
        code: 'protocol',
        certainty: 'not-sent',
      });
    }
    // The first handshake is the program's own; from then on it is replayed, under ids that a
    // program never uses.
    const replayed = this.#initialized !== undefined;
    const initialize = replayed ? { ...own, id: `handshake-${++this.#handshakes}` } : own;
    const { channel, answer } = await dial({
      target: this.#target,
      transport: this.#options.transport,
      initialize,
      handlers: this.#handlersFor(session),
      channel: this.#options,
      connectMs: this.#options.connectMs,
      signal: session.dialling.signal,
    });
    if (this.#session !== session) {
      await channel.close();
      return;
    }
    session.channel = channel;
    if (!replayed) {
      this.#receive(answer);
      return;
    }
    if ('error' in answer) {
      throw new LongwireError(`the server refused the handshake: ${answer.error.message}`, {
        code: 'connect-failed',
        certainty: 'not-sent',
      });
    }
    await this.#finishHandshake(this.#initialized as JSONRPCNotification);
  }

  /** Tells the server that the handshake is through. Requests wait until it has taken that. */
  async #finishHandshake(initialized: JSONRPCNotification): Promise<void> {
    const session = this.#session;
    const channel = session?.channel;
    if (session === undefined || channel === undefined) throw this.#whyNoSession();
    const leftMs = this.#options.connectMs - (performance.now() - session.startedAt);
    try {
      await within(leftMs, channel.send(initialized), () => initializedTimeout(channel.url));
    } catch (error) {
      if (this.#session === session) {
        this.#happen({ type: 'dial-failed', reason: error as LongwireError });
      }
      throw error;
    }
    this.#initialized = initialized;
    if (this.#session !== session) throw this.#whyNoSession();
    this.#happen({
      type: 'handshake-done',
      dialect: channel.dialect,
      url: channel.url.origin + channel.url.pathname,
      connectMs: performance.now() - session.startedAt,
    });
    const early = session.early ?? [];
    session.early = undefined;
    for (const message of early) this.#receive(message);
  }

  #whyNoSession(): LongwireError {
    return this.#state.name === 'resting' ? this.#state.reason : closedError('not-sent');
  }

  #handlersFor(session: Session): ChannelHandlers {
    return {
      onMessage: (message) => {
        if (this.#session !== session) return;
        if (session.early === undefined) this.#receive(message);
        else session.early.push(message);
      },
      onTrouble: (error) => this.onerror?.(error),
      onEnd: (reason) => {
        if (this.#session === session) this.#happen({ type: 'channel-ended', reason });
      },
    };
  }

  #receive(message: JSONRPCMessage): void {
    if (!('method' in message)) {
      const entry = this.#ledger.answered(
        message.id as RequestId,
        'error' in message ? 'error' : 'result',
      );
      if (entry === undefined) return;
      entry.waiter.resolve();
      this.#deliver(message);
    } else if ('id' in message) {
      this.#deliver(this.#serverRequests.enter(message));
    } else if (message.method === 'notifications/progress') {
      this.#receiveProgress(message);
    } else if (message.method === 'notifications/cancelled') {
      const cancellation = this.#serverRequests.cancelled(message);
      if (cancellation !== undefined) this.#deliver(cancellation);
    } else {
      this.#deliver(message);
    }
  }

  /** Hands a message up. What the program throws is the program's, and ends no session. */
  #deliver(message: JSONRPCMessage): void {
    try {
      this.onmessage?.(message);
    } catch (error) {
      this.onerror?.(error as Error);
    }
  }

  /**
   * Progress goes to its call directly: on the SDK's own way it is handled later than the answer
   * that came right behind it, and lost.
   */
  #receiveProgress(message: JSONRPCNotification): void {
    const { progressToken, ...progress } = message.params ?? {};
    const entry = this.#ledger.find(progressToken as RequestId | undefined);
    if (entry === undefined) return;
    if (entry.mark.onProgress === undefined) this.#deliver(message);
    else if (typeof progress['progress'] === 'number') {
      entry.mark.onProgress(progress as unknown as Progress);
    }
  }
}
