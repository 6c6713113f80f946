import { checkCount } from '../check-options.js';
import type { RateLimit, RateStore, RateTaken } from './rate-store.js';

/** Options of {@link MemoryRateStore}. */
export interface MemoryRateStoreOptions {
  /**
   * How many keys are counted at a time. Beyond that the one that was used the longest ago is forgotten,
   * so that memory is bounded when somebody makes up keys. Default: 100 000.
   */
  readonly maxKeys?: number;
}

/** How often keys are forgotten that have used up nothing any more. */
const SWEEP_MS = 60_000;
/** Rounding of times, as a share of one. */
const ROUNDING = 1e-3;

/**
 * Counts on one node, by GCRA (https://en.wikipedia.org/wiki/Generic_cell_rate_algorithm): a key may use
 * up `max` at once, and gets one back each `windowMs / max`. So no client can take twice as much at the
 * border of two windows, one that waits for `retryAfterMs` is never refused, and a key costs one number.
 * A sliding log of the same `max` would cost `max` numbers. In any time `t` at most
 * `max * (1 + t / windowMs)` are allowed.
 */
export class MemoryRateStore implements RateStore {
  readonly #maxKeys: number;
  /** When each key will have got back all it used up, the key used the longest ago first. */
  readonly #fullAt = new Map<string, number>();
  #sweep: NodeJS.Timeout | undefined;

  /** @throws TypeError when `maxKeys` is no whole number above 0. */
  constructor({ maxKeys = 100_000 }: MemoryRateStoreOptions = {}) {
    this.#maxKeys = checkCount('maxKeys', maxKeys);
  }

  /** How many keys are counted. */
  get size(): number {
    return this.#fullAt.size;
  }

  take(key: string, { max, windowMs }: RateLimit): RateTaken {
    const now = performance.now();
    const eachMs = windowMs / max;
    const fullAt = Math.max(this.#fullAt.get(key) ?? now, now);
    const usedUp = (fullAt - now) / eachMs;
    const isAllowed = usedUp + 1 <= max + ROUNDING;
    const usedNow = isAllowed ? usedUp + 1 : usedUp;
    if (isAllowed) this.#set(key, fullAt + eachMs);
    const left = Math.max(0, Math.floor(max - usedNow + ROUNDING));
    const retryAfterMs = left > 0 ? 0 : (usedNow + 1 - max) * eachMs;
    return { isAllowed, left, retryAfterMs };
  }

  #set(key: string, fullAt: number): void {
    // Set anew, so that it comes last.
    this.#fullAt.delete(key);
    if (this.#fullAt.size >= this.#maxKeys) {
      for (const oldest of this.#fullAt.keys()) {
        this.#fullAt.delete(oldest);
        break;
      }
    }
    this.#fullAt.set(key, fullAt);
    this.#sweep ??= setInterval(() => this.#dropUnused(), SWEEP_MS).unref();
  }

  #dropUnused(): void {
    const now = performance.now();
    for (const [key, fullAt] of this.#fullAt) if (fullAt <= now) this.#fullAt.delete(key);
    if (this.#fullAt.size > 0) return;
    clearInterval(this.#sweep);
    this.#sweep = undefined;
  }
}
