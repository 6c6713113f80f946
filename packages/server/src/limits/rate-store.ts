import type { MaybePromise } from '../principal.js';

/** So many in so long. */
export interface RateLimit {
  readonly max: number;
  readonly windowMs: number;
}

/** The answer of a store. */
export interface RateTaken {
  readonly isAllowed: boolean;
  /** How many are left in this window. */
  readonly left: number;
  /** When there will be one again, in milliseconds; 0 where there is. */
  readonly retryAfterMs: number;
}

/** Counts what each key uses up: in memory, or where several nodes count together. */
export interface RateStore {
  /** Counts one against a key, if the limit allows it. */
  take(key: string, limit: RateLimit): MaybePromise<RateTaken>;
}
