import type {
  JSONRPCMessage,
  JSONRPCNotification,
  JSONRPCRequest,
  JSONRPCResponse,
  Result,
} from '@modelcontextprotocol/client';
import type { Era, SendOptions } from '../channels/channel.js';
import type { LongwireError, Tried } from '../errors.js';
import type { Target } from '../target/target.js';
import { Aftermath } from './aftermath.js';
import type { CallMark } from './call-mark.js';
import { asConnectError, noSessionIn, silentError, unknownMethod } from './failures.js';
import { Handshake, type ServerFacts } from './handshake.js';
import type { Ledger, LedgerEntry, LedgerRequest } from './ledger.js';
import { Link } from './link.js';
import type { ResolvedConnectionOptions } from './options.js';
import type { Onion } from './onion.js';
import { Openers } from './openers.js';
import { hasEndedEarly, isRefusal, retryAfterOf } from './retry.js';
import { ServerRequests } from './server-requests.js';
import type { Standing } from './standing.js';
import { Traffic, type TrafficOptions } from './traffic.js';
import { transition, type ConnectionEvent, type ConnectionState, type Effect } from './state.js';

/** So often may a stream that is to go on end before it says anything; dials are left for another. */
const MAX_EARLY_ENDS = 3;

/** What a line is made with. */
export interface LineOptions {
  target: Target;
  /** What stands around every handshake. */
  onion: Onion | undefined;
  options: ResolvedConnectionOptions;
  ledger: Ledger;
  standing: Standing;
  /** Makes a request of the line's own. */
  ask: (request: LedgerRequest, mark: CallMark) => Promise<Result>;
  /** Gives up a request of the line's own. */
  giveUp: (mark: CallMark) => void;
  /** Takes what is for the program. */
  deliver: TrafficOptions['deliver'];
  /** Takes what is for nobody, and wrong. */
  report: (error: Error) => void;
  /** Told of every change of state. */
  onState: (state: ConnectionState) => void;
  /** Told that the server has come back in another era. */
  onEra: (era: Era) => void;
}

/**
 * The line to the server: one link at a time, and the next when that one is gone; a session of the
 * server may go on from one to the next. It carries out what `state.ts` decides, and nothing else
 * dials, waits for a dial, or lets go of a link.
 */
export class Line {
  readonly #options: LineOptions;
  readonly #traffic: Traffic;
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
  /** How the link of now was found. */
  #tried: readonly Tried[] | undefined;
  readonly #handshake: Handshake;
  readonly #openers = new Openers();

