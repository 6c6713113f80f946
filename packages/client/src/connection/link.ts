import type {
  JSONRPCMessage,
  JSONRPCNotification,
  JSONRPCRequest,
  JSONRPCResponse,
} from '@modelcontextprotocol/client';
import { toJson } from '../channels/exact-json.js';
import type {
  BrokenStream,
  Channel,
  ChannelHandlers,
  Resumption,
  SendOptions,
} from '../channels/channel.js';
import { checkKept } from '../channels/event-stream.js';
import type { HeaderRecord } from '../channels/headers.js';
import { within } from '../channels/within.js';
import { maskError, maskServerError } from '../secrets/mask-error.js';
import { dial } from '../target/dial.js';
import type { Introduction } from '../target/eras.js';
import type { Connected } from '../target/handshake.js';
import type { Target } from '../target/target.js';
import type { LongwireError } from '../errors.js';
import { closedError, initializedTimeout } from './failures.js';
import { usableInitializeAnswer } from './initialize-result.js';
import { leadHandshake, type Onion } from './onion.js';
import { MAX_TIMER_MS, type HeartbeatOptions, type ResolvedConnectionOptions } from './options.js';
import { isObjection } from './retry.js';

/** How long a close waits for what is being said, such as a cancellation. */
const FAREWELL_MS = 1000;

/** Of so many silences of the line, one of a stream that nobody can ask for a sign of life. */
const HEARING_SILENCES = 10;

/** What a link is made with. */
export interface LinkOptions {
  target: Target;
  options: ResolvedConnectionOptions;
  /** What stands around the handshake. */
  onion: Onion | undefined;
  /** What the session before this one left, if the server may let it go on. */
  resumption: Resumption | undefined;
  handlers: ChannelHandlers;
}

/** One link to the server: a dial, and the channel that came of it, to its end. */
export class Link {
  readonly #target: Target;
  readonly #options: ResolvedConnectionOptions;
  readonly #onion: Onion | undefined;
  readonly #resumption: Resumption | undefined;
  readonly #handlers: ChannelHandlers;
  readonly #startedAt = performance.now();
  readonly #dialling = new AbortController();
  readonly #saying = new Set<Promise<void>>();
  #channel: Channel | undefined;
  #headers: HeaderRecord | undefined;
  #dialled: Promise<unknown> = Promise.resolve();
  /**
   * What came before the handshake was through; `undefined` from then on. A session that goes on
   * has no handshake: what it replays was counted when it came, and must not get lost here.
   */
  #early: JSONRPCMessage[] | undefined = [];
  #earlySize = 0;
  #posts = 0;
  #onQuiet: (() => void) | undefined;
  #isStarted = false;
  #hasEnded = false;
  #isRetired = false;
  #closed = false;

  constructor({ target, options, onion, resumption, handlers }: LinkOptions) {
    this.#onion = onion;
    this.#target = target;
    this.#options = options;
    this.#resumption = resumption;
    this.#handlers = handlers;
  }

  /** The channel, once the dial has succeeded. */
  get channel(): Channel | undefined {
    return this.#channel;
  }

  /** Where messages go, without its secrets: a command may have keys among its words. */
  get address(): string {
    return this.#options.secrets.mask(this.#channel?.address ?? '');
  }

  /** The handshake is through, or was never needed. */
  get isStarted(): boolean {
    return this.#isStarted;
  }

  /** It was let go of, and its session may go on without it. */
  get isRetired(): boolean {
    return this.#isRetired;
  }

  /** Milliseconds since the dial began. */
  get ageMs(): number {
    return performance.now() - this.#startedAt;
  }

  /**
   * Dials, with the program's own introduction, and gives what came of it.
   *
   * @throws ConnectError; LongwireError `closed` if the link was closed meanwhile.
   */
  open(introduction: Introduction): Promise<Connected> {
    const opened = this.#lead(introduction);
    this.#dialled = opened.catch(() => {});
    return opened;
  }

  /**
   * Tells the server that the handshake is through; fulfilled when it has taken that, or refuses it
   * and says nothing of the session. What came before is given out by `start`.
   *
   * @throws LongwireError
   */
  async finish(initialized: JSONRPCNotification): Promise<void> {
    const channel = this.#channel;
    if (channel === undefined) throw closedError('not-sent');
    const leftMs = this.#options.connectMs - this.ageMs;
    try {
      await within(leftMs, this.#masked(channel.send(initialized)), () =>
        initializedTimeout(this.address),
      );
    } catch (error) {
      // A server that does not like the end of a handshake may serve all the same.
      if (!isObjection(error)) throw error;
      this.#handlers.onTrouble(error);
    }
  }

  /** Gives out the messages that came during the handshake, and from now on those that come. */
  start(): void {
    const early = this.#early ?? [];
    this.#isStarted = true;
    this.#early = undefined;
    for (const message of early) this.#handlers.onMessage(message);
  }

  /** Sends a request; fulfilled when the server has accepted it. */
  ask(request: JSONRPCRequest, onWire: () => void, options: SendOptions): Promise<void> {
    return this.#count((this.#channel as Channel).send(request, onWire, options));
  }

