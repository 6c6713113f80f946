import {
  METHOD_NOT_FOUND,
  type JSONRPCMessage,
  type JSONRPCNotification,
  type JSONRPCRequest,
  type JSONRPCResponse,
  type RequestId,
  type Result,
  type Transport,
} from '@modelcontextprotocol/client';
import type { Channel } from '../channels/channel.js';
import { isAnswer } from '../channels/message.js';
import { place } from '../channels/place.js';
import { LongwireError } from '../errors.js';
import type { Target } from '../target/target.js';
import { callMark, type CallMark } from './call-mark.js';
import {
  asConnectError,
  closedError,
  describe,
  handshakeRefused,
  lossOf,
  queueFullError,
  serverError,
  unsendable,
} from './failures.js';
import { Inbound } from './inbound.js';
import { Ledger, type LedgerEntry, type LedgerRequest, type Waiter } from './ledger.js';
import type { ResolvedConnectionOptions } from './options.js';
import { ServerRequests } from './server-requests.js';
import { Session } from './session.js';
import { transition, type ConnectionEvent, type ConnectionState, type Effect } from './state.js';
import { cancellationOf, requestOnWire } from './wire.js';

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
  readonly #ledger = new Ledger();
  /** Wire ids of requests that came through an SDK `Client`, by the id that it gave them. */
  readonly #wireIds = new Map<RequestId, number>();
  readonly #serverRequests = new ServerRequests();
  readonly #inbound = new Inbound({
    ledger: this.#ledger,
    serverRequests: this.#serverRequests,
    deliver: (message) => this.#deliver(message),
    report: (error) => this.#report(error),
  });
  #state: ConnectionState = { name: 'idle' };
  #session: Session | undefined;
  /** The program's own handshake, to be replayed on every new session. */
  #initialize: JSONRPCRequest | undefined;
  #initialized: JSONRPCNotification | undefined;
  #handshakes = 0;
  readonly #openers: { resolve: () => void; reject: (error: LongwireError) => void }[] = [];
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
    if (isAnswer(message)) {
      const answer = this.#serverRequests.answer(message as JSONRPCResponse & { id: RequestId });
      // The session that asked is gone, and so is who wanted to know.
      return answer === undefined ? Promise.resolve() : this.#say(answer);
    }
    if ('id' in message) return this.#sendRequest(message);
    if (message.method === 'notifications/initialized') return this.#finishHandshake(message);
    if (message.method === 'notifications/cancelled') return this.#cancelRequest(message);
    return this.#say(message);
  }

  /**
   * Dials, if there is no session; fulfilled when requests go out at once. The program must have
   * shaken hands before.
   *
   * @throws LongwireError
   */
  open(): Promise<void> {
    if (this.#state.name === 'ready') return Promise.resolve();
    if (this.#closing !== undefined) return Promise.reject(closedError('not-sent'));
    return new Promise((resolve, reject) => {
      this.#openers.push({ resolve, reject });
      this.#happen({ type: 'request-made' });
    });
  }

  /**
   * Makes a request of the program's own, without the SDK's `Client`, which adds nothing to it but
   * an id. The result is as the server sent it.
   *
   * @throws LongwireError
   */
  request(request: LedgerRequest, mark: CallMark): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.#enter(request, mark, {
        answered: (answer) => {
          if ('error' in answer) reject(serverError(describe(request), answer.error));
          else resolve(answer.result);
        },
        failed: reject,
      });
    });
  }

  /**
   * Settles a call with an error of the caller's making (it was aborted, it took too long), and
   * tells the server if the call had gone out.
   */
  cancel(mark: CallMark, error: LongwireError): void {
    const entry = this.#ledger.find(mark.id);
    if (entry === undefined || entry.mark !== mark) return;
    this.#ledger.remove(entry.id);
    entry.waiter.failed(error);
    if (!entry.handedOver) return;
    this.#say(cancellationOf(entry.id, error.code)).catch((cause: Error) => this.#report(cause));
  }

  /** Closes for good; fulfilled when nothing is left open. Harmless when repeated. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const session = this.#session;
    for (const { mark, waiter } of this.#ledger.removeAll()) {
      waiter.failed(closedError(mark.certainty));
    }
    await session?.farewell();
    this.#happen({ type: 'close-asked' });
    await session?.close();
    this.onclose?.();
    this.onclose = this.onerror = this.onmessage = undefined;
  }

  #sendRequest(request: JSONRPCRequest): Promise<void> {
    if (request.method === 'server/discover') {
      this.#answerDiscover(request);
      return Promise.resolve();
    }
    if (request.method === 'initialize') this.#initialize = request;
    const { id, params } = request;
    const mark = (params as { [callMark]?: CallMark } | undefined)?.[callMark];
    return new Promise((resolve, reject) => {
      this.#enter(
        request,
        mark ?? { certainty: 'not-sent' },
        {
          answered: (answer) => {
            this.#wireIds.delete(id);
            resolve();
            // The `Client` handles a notification one microtask after it was given: an answer
            // given at once would overtake the progress that came before it.
            queueMicrotask(() => this.#deliver({ ...answer, id }));
          },
          failed: (error) => {
            this.#wireIds.delete(id);
            reject(error);
          },
        },
        id,
      );
    });
  }

  /** Enters a request, and sends it if there is a session; else it waits for one. */
  #enter(request: LedgerRequest, mark: CallMark, waiter: Waiter, programId?: RequestId): void {
    if (this.#closing !== undefined) {
      waiter.failed(closedError('not-sent'));
    } else if (mark.abandoned !== undefined) {
      waiter.failed(mark.abandoned);
    } else if (this.#ledger.size >= this.#options.maxInFlight) {
      waiter.failed(queueFullError(this.#options.maxInFlight));
    } else {
      const entry = this.#ledger.enter(request, mark, waiter);
      if (programId !== undefined) this.#wireIds.set(programId, entry.id);
      if (this.#state.name === 'ready') this.#transmit(entry);
      else this.#happen({ type: 'request-made' });
    }
  }

  /** Every dialect here is of the era before `server/discover`; no server need be asked. */
  #answerDiscover({ id }: JSONRPCRequest): void {
    const error = { code: METHOD_NOT_FOUND, message: 'Method not found' };
    queueMicrotask(() => this.#deliver({ jsonrpc: '2.0', id, error }));
  }

  #transmit(entry: LedgerEntry): void {
    entry.handedOver = true;
    const channel = this.#session?.channel as Channel;
    const onWire = (): void => this.#ledger.markSent(entry);
    channel.send(requestOnWire(entry), onWire).catch((error: unknown) => {
      // Settled meanwhile: by its answer, or because it was given up.
      if (this.#ledger.find(entry.id) !== entry) return;
      this.#ledger.remove(entry.id);
      entry.waiter.failed(error instanceof LongwireError ? error : unsendable(error));
    });
  }

  /** Sends what is no request: on this session or not at all. */
  #say(message: JSONRPCMessage): Promise<void> {
    return this.#session?.say(message) ?? Promise.reject(closedError('not-sent'));
  }

  #cancelRequest({ params }: JSONRPCNotification): Promise<void> {
    const wireId = this.#wireIds.get(params?.['requestId'] as RequestId);
    const entry = this.#ledger.remove(wireId);
    if (entry === undefined) return Promise.resolve();
    // The `Client` has its own error for the caller, and waits for no other.
    entry.waiter.failed(closedError(entry.mark.certainty));
    if (!entry.handedOver) return Promise.resolve();
    return this.#say(cancellationOf(entry.id, params?.['reason']));
  }

  #happen(event: ConnectionEvent): void {
    const next = transition(this.#state, event);
    if (next === undefined) return;
    const changed = next.state !== this.#state;
    this.#state = next.state;
    for (const effect of next.effects) this.#carryOut(effect);
    if (changed) this.#tell(next.state);
  }

  #tell(state: ConnectionState): void {
    if (state.name !== 'connecting') {
      for (const { resolve, reject } of this.#openers.splice(0)) {
        if (state.name === 'ready') resolve();
        else reject(asConnectError(this.#whyNoSession()));
      }
    }
    try {
      this.onstate?.(state);
    } catch (error) {
      this.#report(error as Error);
    }
  }

  #carryOut(effect: Effect): void {
    switch (effect.type) {
      case 'dial':
        this.#dial();
        break;
      case 'release':
        for (const entry of this.#ledger.waiting()) this.#transmit(entry);
        break;
      case 'fail-all':
        for (const entry of this.#ledger.removeAll()) {
          entry.waiter.failed(lossOf(entry, effect.reason));
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
    session?.close().catch((error: Error) => this.#report(error));
  }

  #dial(): void {
    const session: Session = new Session({
      target: this.#target,
      options: this.#options,
      handlers: {
        onMessage: (message) => {
          if (this.#session === session) this.#inbound.take(message);
        },
        onTrouble: (error, answerTo) => this.#inbound.takeTrouble(error, answerTo),
        onEnd: (reason) => {
          if (this.#session === session) this.#happen({ type: 'channel-ended', reason });
        },
      },
    });
    this.#session = session;
    this.#shakeHands(session).catch((error: LongwireError) => this.#dialFailed(session, error));
  }

  #dialFailed(session: Session, error: LongwireError): void {
    if (this.#session !== session) return;
    this.#happen({ type: 'dial-failed', reason: asConnectError(error) });
  }

  /**
   * The first handshake is the program's own, and the program will finish it. From then on it is
   * replayed, under ids that a program never uses.
   */
  async #shakeHands(session: Session): Promise<void> {
    const own = this.#initialize;
    if (own === undefined) {
      throw new LongwireError('a request was made before initialize', {
        code: 'protocol',
        certainty: 'not-sent',
      });
    }
    const first = this.#ledger.find(this.#wireIds.get(own.id));
    const id = first?.id ?? `handshake-${++this.#handshakes}`;
    const answer = await session.open({ ...own, id });
    if (first !== undefined) {
      this.#inbound.take(answer);
      return;
    }
    if ('error' in answer) throw handshakeRefused(answer.error);
    await this.#finishHandshake(this.#initialized as JSONRPCNotification);
  }

  /** Requests wait until the server has taken the end of the handshake. */
  async #finishHandshake(initialized: JSONRPCNotification): Promise<void> {
    const session = this.#session;
    const channel = session?.channel;
    if (session === undefined || channel === undefined) throw this.#whyNoSession();
    try {
      await session.finish(initialized);
    } catch (error) {
      this.#dialFailed(session, error as LongwireError);
      throw this.#whyNoSession();
    }
    if (this.#session !== session) throw this.#whyNoSession();
    this.#initialized = initialized;
    this.#happen({
      type: 'handshake-done',
      dialect: channel.dialect,
      url: place(channel.url),
      connectMs: session.ageMs,
    });
    session.start();
  }

  #whyNoSession(): LongwireError {
    return this.#state.name === 'resting' ? this.#state.reason : closedError('not-sent');
  }

  /** Hands a message up. What the program throws is the program's, and ends no session. */
  #deliver(message: JSONRPCMessage): void {
    try {
      this.onmessage?.(message);
    } catch (error) {
      this.#report(error as Error);
    }
  }

  #report(error: Error): void {
    try {
      this.onerror?.(error);
    } catch {
      // Whoever listens for errors and throws one has nobody left to tell.
    }
  }
}
