import type {
  InitializeResult,
  JSONRPCMessage,
  JSONRPCNotification,
  JSONRPCRequest,
  JSONRPCResponse,
  RequestId,
  Result,
} from '@modelcontextprotocol/client';
import type { LongwireError } from '../errors.js';
import type { Target } from '../target/target.js';
import { Aftermath } from './aftermath.js';
import type { CallMark } from './call-mark.js';
import { asConnectError, closedError, noSessionError, silentError } from './failures.js';
import { Handshake } from './handshake.js';
import { Inbound } from './inbound.js';
import type { Ledger, LedgerEntry, LedgerRequest } from './ledger.js';
import { Link } from './link.js';
import type { ResolvedConnectionOptions } from './options.js';
import { Openers } from './openers.js';
import { Outbound } from './outbound.js';
import { hasEndedEarly, isRefusal, retryAfterOf } from './retry.js';
import { ServerRequests } from './server-requests.js';
import type { Standing } from './standing.js';
import { transition, type ConnectionEvent, type ConnectionState, type Effect } from './state.js';
import { Watchdog } from './watchdog.js';

/** So often may a stream that is to go on end before it says anything; dials are left for another. */
const MAX_EARLY_ENDS = 3;

/** What a line is made with. */
export interface LineOptions {
  target: Target;
  options: ResolvedConnectionOptions;
  ledger: Ledger;
  standing: Standing;
  /** Makes a request of the line's own. */
  ask: (request: LedgerRequest, mark: CallMark) => Promise<Result>;
  /** Takes what is for the program. */
  deliver: (message: JSONRPCMessage) => void;
  /** Takes what is for nobody, and wrong. */
  report: (error: Error) => void;
  /** Told of every change of state. */
  onState: (state: ConnectionState) => void;
}

/**
 * The line to the server: one link at a time, and the next when that one is gone; a session of the
 * server may go on from one to the next. It carries out what `state.ts` decides, and nothing else
 * dials, waits for a dial, or lets go of a link.
 */
export class Line {
  readonly #options: LineOptions;
  readonly #outbound: Outbound;
  readonly #inbound: Inbound;
  readonly #serverRequests = new ServerRequests();
  #state: ConnectionState = { name: 'idle' };
  /** What happens and is not followed yet. */
  readonly #events: ConnectionEvent[] = [];
  #isFollowing = false;
  /** What the program is told once the event is followed. */
  readonly #undelivered: JSONRPCMessage[] = [];
  #link: Link | undefined;
  /** The link on which the program's own `initialize` was answered. */
  #introduced: Link | undefined;
  readonly #aftermath: Aftermath;
  #delay: NodeJS.Timeout | undefined;
  #askedDelayMs = 0;
  /** How often the stream that was to go on ended before it said anything. */
  #endedEarly = 0;
  #watchdog: Watchdog | undefined;
  #pinged: CallMark | undefined;
  readonly #handshake: Handshake;
  readonly #openers = new Openers();

