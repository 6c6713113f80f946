import type {
  JSONRPCMessage,
  JSONRPCNotification,
  JSONRPCRequest,
  JSONRPCResponse,
  RequestId,
} from '@modelcontextprotocol/client';
import type { Target } from '../dial/target.js';
import type { LongwireError } from '../errors.js';
import type { SendOptions } from '../http/send-options.js';
import type { MiddlewareChain } from '../middleware/chain.js';
import type { Era } from '../protocol-version.js';
import { DialedChannel } from './dialed-channel.js';
import { asConnectError, silentError } from './failures.js';
import { Heartbeat } from './heartbeat.js';
import { Inbound, type SessionInboundOptions } from './inbound.js';
import { InitializeReplay, type ServerFacts } from './initialize.js';
import type { Ledger, LedgerEntry } from './ledger.js';
import { LocalAnswers } from './local-answers.js';
import { LostSession } from './lost-session.js';
import { Outbound } from './outbound.js';
import type { Port } from './port.js';
import { ReadyWaiters } from './ready-waiters.js';
import type { ResolvedConnectionOptions } from './resolve-options.js';
import type { RestorableState } from './restorable-state.js';
import { SessionRestore } from './restore.js';
import { retryAfterOf } from './retry.js';
import { ServerRequests } from './server-requests.js';
import type { ServerStream } from './server-stream.js';
import { SessionCheck } from './session-check.js';
import { noSessionIn, transition } from './state.js';
import type { ConnectionEvent, ConnectionState, Effect } from './state.js';

/** What a supervisor is made with. */
export interface SupervisorOptions {
  target: Target;
  /** The middlewares around every handshake. */
  chain: MiddlewareChain | undefined;
  options: ResolvedConnectionOptions;
  ledger: Ledger;
  restorable: RestorableState;
  port: Port;
  /** Called on every change of state. */
  onState: (state: ConnectionState) => void;
  /** Called when the server has come back in another era. */
  onEra: (era: Era) => void;
}

/**
 * Keeps a channel to the server open: dials, and dials again when the channel ends. A session may
 * survive its channel. It executes what `state.ts` decides; nothing else dials or closes a channel.
 */
export class Supervisor {
  readonly #options: SupervisorOptions;
  #state: ConnectionState = { name: 'idle' };
  /** Events that are not applied yet. */
  readonly #events: ConnectionEvent[] = [];
  #isApplying = false;
  /** Messages for the program, delivered once the event is applied. */
  readonly #pending: JSONRPCMessage[] = [];
  #dialed: DialedChannel | undefined;
  /** The channel on which the program's own `initialize` was answered. */
  #initialized: DialedChannel | undefined;
  #delay: NodeJS.Timeout | undefined;
  #askedDelayMs = 0;
  readonly #waiters = new ReadyWaiters();
  readonly #serverRequests = new ServerRequests();
  readonly #handshake: InitializeReplay;
  readonly #lostSession: LostSession;
  readonly #restore: SessionRestore;
  readonly #outbound: Outbound;
  readonly #inbound: Inbound;
  readonly #heartbeat: Heartbeat;