  /** Goes on with a stream that broke off; as `ask` of its request. */
  goOn(broken: BrokenStream, options: SendOptions): Promise<void> {
    return this.#count(
      this.#channel?.resume?.(broken, options) ?? Promise.reject(closedError('outcome-unknown')),
    );
  }

  /** The session is gone, or its server is away, as was found out by asking it. */
  abandon(reason: LongwireError, how: 'gone' | 'away'): void {
    this.#channel?.abandon?.(reason, how);
  }

  async #count(post: Promise<void>): Promise<void> {
    this.#posts++;
    try {
      await post;
    } catch (error) {
      throw maskError(error, this.#options.secrets);
    } finally {
      if (--this.#posts === 0) this.#onQuiet?.();
    }
  }

  /** Sends what is no request, for a call or for none: on this link or not at all. */
  say(message: JSONRPCMessage, caller?: SendOptions): Promise<void> {
    if (this.#channel === undefined) return Promise.reject(closedError('not-sent'));
    const said = this.#masked(this.#channel.send(message, undefined, caller));
    const settled = said.catch(() => {}).finally(() => this.#saying.delete(settled));
    this.#saying.add(settled);
    return said;
  }

  /** Waits a moment for what is being said. */
  async farewell(): Promise<void> {
    if (this.#saying.size > 0) await within(FAREWELL_MS, Promise.all(this.#saying));
  }

  /**
   * Lets go of a link whose session may go on without it. If it ended by itself, so that nothing
   * can come of it any more, the requests that are on their way to the server are let arrive:
   * what the session took, it will answer.
   */
  async retire(): Promise<void> {
    this.#isRetired = true;
    if (this.#hasEnded && this.#posts > 0) {
      const quiet = new Promise<void>((resolve) => {
        this.#onQuiet = resolve;
      });
      await within(FAREWELL_MS, quiet);
    }
    await this.#close({ keepSession: true });
  }

  /** Ends the link; fulfilled when nothing of it is left open. Harmless when repeated. */
  async close(): Promise<void> {
    await this.#close({ keepSession: false });
  }

  async #close(options: { keepSession: boolean }): Promise<void> {
    this.#closed = true;
    this.#dialling.abort(closedError('not-sent'));
    await this.#dialled;
    await this.#channel?.close(options);
  }

  /** Throws, which ends the channel, when a server says too much before it may. */
  #keep(message: JSONRPCMessage, early: JSONRPCMessage[]): void {
    this.#earlySize += toJson(message).length;
    checkKept(this.#earlySize, this.#options.maxEventBytes);
    early.push(message);
  }

  /** From now on these go with what has no request of its own. */
  carry(headers: HeaderRecord | undefined): void {
    this.#headers = headers;
  }

  #lead(introduction: Introduction): Promise<Connected> {
    if (this.#onion === undefined) return this.#open(introduction);
    return leadHandshake(this.#onion, introduction, {
      open: (headers) => {
        this.#headers = headers;
        return this.#open(introduction);
      },
      // Each of two attempts has the time of one, and a middleware some between them.
      limitMs: Math.min(3 * this.#options.connectMs, MAX_TIMER_MS),
    });
  }

  /** What a server says may hold what it was sent: from here on nothing does. */
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

  async #open(introduction: Introduction): Promise<Connected> {
    const connected = await this.#masked(this.#dial(introduction));
    const { channel, answer, tried } = connected;
    if (this.#closed) {
      await channel.close();
      throw closedError('not-sent');
    }
    this.#channel = channel;
    const { secrets } = this.#options;
    const askedVersion = introduction.initialize.params?.['protocolVersion'];
    const usable = (said: JSONRPCResponse): JSONRPCResponse =>
      channel.era === 'legacy' ? usableInitializeAnswer(said, askedVersion) : said;
    const told = tried?.map((each) => ({ ...each, outcome: secrets.mask(each.outcome) }));
    return {
      ...connected,
      ...(answer !== undefined && { answer: usable(this.#maskAnswer(answer)) }),
      ...(told !== undefined && { tried: told }),
    };
  }

  #dial(introduction: Introduction): Promise<Connected> {
    const { secrets } = this.#options;
    return dial({
      target: this.#target,
      transport: this.#options.transport,
      introduction,
      resumption: this.#resumption,
      onResumed: () => {
        this.#early = undefined;
      },
      handlers: {
        ...this.#handlers,
        onMessage: (came, requestId) => {
          const message = this.#maskAnswer(came);
          if (this.#early === undefined) this.#handlers.onMessage(message, requestId);
          else this.#keep(message, this.#early);
        },
        onTrouble: (error, answerTo) =>
          this.#handlers.onTrouble(maskError(error, secrets), answerTo),
        onEnd: (reason) => {
          this.#hasEnded = true;
          this.#handlers.onEnd(maskError(reason, secrets));
        },
      },
      channel: this.#options,
      connectMs: this.#options.connectMs,
      maxEventBytes: this.#options.maxEventBytes,
      jsonBounds: this.#options.jsonBounds,
      headersOfAll: () => this.#headers,
      scope: this.#options.scope,
      hearingMs: hearingMs(this.#options.heartbeat),
      counts: this.#options.counts,
      cookieJar: this.#options.cookieJar,
      secrets,
      signal: this.#dialling.signal,
    });
  }
}

/** For how long nothing may come on a stream on which the server speaks unasked; 0: for ever. */
function hearingMs({ silenceMs }: Required<HeartbeatOptions>): number {
  if (silenceMs > MAX_TIMER_MS) return 0;
  return Math.min(Math.ceil(silenceMs * HEARING_SILENCES), MAX_TIMER_MS);
}
