import type {
  JSONRPCMessage,
  JSONRPCNotification,
  JSONRPCRequest,
  JSONRPCResponse,
} from '@modelcontextprotocol/client';
import type { Channel, ChannelHandlers } from '../channels/channel.js';
import { within } from '../channels/within.js';
import { dial } from '../target/dial.js';
import type { Target } from '../target/target.js';
import { closedError, initializedTimeout } from './failures.js';
import type { ResolvedConnectionOptions } from './options.js';

/** How long a close waits for what is being said, such as a cancellation. */
const FAREWELL_MS = 1000;

/** What a session is made with. */
export interface SessionOptions {
  target: Target;
  options: ResolvedConnectionOptions;
  handlers: ChannelHandlers;
}

/** One session with the server, from its dial to its end. A new session is a new one of these. */
export class Session {
  readonly #target: Target;
  readonly #options: ResolvedConnectionOptions;
  readonly #handlers: ChannelHandlers;
  readonly #startedAt = performance.now();
  readonly #dialling = new AbortController();
  readonly #saying = new Set<Promise<void>>();
  #channel: Channel | undefined;
  #dialled: Promise<unknown> = Promise.resolve();
  /** What came before the handshake was through; `undefined` from then on. */
  #early: JSONRPCMessage[] | undefined = [];
  #closed = false;

  constructor({ target, options, handlers }: SessionOptions) {
    this.#target = target;
    this.#options = options;
    this.#handlers = handlers;
  }

  /** The line of an open session. */
  get channel(): Channel | undefined {
    return this.#channel;
  }

  /** Milliseconds since the dial began. */
  get ageMs(): number {
    return performance.now() - this.#startedAt;
  }

  /**
   * Dials, with the real `initialize`, and gives its answer.
   *
   * @throws ConnectError; LongwireError `closed` if the session was closed meanwhile.
   */
  open(initialize: JSONRPCRequest): Promise<JSONRPCResponse> {
    const opened = this.#open(initialize);
    this.#dialled = opened.catch(() => {});
    return opened;
  }

  /**
   * Tells the server that the handshake is through; fulfilled when it has taken that. What came
   * before is given out by `start`.
   *
   * @throws LongwireError
   */
  async finish(initialized: JSONRPCNotification): Promise<void> {
    const channel = this.#channel;
    if (channel === undefined) throw closedError('not-sent');
    const leftMs = this.#options.connectMs - this.ageMs;
    await within(leftMs, channel.send(initialized), () => initializedTimeout(channel.url));
  }

  /** Gives out the messages that came during the handshake, and from now on those that come. */
  start(): void {
    const early = this.#early ?? [];
    this.#early = undefined;
    for (const message of early) this.#handlers.onMessage(message);
  }

  /** Sends what is no request: on this session or not at all. */
  say(message: JSONRPCMessage): Promise<void> {
    if (this.#channel === undefined) return Promise.reject(closedError('not-sent'));
    const said = this.#channel.send(message);
    const settled = said.catch(() => {}).finally(() => this.#saying.delete(settled));
    this.#saying.add(settled);
    return said;
  }

  /** Waits a moment for what is being said. */
  async farewell(): Promise<void> {
    if (this.#saying.size > 0) await within(FAREWELL_MS, Promise.all(this.#saying));
  }

  /** Ends the session; fulfilled when nothing of it is left open. Harmless when repeated. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#dialling.abort(closedError('not-sent'));
    await this.#dialled;
    await this.#channel?.close();
  }

  async #open(initialize: JSONRPCRequest): Promise<JSONRPCResponse> {
    const { channel, answer } = await dial({
      target: this.#target,
      transport: this.#options.transport,
      initialize,
      handlers: {
        ...this.#handlers,
        onMessage: (message) => {
          if (this.#early === undefined) this.#handlers.onMessage(message);
          else this.#early.push(message);
        },
      },
      channel: this.#options,
      connectMs: this.#options.connectMs,
      signal: this.#dialling.signal,
    });
    if (this.#closed) {
      await channel.close();
      throw closedError('not-sent');
    }
    this.#channel = channel;
    return answer;
  }
}