  constructor(options: LineOptions) {
    const { ledger, report } = options;
    const { heartbeat, retry } = options.options;
    const serverRequests = new ServerRequests();
    this.#options = options;
    this.#handshake = new Handshake(ledger, options.options.protocol);
    this.#aftermath = new Aftermath({ ledger, serverRequests, report });
    this.#traffic = new Traffic({
      ...options,
      retry,
      heartbeat,
      serverRequests,
      handshake: this.#handshake,
      link: () => (this.#state.name === 'ready' ? this.#link : undefined),
      isProven: () => this.#state.name !== 'ready' || this.#state.spent === 0,
      onAnswered: (method) => this.#progress(method),
      onSilence: (link) => this.#ended(link, silentError(heartbeat)),
    });
  }

  /** Where the line stands. */
  get state(): ConnectionState {
    return this.#state;
  }

  /** What the server answered to the latest handshake. */
  get server(): ServerFacts | undefined {
    return this.#handshake.server;
  }

  /** Which era the server was of the last time. */
  get era(): Era | undefined {
    return this.#handshake.era;
  }

  /** Sends a request, now or when the line is ready. */
  send(entry: LedgerEntry): void {
    if (this.#state.name === 'ready') this.#traffic.outbound.send(entry);
    else this.#happen({ type: 'request-made' });
  }

  /** The program's own introduction; it is replayed on every later session. */
  introduce(request: JSONRPCRequest, entry: LedgerEntry): void {
    const link = this.#link;
    const answer = this.#handshake.begin(request, entry);
    if (answer !== undefined && link !== undefined) this.#answerOwn(entry, answer);
    else if (link?.channel === undefined) this.send(entry);
    // What the server was asked in the program's name was not what the program asks.
    else this.#dialAnew(link);
  }

  /** From now on the program wants to know when a list of the server changes. */
  wantLists(): void {
    this.#traffic.restoration.listening.wantLists();
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

  /** Sends what is no request, for a call or for none: on this session or not at all. */
  say(message: JSONRPCMessage, caller?: SendOptions): Promise<void> {
    if (this.#aftermath.keep(message, caller)) return Promise.resolve();
    if (this.#link?.channel === undefined) return Promise.reject(noSessionIn(this.#state));
    return this.#link.say(message, caller);
  }

  /** Answers a request of the server, if its session is still there. */
  async answer(answer: JSONRPCResponse): Promise<void> {
    const theirs = this.#traffic.answerUnderTheirId(answer);
    // The session that asked is gone, and so is who wanted to know.
    if (theirs !== undefined) await this.say(theirs);
  }

  /** A request was settled from this side. */
  settled(entry: LedgerEntry): void {
    this.#traffic.outbound.settled(entry);
  }

  /** Closes for good; fulfilled when nothing is left open. */
  async close(): Promise<void> {
    const link = this.#link;
    this.#traffic.outbound.allSettled();
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
        this.#traffic.outbound.release();
        break;
      case 'sort-out':
        this.#aftermath.sortOut(effect.reason);
        break;
      case 'fail-all':
        this.#traffic.outbound.allSettled();
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
      this.#openers.failed(asConnectError(noSessionIn(this.#state)));
    }
    this.#options.onState(state);
  }

  /** Rejected if nothing is under way that could make it ready. */
  #untilReady(): Promise<void> {
    const { name } = this.#state;
    if (name === 'ready') return Promise.resolve();
    if (name === 'connecting' || name === 'reconnecting') return this.#openers.wait();
    return Promise.reject(noSessionIn(this.#state));
  }

  #dial(): void {
    const link: Link = new Link({
      ...this.#options,
      resumption: this.#aftermath.resumption,
      handlers: {
        onMessage: (message, requestId) => {
          if (this.#link === link) this.#traffic.inbound.take(message, requestId);
        },
        onTrouble: (error, answerTo) => {
          if (this.#link === link) this.#traffic.inbound.takeTrouble(error, answerTo);
        },
        onEnd: (reason) => {
          if (this.#link === link) this.#ended(link, reason);
        },
      },
    });
    this.#link = link;
    // It is for all who wait, and belongs to none of them.
    const shaken = this.#options.options.scope.runInAsyncScope(() => this.#shakeHands(link));
    shaken.catch((error: LongwireError) => this.#dialFailed(link, error));
  }

  /** Shakes hands, unless the session before goes on. The program ends its own handshake itself. */
  async #shakeHands(link: Link): Promise<void> {
    const handshake = this.#handshake;
    const { own } = handshake;
    const { channel, answer, tried } = await link.open(handshake.introduction());
    if (this.#link !== link) return;
    this.#tried = tried;
    if (answer === undefined) {
      this.#ready(link, true);
      return;
    }
    const { era } = channel;
    if (this.#aftermath.resumption !== undefined) this.#giveUpSession();
    const isOther = handshake.learn(answer, era);
    if (own === undefined) {
      if (isOther) this.#options.onEra(era);
      if (era === 'modern') this.#ready(link, false);
      else await this.#finish(link);
      return;
    }
    this.#introduced = link;
    const isAnswer = (era === 'modern') === (own.request.method === 'server/discover');
    this.#answerOwn(own, isAnswer ? answer : unknownMethod(own.id));
    if (era === 'modern') this.#ready(link, false);
  }

  #answerOwn(own: LedgerEntry, answer: JSONRPCResponse): void {
    this.#options.ledger.handOver(own);
    this.#traffic.inbound.take({ ...answer, id: own.id });
  }

  #dialAnew(link: Link): void {
    this.#aftermath.letGo(link, { comesBack: false });
    this.#dial();
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
    this.#askedDelayMs = 0;
    this.#endedEarly = 0;
    this.#introduced = undefined;
    this.#traffic.heartbeat.watch(link);
    this.#happen({
      type: 'handshake-done',
      dialect: channel.dialect,
      address: link.address,
      connectMs: link.ageMs,
      resumed,
      ...(formerServer !== undefined && !resumed && { formerServer }),
      ...(this.#tried !== undefined && { tried: this.#tried }),
    });
    link.start();
  }

  /** Brings the session to where the one before stood, or where itself was to be brought. */
  #restore(link: Link): void {
    const { standing } = this.#options;
    this.#aftermath.goOn(link);
    const isRestored = this.#state.name === 'ready' && this.#state.resumed && standing.isRestored;
    this.#traffic.restoration.begin(link, { isRestored });
  }

  /** The path of every answer: nothing need happen on most. */
  #progress(method: string): void {
    const isNews = this.#state.name !== 'ready' || this.#state.spent > 0;
    const isIntroduction =
      method === 'initialize' || (method === 'server/discover' && this.#state.name !== 'ready');
    if (isNews && !isIntroduction) this.#happen({ type: 'answered' });
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
    this.#traffic.stop();
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
}