  constructor(options: SupervisorOptions) {
    const { retry, heartbeat, protocol, auth } = options.options;
    this.#options = options;
    this.#handshake = new InitializeReplay(options.ledger, protocol);
    const shared = {
      ...options,
      retry,
      handshake: this.#handshake,
      serverRequests: this.#serverRequests,
      answersChallenges: auth?.onChallenge !== undefined,
      dialed: () => (this.#state.name === 'ready' ? this.#dialed : undefined),
    };
    const check = new SessionCheck(shared);
    const inboundWith = (own: SessionInboundOptions): Inbound =>
      new Inbound({ ...shared, check, outbound: this.#outbound, ...own });
    const outbound = (): Outbound => this.#outbound;
    this.#lostSession = new LostSession({ ...shared, heartbeat, inboundWith, outbound });
    this.#restore = new SessionRestore({ ...shared, check });
    const localAnswers = new LocalAnswers({
      ...shared,
      serverStream: this.#restore.serverStream,
      take: (answer) => this.#inbound.take(answer),
    });
    const onWaiting = (): void => this.#dispatch({ type: 'request-made' });
    this.#outbound = new Outbound({ ...shared, check, localAnswers, onWaiting });
    this.#inbound = inboundWith({ ...shared, onAnswered: (method) => this.#answered(method) });
    this.#heartbeat = new Heartbeat({
      ...shared,
      limits: heartbeat,
      isProven: () => this.#state.name !== 'ready' || this.#state.dialsSinceAnswer === 0,
      onSilence: (dialed) => this.#ended(dialed, silentError(heartbeat)),
    });
  }

  /** The state of the connection. */
  get state(): ConnectionState {
    return this.#state;
  }

  /** What the latest handshake told about the server. */
  get server(): ServerFacts | undefined {
    return this.#handshake.server;
  }

  /** The era of the server in the latest handshake. */
  get era(): Era | undefined {
    return this.#handshake.era;
  }

  /** Sends a request, now or when the connection is ready. */
  send(entry: LedgerEntry): void {
    this.#outbound.send(entry);
  }

  /** Makes the program's own handshake; it is replayed on every later session. */
  initialize(request: JSONRPCRequest, entry: LedgerEntry): void {
    const dialed = this.#dialed;
    const answer = this.#handshake.begin(request, entry);
    if (answer !== undefined && dialed !== undefined) this.#answerOwn(entry, answer);
    else if (dialed?.channel === undefined) this.send(entry);
    else {
      // The program asks something else than the server was asked on its behalf.
      this.#lostSession.release(dialed, { willReconnect: false });
      this.#dial();
    }
  }

  /** The stream on which the server sends what no request asked for. */
  get serverStream(): ServerStream {
    return this.#restore.serverStream;
  }

  /**
   * The program ends its own handshake. Requests wait until the server has accepted that.
   *
   * @throws LongwireError
   */
  async sendInitialized(initialized: JSONRPCNotification): Promise<void> {
    this.#handshake.initialized = initialized;
    const dialed = this.#dialed;
    // If the channel was lost in the middle of the handshake, all of it is replayed.
    if (dialed === undefined || dialed !== this.#initialized) await this.#untilReady();
    else await this.#sendInitialized(dialed);
  }

  /**
   * Dials, if there is no channel; fulfilled when requests can be sent at once.
   *
   * @throws LongwireError
   */
  open(): Promise<void> {
    if (this.#state.name === 'ready') return Promise.resolve();
    const ready = this.#waiters.wait();
    this.#dispatch({ type: 'request-made' });
    return ready;
  }

  /** Sends a message that is no request, for a call or for none: on its session or not at all. */
  sendMessage(message: JSONRPCMessage, caller?: SendOptions): Promise<void> {
    const draining = this.#lostSession.draining.ofCancelled(message);
    if (draining !== undefined) return draining.sendMessage(message, caller);
    if (this.#lostSession.defer(message, caller)) return Promise.resolve();
    if (this.#dialed?.channel === undefined) return Promise.reject(noSessionIn(this.#state));
    return this.#dialed.sendMessage(message, caller);
  }

  /** Answers a request of the server, under the server's id, if its session still exists. */
  async answer(answer: JSONRPCResponse): Promise<void> {
    const theirs = this.#serverRequests.answer(answer as JSONRPCResponse & { id: RequestId });
    if (theirs !== undefined) await this.sendMessage(theirs);
    else await this.#lostSession.draining.answer(answer);
  }

  /** A request was settled by the program. */
  settled(entry: LedgerEntry): void {
    this.#outbound.settled(entry);
  }

  /** Closes for good; fulfilled when nothing is left open. */
  async close(): Promise<void> {
    const dialed = this.#dialed;
    this.#outbound.allSettled();
    await dialed?.flush();
    this.#dispatch({ type: 'close-requested' });
    await Promise.all([dialed?.close(), this.#lostSession.closeAll()]);
  }

  /** Applies one event after the other: an event that the program causes meanwhile waits. */
  #dispatch(event: ConnectionEvent): void {
    this.#events.push(event);
    if (this.#isApplying) return;
    this.#isApplying = true;
    for (let next = this.#events.shift(); next !== undefined; next = this.#events.shift()) {
      this.#apply(next);
    }
    this.#isApplying = false;
  }

  #apply(event: ConnectionEvent): void {
    const next = transition(this.#state, event, this.#options.options.retry);
    if (next === undefined) return;
    const changed = next.state.name !== this.#state.name;
    this.#state = next.state;
    for (const effect of next.effects) this.#execute(effect);
    for (const message of this.#pending.splice(0)) this.#options.port.deliver(message);
    if (changed) this.#stateChanged(next.state);
  }

  #execute(effect: Effect): void {
    switch (effect.type) {
      case 'dial':
        this.#dial();
        break;
      case 'wait':
        this.#delay = setTimeout(() => {
          this.#dispatch({ type: 'delay-over', requestsWait: this.#options.ledger.needsSession });
        }, effect.ms);
        break;
      case 'send-waiting':
        if (this.#dialed !== undefined) this.#restoreSession(this.#dialed);
        this.#outbound.sendWaiting();
        break;
      case 'settle':
        this.#lostSession.settle(effect.reason);
        break;
      case 'fail-all':
        this.#outbound.allSettled();
        this.#lostSession.failAll(effect.reason);
        void this.#lostSession.close();
        break;
      case 'close-channel':
        this.#closeChannel();
        break;
    }
  }

  #stateChanged(state: ConnectionState): void {
    if (state.name === 'ready') this.#waiters.ready();
    else if (state.name === 'resting' || state.name === 'closed') {
      this.#waiters.failed(asConnectError(noSessionIn(this.#state)));
    }
    this.#options.onState(state);
  }

  /** Rejected if nothing is under way that can make the connection ready. */
  #untilReady(): Promise<void> {
    const { name } = this.#state;
    if (name === 'ready') return Promise.resolve();
    if (name === 'connecting' || name === 'reconnecting') return this.#waiters.wait();
    return Promise.reject(noSessionIn(this.#state));
  }

  #dial(): void {
    const dialed: DialedChannel = new DialedChannel({
      ...this.#options,
      resumption: this.#lostSession.resumption,
      handlers: {
        onMessage: (message, requestId) => this.#inboundOf(dialed)?.take(message, requestId),
        onError: (error, answerTo) => this.#inboundOf(dialed)?.takeError(error, answerTo),
        onEnd: (reason) => this.#ended(dialed, reason),
      },
    });
    this.#dialed = dialed;
    // The dial belongs to no call, so it runs in no call's async context.
    const connected = this.#options.options.scope.runInAsyncScope(() => this.#connect(dialed));
    void connected.catch((error: LongwireError) => this.#dialFailed(dialed, error));
  }

  /** Whatever else comes on a channel that is closed is for nobody. */
  #inboundOf(dialed: DialedChannel): Inbound | undefined {
    return this.#dialed === dialed ? this.#inbound : this.#lostSession.draining.inboundOf(dialed);
  }

  /** Makes the handshake, unless the session is resumed. The program ends its own handshake. */
  async #connect(dialed: DialedChannel): Promise<void> {
    const handshake = this.#handshake;
    const { own } = handshake;
    const { channel, answer } = await dialed.open(handshake.firstRequests());
    if (this.#dialed !== dialed) return;
    if (answer === undefined) {
      this.#ready(dialed, true);
      return;
    }
    const { era } = channel;
    if (this.#lostSession.resumption !== undefined && !(await this.#abandonSession(dialed))) return;
    const isOther = handshake.learn(answer, era);
    if (own === undefined) {
      if (isOther) this.#options.onEra(era);
      if (era === 'modern') this.#ready(dialed, false);
      else await this.#sendInitialized(dialed);
      return;
    }
    this.#initialized = dialed;
    this.#answerOwn(own, handshake.answerTo(own, answer, era));
    if (era === 'modern') this.#ready(dialed, false);
  }

  #answerOwn(own: LedgerEntry, answer: JSONRPCResponse): void {
    this.#options.ledger.assign(own);
    this.#inbound.take({ ...answer, id: own.id });
  }

  async #sendInitialized(dialed: DialedChannel): Promise<void> {
    try {
      await dialed.sendInitialized(this.#handshake.initialized);
    } catch (error) {
      void this.#dialFailed(dialed, error as LongwireError);
      return await this.#untilReady();
    }
    if (this.#dialed === dialed) this.#ready(dialed, false);
    else await this.#untilReady();
  }

  #ready(dialed: DialedChannel, resumed: boolean): void {
    const { channel, tried } = dialed;
    const { formerServer } = this.#handshake;
    if (channel === undefined) return;
    this.#askedDelayMs = 0;
    this.#initialized = undefined;
    this.#heartbeat.watch(dialed);
    this.#dispatch({
      type: 'handshake-done',
      transport: channel.transport,
      address: dialed.address,
      connectMs: dialed.ageMs,
      resumed,
      ...(formerServer !== undefined && !resumed && { formerServer }),
      ...(tried !== undefined && { tried }),
    });
    dialed.start();
  }

  /** A resumed session needs nothing again, unless restoring it was interrupted. */
  #restoreSession(dialed: DialedChannel): void {
    this.#lostSession.resume(dialed);
    const isResumed = this.#state.name === 'ready' && this.#state.resumed;
    this.#restore.begin(dialed, { isRestored: isResumed && this.#options.restorable.isRestored });
  }

  /** Runs on every answer; most change nothing. */
  #answered(method: string): void {
    const isNews = this.#state.name !== 'ready' || this.#state.dialsSinceAnswer > 0;
    const isHandshake =
      method === 'initialize' || (method === 'server/discover' && this.#state.name !== 'ready');
    if (isNews && !isHandshake) this.#dispatch({ type: 'answered' });
  }

  #ended(dialed: DialedChannel, reason: LongwireError): void {
    if (this.#dialed !== dialed) return;
    this.#askedDelayMs = dialed.channel?.askedDelayMs ?? this.#askedDelayMs;
    this.#fail('channel-ended', reason);
  }

  async #dialFailed(dialed: DialedChannel, error: LongwireError): Promise<void> {
    if (this.#dialed !== dialed) return;
    if (this.#lostSession.isRefusedBy(error) && !(await this.#abandonSession(dialed))) return;
    this.#fail('dial-failed', error);
  }

  #fail(type: 'channel-ended' | 'dial-failed', error: LongwireError): void {
    this.#dispatch({
      type,
      reason: this.#state.name === 'connecting' ? asConnectError(error) : error,
      requestsWait: this.#options.ledger.needsSession,
      askedMs: Math.max(this.#askedDelayMs, retryAfterOf(error) ?? 0),
    });
  }

  #closeChannel(): void {
    clearTimeout(this.#delay);
    this.#heartbeat.stop();
    this.#restore.serverStream.stop();
    const dialed = this.#dialed;
    const willReconnect = this.#state.name === 'reconnecting';
    this.#dialed = undefined;
    this.#pending.push(...this.#lostSession.release(dialed, { willReconnect }));
  }

  /** The lost session cannot be resumed: this dial has shown it. False if that is over meanwhile. */
  async #abandonSession(dialed: DialedChannel): Promise<boolean> {
    await this.#lostSession.flushed();
    if (this.#dialed !== dialed) return false;
    for (const message of this.#lostSession.abandon()) this.#options.port.deliver(message);
    return true;
  }
}
