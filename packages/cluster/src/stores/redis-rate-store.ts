import {
  MemoryRateStore,
  isClusterAway,
  type MaybePromise,
  type RateLimit,
  type RateStore,
  type RateTaken,
} from '@longwire/server';
import { createHash } from 'node:crypto';
import { WITH_CLOCK, type StoreClock, type StoreConnection } from './store-connection.js';

/** Rounding of times, as a share of one. */
const ROUNDING = 1e-3;
/** A key is kept a little longer than it counts. */
const SLACK_MS = 10_000;
/** What is longer is kept as a digest: names of principals and tools may be long. */
const MAX_KEY_LENGTH = 64;
/** Up to this share of a limit, what is known here is enough to allow one more. */
const FAR = 0.8;
/** Of smaller limits each one is asked for: a few more would be much. */
const LEAST_MAX = 50;
/** How often Redis is told what was allowed here. */
const TELL_MS = 100;
/** What was not heard of for longer is asked for. */
const STALE_MS = 5_000;
/** How many keys are known at a time. */
const MAX_KEYS = 100_000;

/**
 * The rule of `MemoryRateStore`, in one step. A key holds the time at which it will have got back all that
 * it used up. KEYS: the key. ARGV: the time, the limit, rounding and slack, how many were allowed already,
 * and whether one more is wanted.
 */
const TAKE = `${WITH_CLOCK}
local max, windowMs = tonumber(ARGV[2]), tonumber(ARGV[3])
local rounding, slackMs = tonumber(ARGV[4]), tonumber(ARGV[5])
local before, wanted = tonumber(ARGV[6]), tonumber(ARGV[7])
local eachMs = windowMs / max
local fullAt = math.max(tonumber(redis.call('GET', KEYS[1]) or '') or now, now) + before * eachMs
local used = (fullAt - now) / eachMs
local allowed = wanted == 1 and used + 1 <= max + rounding
if allowed then
  used = used + 1
  fullAt = fullAt + eachMs
end
if allowed or before > 0 then
  redis.call('SET', KEYS[1], string.format('%.3f', fullAt), 'PX', math.ceil(fullAt - now + slackMs))
end
return { allowed and 1 or 0, string.format('%.3f', used) }
`;

/** What is known here of one key. */
interface Known {
  readonly limit: RateLimit;
  /** When it will have got back all that it used up, as far as it is known; by the clock of this node. */
  fullAt: number;
  /** What was allowed here, and Redis does not know. */
  untold: number;
  heardAt: number;
}

/**
 * Counts what all nodes let pass together, by the clock of Redis. Far from its limit, one more is allowed at
 * once, and Redis is told within 100 ms; from 80 % of it, and with limits below 50, Redis is asked each
 * time. So a limit is passed by at most what the other nodes allow within 100 ms, and no call of a client
 * that keeps well within its limit waits. While Redis is away each node counts for itself.
 */
export class RedisRateStore implements RateStore {
  readonly #connection: StoreConnection;
  readonly #clock: StoreClock | undefined;
  /** What is counted while Redis is away. */
  readonly #alone = new MemoryRateStore();
  /** The one that was heard of the longest ago first. */
  readonly #known = new Map<string, Known>();
  /** Those that Redis is to be told of. */
  readonly #untold = new Set<string>();
  #telling: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(connection: StoreConnection, clock?: StoreClock) {
    this.#connection = connection;
    this.#clock = clock;
  }

  take(key: string, limit: RateLimit): MaybePromise<RateTaken> {
    if (!this.#connection.isUp) return this.#alone.take(key, limit);
    return this.#takeHere(key, limit) ?? this.#ask(key, limit);
  }

  /** Tells Redis nothing more. */
  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#telling);
  }

  /** Allows one more where that is surely within the limit, as far as it is known. */
  #takeHere(key: string, { max, windowMs }: RateLimit): RateTaken | undefined {
    const known = this.#known.get(key);
    if (known === undefined || max < LEAST_MAX) return undefined;
    if (known.limit.max !== max || known.limit.windowMs !== windowMs) return undefined;
    const now = this.#now();
    if (now - known.heardAt > STALE_MS) return undefined;
    const eachMs = windowMs / max;
    const fullAt = Math.max(known.fullAt, now) + eachMs;
    const used = (fullAt - now) / eachMs;
    if (used > max * FAR) return undefined;
    known.fullAt = fullAt;
    known.untold++;
    this.#untold.add(key);
    this.#telling ??= setTimeout(() => this.#tell(), TELL_MS).unref();
    return { isAllowed: true, left: Math.floor(max - used + ROUNDING), retryAfterMs: 0 };
  }

  async #ask(key: string, limit: RateLimit): Promise<RateTaken> {
    const { max, windowMs } = limit;
    try {
      const { isAllowed, used } = await this.#run(key, limit, 1);
      const left = Math.max(0, Math.floor(max - used + ROUNDING));
      const retryAfterMs = left > 0 ? 0 : (used + 1 - max) * (windowMs / max);
      return { isAllowed, left, retryAfterMs };
    } catch (error) {
      if (isClusterAway(error)) return this.#alone.take(key, limit);
      throw error;
    }
  }

  /** Tells Redis of all that was allowed here. What it cannot be told is forgotten. */
  #tell(): void {
    this.#telling = undefined;
    const keys = [...this.#untold];
    this.#untold.clear();
    for (const key of keys) {
      const known = this.#known.get(key);
      if (known === undefined || this.#isClosed) continue;
      this.#run(key, known.limit, 0).catch(() => this.#known.delete(key));
    }
  }

  async #run(
    key: string,
    limit: RateLimit,
    wanted: 0 | 1,
  ): Promise<{ isAllowed: boolean; used: number }> {
    const { max, windowMs } = limit;
    const before = this.#known.get(key);
    const untold = before?.untold ?? 0;
    if (before !== undefined) before.untold = 0;
    const args = [this.#clock?.() ?? '', max, windowMs, ROUNDING, SLACK_MS, untold, wanted];
    const reply = await this.#connection.run(TAKE, [this.#keyOf(key)], args);
    const [isAllowed, usedUp] = reply as readonly [number, string];
    const used = Number(usedUp);
    if (max >= LEAST_MAX) this.#learn(key, limit, used);
    return { isAllowed: isAllowed === 1, used };
  }

  #learn(key: string, limit: RateLimit, used: number): void {
    const now = this.#now();
    const untold = this.#known.get(key)?.untold ?? 0;
    const fullAt = now + (used + untold) * (limit.windowMs / limit.max);
    // Set anew, so that it comes last.
    this.#known.delete(key);
    for (const [oldest, { heardAt }] of this.#known) {
      if (now - heardAt <= STALE_MS && this.#known.size < MAX_KEYS) break;
      this.#known.delete(oldest);
    }
    this.#known.set(key, { limit, fullAt, untold, heardAt: now });
  }

  #now(): number {
    return this.#clock?.() ?? performance.now();
  }

  #keyOf(key: string): string {
    const isLong = key.length > MAX_KEY_LENGTH;
    const name = isLong ? createHash('sha256').update(key).digest('base64url') : key;
    return `${this.#connection.prefix}rate:${name}`;
  }
}
