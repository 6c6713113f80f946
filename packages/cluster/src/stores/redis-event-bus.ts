import type { ServerEvent, ServerEventBus } from '@modelcontextprotocol/server';
import { randomBytes } from 'node:crypto';
import { isObject, readJson } from '../payloads.js';
import type { StoreConnection } from './store-connection.js';

/** So many events are kept for nodes that were cut off from Redis. */
const KEPT_EVENTS = 1_000;
/** For so long. */
const KEPT_MS = 600_000;
/** How often it is tried to publish again, while Redis is away. */
const RETRY_MS = 1_000;

const PUBLISH = `
for at = 5, #ARGV do
  local id = redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[3], '*', 'from', ARGV[2], 'event', ARGV[at])
  redis.call('PUBLISH', ARGV[1], id .. ' ' .. ARGV[2] .. ' ' .. ARGV[at])
end
redis.call('PEXPIRE', KEYS[1], ARGV[4])
`;

const LAST = `
local last = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1]
return last and last[1] or '0-0'
`;

const AFTER = `
local events = {}
for at, entry in ipairs(redis.call('XRANGE', KEYS[1], '(' .. ARGV[1], '+')) do
  events[at] = entry[1] .. ' ' .. entry[2][2] .. ' ' .. entry[2][4]
end
return events
`;

/** What a listener did wrong. */
export type BusFailed = (error: Error) => void;

/**
 * What one node publishes, all nodes hear: listeners of this process at once, those of others when Redis has
 * passed it on. What is published while Redis is away is sent when it is back, the same event once. A node
 * that was cut off hears then what it has missed, as far as that was in the last ten minutes. When the
 * connection breaks in the middle, others may hear an event twice.
 */
export class RedisEventBus implements ServerEventBus {
  readonly #connection: StoreConnection;
  readonly #failed: BusFailed;
  readonly #channel: string;
  /** So that what was published here is not heard twice. */
  readonly #self = randomBytes(8).toString('hex');
  readonly #listeners = new Set<(event: ServerEvent) => void>();
  /** What is to be sent, in order. */
  readonly #pending = new Set<string>();
  readonly #leave: readonly (() => void)[];
  /** The last that were heard: they may come by both ways. */
  readonly #heard = new Set<string>();
  #lastId: string | undefined;
  #isSending = false;
  #retry: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(connection: StoreConnection, failed: BusFailed = () => {}) {
    this.#connection = connection;
    this.#failed = failed;
    this.#channel = `${connection.prefix}bus`;
    this.#leave = [
      connection.subscribe(this.#channel, (payload) => this.#receive(payload)),
      connection.onMissed(() => void this.#catchUp()),
    ];
    void this.#begin();
  }

  publish(event: ServerEvent): void {
    this.#tell(event);
    if (this.#isClosed) return;
    const text = JSON.stringify(event);
    // The same event tells nothing new while the first one waits; the last place keeps their order.
    this.#pending.delete(text);
    this.#pending.add(text);
    if (this.#pending.size > KEPT_EVENTS) {
      const [oldest = text] = this.#pending;
      this.#pending.delete(oldest);
    }
    // Those that are published together go together.
    queueMicrotask(() => void this.#send());
  }

  subscribe(listener: (event: ServerEvent) => void): () => void {
    // A function of its own: a listener may subscribe twice.
    const own = (event: ServerEvent): void => listener(event);
    this.#listeners.add(own);
    return () => void this.#listeners.delete(own);
  }

  /** Hears and sends nothing more. */
  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#retry);
    this.#pending.clear();
    for (const leave of this.#leave) leave();
  }

  async #send(): Promise<void> {
    if (this.#isSending || this.#isClosed || this.#pending.size === 0) return;
    this.#isSending = true;
    const events = [...this.#pending];
    this.#pending.clear();
    const sealed = events.map((event) => this.#connection.seal(event, ['bus', this.#self]));
    try {
      await this.#connection.run(
        PUBLISH,
        [this.#channel],
        [this.#channel, this.#self, KEPT_EVENTS, KEPT_MS, ...sealed],
      );
    } catch {
      // It comes before what was published meanwhile.
      const later = [...this.#pending];
      this.#pending.clear();
      for (const event of [...events, ...later]) this.#pending.add(event);
    }
    this.#isSending = false;
    if (this.#isClosed || this.#pending.size === 0) return;
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => void this.#send(), RETRY_MS).unref();
  }

  /** Notes where what is published now begins. */
  async #begin(): Promise<void> {
    try {
      const last = (await this.#connection.run(LAST, [this.#channel], [])) as string;
      this.#lastId ??= last;
    } catch {
      // The first event that comes says it.
    }
  }

  async #catchUp(): Promise<void> {
    if (this.#isClosed || this.#lastId === undefined) return;
    try {
      const missed = await this.#connection.run(AFTER, [this.#channel], [this.#lastId]);
      for (const payload of missed as readonly string[]) this.#receive(payload);
    } catch {
      // Redis is away again: it is read when it is back.
    }
  }

  #receive(payload: string): void {
    const [, id = '', from = '', stored = ''] = /^(\S+) (\S+) (.*)$/s.exec(payload) ?? [];
    if (this.#isClosed || this.#heard.has(id)) return;
    this.#heard.add(id);
    if (this.#heard.size > KEPT_EVENTS) {
      const [oldest = id] = this.#heard;
      this.#heard.delete(oldest);
    }
    this.#lastId = id;
    if (from === this.#self) return;
    const event = readJson(this.#connection, { stored, place: ['bus', from], is: isEvent });
    if (event !== undefined) this.#tell(event);
  }

  #tell(event: ServerEvent): void {
    for (const listener of this.#listeners) {
      try {
        listener(event);
      } catch (error) {
        this.#failed(error as Error);
      }
    }
  }
}

function isEvent(value: unknown): value is ServerEvent {
  return isObject(value) && typeof value['kind'] === 'string';
}
