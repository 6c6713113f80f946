import { MemoryRateStore, type RateLimit, type RateStore, type RateTaken } from '@longwire/server';
import { createHash } from 'node:crypto';
import { WITH_CLOCK, type StoreClock, type StoreConnection } from './store-connection.js';

/** Rounding of times, as a share of one. */
const ROUNDING = 1e-3;
/** A key is kept a little longer than it counts. */
const SLACK_MS = 10_000;
/** What is longer is kept as a digest: names of principals and tools may be long. */
const MAX_KEY_LENGTH = 64;

/**
 * The rule of `MemoryRateStore`, in one step. A key holds the time at which it will have got back all that
 * it used up.
 */
const TAKE = `${WITH_CLOCK}
local max, windowMs = tonumber(ARGV[2]), tonumber(ARGV[3])
local rounding, slackMs = tonumber(ARGV[4]), tonumber(ARGV[5])
local eachMs = windowMs / max
local fullAt = math.max(tonumber(redis.call('GET', KEYS[1]) or now), now)
local used = (fullAt - now) / eachMs
local allowed = used + 1 <= max + rounding
if allowed then
  used = used + 1
  fullAt = fullAt + eachMs
  redis.call('SET', KEYS[1], string.format('%.3f', fullAt), 'PX', math.ceil(fullAt - now + slackMs))
end
local left = math.max(0, math.floor(max - used + rounding))
local retryAfterMs = left > 0 and 0 or (used + 1 - max) * eachMs
return { allowed and 1 or 0, left, string.format('%.3f', retryAfterMs) }
`;

/**
 * Counts what all nodes let pass together, by the clock of Redis. While Redis is away each node counts for
 * itself, so that limits hold on each of them and no call waits for a counter.
 */
export class RedisRateStore implements RateStore {
  readonly #connection: StoreConnection;
  readonly #clock: StoreClock | undefined;
  /** What is counted while Redis is away. */
  readonly #alone = new MemoryRateStore();

  constructor(connection: StoreConnection, clock?: StoreClock) {
    this.#connection = connection;
    this.#clock = clock;
  }

  async take(key: string, limit: RateLimit): Promise<RateTaken> {
    if (!this.#connection.isUp) return this.#alone.take(key, limit);
    const { max, windowMs } = limit;
    const args = [this.#clock?.() ?? '', max, windowMs, ROUNDING, SLACK_MS];
    let taken: readonly [number, number, string];
    try {
      taken = (await this.#connection.run(TAKE, [this.#keyOf(key)], args)) as typeof taken;
    } catch (error) {
      if ((error as Error).name === 'ClusterAwayError') return this.#alone.take(key, limit);
      throw error;
    }
    const [isAllowed, left, retryAfterMs] = taken;
    return { isAllowed: isAllowed === 1, left, retryAfterMs: Number(retryAfterMs) };
  }

  #keyOf(key: string): string {
    const isLong = key.length > MAX_KEY_LENGTH;
    const name = isLong ? createHash('sha256').update(key).digest('base64url') : key;
    return `${this.#connection.prefix}rate:${name}`;
  }
}