  constructor(options: LineOptions) {
    const { ledger, standing, deliver, report } = options;
    this.#options = options;
    this.#handshake = new Handshake(ledger);
    this.#aftermath = new Aftermath({ ledger, serverRequests: this.#serverRequests, report });
    this.#outbound = new Outbound({
      ledger,
      retry: options.options.retry,
      link: () => (this.#state.name === 'ready' ? this.#link : undefined),
    });
    this.#inbound = new Inbound({
      ledger,
      serverRequests: this.#serverRequests,
      onAnswer: ({ request, mark }, answer) => {
        if (mark.internal !== true || request.method === 'ping') this.#progress(request.method);
        if ('result' in answer && mark.internal !== true) standing.learn(request, answer.result);
      },
      deliver,
      report,
    });
  }

  /** Where the line stands. */
  get state(): ConnectionState {
    return this.#state;
  }

  /** What the server answered to the latest handshake. */
  get server(): InitializeResult | undefined {
    return this.#handshake.server;
  }

  /** Sends a request, now or when the line is ready. */
  send(entry: LedgerEntry): void {
    if (this.#state.name === 'ready') this.#outbound.send(entry);
    else this.#happen({ type: 'request-made' });
  }

  /** The program's own first request; it is replayed on every later session. */
  introduce(initialize: JSONRPCRequest, entry: LedgerEntry): void {
    this.#handshake.begin(initialize, entry);
    this.send(entry);
  }

  /**
   * The program ends its own handshake. Requests wait until the server has taken that.
   *
   * @throws LongwireError
   */
  async finishHandshake(initialized: JSONRPCNotification): Promise<void> {
    this.#handshake.initialized = initialized;
    const link = this.#link;
    // If the line was lost in the middle, the handshake is replayed from its beginning.
    if (link === undefined || link !== this.#introduced) await this.#untilReady();
    else await this.#finish(link);
  }

  /**
   * Dials, if there is no link; fulfilled when requests go out at once.
   *
   * @throws LongwireError
   */
  open(): Promise<void> {
    if (this.#state.name === 'ready') return Promise.resolve();
    const ready = this.#openers.wait();
    this.#happen({ type: 'request-made' });
    return ready;
  }

  /** Sends what is no request: on this session or not at all. */
  say(message: JSONRPCMessage): Promise<void> {
    if (this.#aftermath.keep(message)) return Promise.resolve();
    if (this.#link?.channel === undefined) return Promise.reject(this.#noSession());
    return this.#link.say(message);
  }

  /** Answers a request of the server, if its session is still there. */
  async answer(answer: JSONRPCResponse): Promise<void> {
    const theirs = this.#serverRequests.answer(answer as JSONRPCResponse & { id: RequestId });
    // The session that asked is gone, and so is who wanted to know.
    if (theirs !== undefined) await this.say(theirs);
  }

  /** A request was settled from this side. */
  settled(entry: LedgerEntry): void {
    this.#outbound.settled(entry);
  }

  /** Closes for good; fulfilled when nothing is left open. */
  async close(): Promise<void> {
    const link = this.#link;
    this.#outbound.allSettled();
    await link?.farewell();
    this.#happen({ type: 'close-asked' });
    await link?.close();
    await this.#aftermath.close();
  }

  /** One event after the other: what the program does when it is told of one comes behind it. */
  #happen(event: ConnectionEvent): void {
    this.#events.push(event);
    if (this.#isFollowing) return;
    this.#isFollowing = true;
    for (let next = this.#events.shift(); next !== undefined; next = this.#events.shift()) {
      this.#follow(next);
    }
    this.#isFollowing = false;
  }

  #follow(event: ConnectionEvent): void {
    const next = transition(this.#state, event, this.#options.options.retry);
    if (next === undefined) return;
    const changed = next.state.name !== this.#state.name;
    this.#state = next.state;
    for (const effect of next.effects) this.#carryOut(effect);
    this.#deliverLate();
    if (changed) this.#tell(next.state);
  }

  #deliverLate(): void {
    for (const message of this.#undelivered.splice(0)) this.#options.deliver(message);
  }

  #carryOut(effect: Effect): void {
    switch (effect.type) {
      case 'dial':
        this.#dial();
        break;
      case 'wait':
        this.#delay = setTimeout(() => {
          this.#happen({ type: 'delay-over', requestsWait: this.#options.ledger.size > 0 });
        }, effect.ms);
        break;
      case 'release':
        if (this.#link !== undefined) this.#restore(this.#link);
        this.#outbound.release();
        break;
      case 'sort-out':
        this.#aftermath.sortOut(effect.reason);
        break;
      case 'fail-all':
        this.#outbound.allSettled();
        this.#aftermath.failAll(effect.reason);
        void this.#aftermath.close();
        break;
      case 'hang-up':
        this.#hangUp();
        break;
    }
  }

  #tell(state: ConnectionState): void {
    if (state.name === 'ready') this.#openers.opened();
    else if (state.name === 'resting' || state.name === 'closed') {
      this.#openers.failed(asConnectError(this.#noSession()));
    }
    this.#options.onState(state);
  }

  /** Rejected if nothing is under way that could make it ready. */
  #untilReady(): Promise<void> {
    const { name } = this.#state;
    if (name === 'ready') return Promise.resolve();
    if (name === 'connecting' || name === 'reconnecting') return this.#openers.wait();
    return Promise.reject(this.#noSession());
  }

  #dial(): void {
    const { target, options } = this.#options;
    const link: Link = new Link({
      target,
      options,
      resumption: this.#aftermath.resumption,
      handlers: {
        onMessage: (message) => {
          if (this.#link === link) this.#inbound.take(message);
        },
        onTrouble: (error, answerTo) => {
          if (this.#link === link) this.#inbound.takeTrouble(error, answerTo);
        },
        onEnd: (reason) => {
          if (this.#link === link) this.#ended(link, reason);
        },
      },
    });
    this.#link = link;
    this.#shakeHands(link).catch((error: LongwireError) => this.#dialFailed(link, error));
  }

  /** Shakes hands, unless the session before goes on. The program ends its own handshake itself. */
  async #shakeHands(link: Link): Promise<void> {
    const handshake = this.#handshake;
    const { own } = handshake;
    const answer = await link.open(handshake.request());
    if (this.#link !== link) return;
    if (answer === undefined) {
      this.#ready(link, true);
      return;
    }
    if (this.#aftermath.resumption !== undefined) this.#giveUpSession();
    handshake.learn(answer);
    if (own === undefined) {
      await this.#finish(link);
    } else {
      this.#introduced = link;
      this.#options.ledger.handOver(own);
      this.#inbound.take(answer);
    }
  }

  async #finish(link: Link): Promise<void> {
    try {
      await link.finish(this.#handshake.initialized);
    } catch (error) {
      this.#dialFailed(link, error as LongwireError);
    }
    if (this.#link === link) this.#ready(link, false);
    else await this.#untilReady();
  }

  #ready(link: Link, resumed: boolean): void {
    const { channel } = link;
    const { formerServer } = this.#handshake;
    if (channel === undefined) return;
    const { heartbeat } = this.#options.options;
    this.#askedDelayMs = 0;
    this.#endedEarly = 0;
    this.#introduced = undefined;
    this.#watchdog = new Watchdog({
      ...heartbeat,
      heardAt: () => channel.heardAt,
      isProven: () => this.#state.name !== 'ready' || this.#state.spent === 0,
      ping: (onAsked) => this.#ping(onAsked),
      onSilence: () => this.#ended(link, silentError(heartbeat)),
      now: () => performance.now(),
    });
    this.#happen({
      type: 'handshake-done',
      dialect: channel.dialect,
      address: channel.address,
      connectMs: link.ageMs,
      resumed,
      ...(formerServer !== undefined && !resumed && { formerServer }),
    });
    link.start();
  }

  /** Brings the session to where the one before stood, or where itself was to be brought. */
  #restore(link: Link): void {
    const { standing, ask, deliver, report } = this.#options;
    this.#aftermath.goOn(link);
    if (this.#state.name === 'ready' && this.#state.resumed && standing.isRestored) return;
    standing.restore({
      ask: (request) => ask(request, { certainty: 'not-sent', internal: true }),
      isCurrent: () => this.#link === link,
      onToolsChanged: () => deliver({ jsonrpc: '2.0', method: 'notifications/tools/list_changed' }),
      onFailure: report,
    });
  }

  /** The ping before it need not be answered any more: something else came. */
  #ping(onAsked: () => void): void {
    this.#options.ledger.remove(this.#pinged?.id);
    this.#pinged = { certainty: 'not-sent', internal: true, onSent: onAsked };
    // Whatever arrives is an answer, and the loss of the session is told otherwise.
    this.#options.ask({ method: 'ping' }, this.#pinged).catch(onAsked);
  }

  /** The path of every answer: nothing need happen on most. */
  #progress(method: string): void {
    const isNews = this.#state.name !== 'ready' || this.#state.spent > 0;
    if (isNews && method !== 'initialize') this.#happen({ type: 'answered' });
  }

  #ended(link: Link, reason: LongwireError): void {
    this.#askedDelayMs = link.channel?.askedDelayMs ?? this.#askedDelayMs;
    this.#fail('channel-ended', reason);
  }

  #dialFailed(link: Link, error: LongwireError): void {
    if (this.#link !== link) return;
    const { resumption } = this.#aftermath;
    if (resumption !== undefined) {
      const endsAgain = hasEndedEarly(error) && ++this.#endedEarly >= MAX_EARLY_ENDS;
      if (isRefusal(error) || endsAgain) this.#giveUpSession();
    }
    this.#fail('dial-failed', error);
  }

  #fail(type: 'channel-ended' | 'dial-failed', error: LongwireError): void {
    const { ledger } = this.#options;
    this.#happen({
      type,
      reason: this.#state.name === 'connecting' ? asConnectError(error) : error,
      requestsWait: ledger.size > 0,
      askedMs: Math.max(this.#askedDelayMs, retryAfterOf(error) ?? 0),
    });
  }

  #hangUp(): void {
    clearTimeout(this.#delay);
    this.#watchdog?.stop();
    const link = this.#link;
    const comesBack = this.#state.name === 'reconnecting';
    this.#link = undefined;
    this.#undelivered.push(...this.#aftermath.letGo(link, { comesBack }));
  }

  /** The session that was lost does not go on. */
  #giveUpSession(): void {
    this.#undelivered.push(...this.#aftermath.giveUp());
    if (!this.#isFollowing) this.#deliverLate();
  }

  #noSession(): LongwireError {
    const state = this.#state;
    if (state.name === 'resting') return state.reason;
    if (state.name === 'idle' || state.name === 'closed') return closedError('not-sent');
    return noSessionError('reason' in state ? state.reason : undefined);
  }
}
