import type { FastifyRequest } from 'fastify';
import { LRUCache } from 'lru-cache';
import { networkOf } from '../limits/network-of.js';
import type { RateLimit, RateStore, RateTaken } from '../limits/rate-store.js';
import { checkRate } from '../limits/rates.js';
import { SERVER_ERROR } from '../refusal.js';
import { AuthenticationError } from './authentication-error.js';

/** 20 a minute: enough for a typing mistake in a script's configuration, too few to find a key. */
export const DEFAULT_ATTEMPTS: RateLimit = { max: 20, windowMs: 60_000 };

/**
 * Checks the option `attempts` and fills in its default.
 *
 * @throws TypeError that names what is wrong.
 */
export function resolveAttempts(given: RateLimit | undefined): RateLimit {
  if (given === undefined) return DEFAULT_ATTEMPTS;
  const limit = checkRate('attempts', given);
  if (limit === undefined) throw new TypeError('attempts.max must not be Infinity');
  return limit;
}

/** How many addresses are known to be blocked at a time; the one blocked the longest ago is forgotten. */
const MAX_BLOCKED = 10_000;

/**
 * Limits how often one address may fail to authenticate. Beyond that, its requests with credentials are
 * refused before these are looked at, so that a good guess is not noticed either.
 */
export class Attempts {
  readonly #limit: RateLimit;
  readonly #rates: RateStore;
  /** Until when, for addresses that have used up their attempts: a store cannot be asked without counting. */
  readonly #blocked = new LRUCache<string, true>({ max: MAX_BLOCKED });

  constructor(rates: RateStore, limit: RateLimit = DEFAULT_ATTEMPTS) {
    this.#rates = rates;
    this.#limit = limit;
  }

  /** @throws AuthenticationError with 429 when the address has failed too often. */
  check(request: FastifyRequest): void {
    const leftMs = this.#blocked.getRemainingTTL(networkOf(String(request.ip)));
    if (leftMs <= 0) return;
    const seconds = Math.max(1, Math.ceil(leftMs / 1_000));
    throw new AuthenticationError(
      {
        status: 429,
        code: SERVER_ERROR,
        message: `Your address has failed to authenticate too often: try again in ${seconds} s`,
        headers: { 'retry-after': String(seconds) },
      },
      { reason: 'too many failed attempts of this address', isGuess: false },
    );
  }

  /** Counts one that failed. A store that fails is logged, and limits nobody. */
  async count(request: FastifyRequest): Promise<void> {
    const address = networkOf(String(request.ip));
    let taken: RateTaken;
    try {
      taken = await this.#rates.take(`auth:${address}`, this.#limit);
    } catch (error) {
      request.log.error(error, 'failed attempts cannot be counted');
      return;
    }
    if (taken.left > 0) return;
    const ttl = taken.retryAfterMs > 0 ? taken.retryAfterMs : this.#limit.windowMs;
    this.#blocked.set(address, true, { ttl });
  }
}
