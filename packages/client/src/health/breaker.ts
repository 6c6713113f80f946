import type { ErrorCode, LongwireError } from '../errors.js';
import { rootError } from '../error-facts.js';

/** When a circuit breaker opens, and for how long. */
export interface BreakerOptions {
  /** After how many failures of the server in a row it opens. Default 5. */
  failures?: number;
  /**
   * How long it stays open until one call tries the server, in milliseconds. Where that call takes as long,
   * another one tries it, too. Default 10 000.
   */
  openMs?: number;
}

/**
 * - `closed`: calls are made.
 * - `open`: calls fail at once, certainly not sent.
 * - `half-open`: one call is made, the probe, and another one each `openMs`; the others fail at once.
 */
export type BreakerState = 'closed' | 'open' | 'half-open';

/** A circuit breaker as it is now. */
export interface BreakerStatus {
  state: BreakerState;
  /** Since when, in milliseconds since 1970. */
  since: number;
  /** Failures of the server in a row. */
  failures: number;
  /** In how many milliseconds a call may try the server: of an open one. */
  nextTryMs?: number;
  /** The latest of the failures. */
  lastError?: { code: ErrorCode; summary: string };
}

/** A call that passed the breaker. */
export interface Passage {
  readonly epoch: number;
  readonly isProbe: boolean;
}

/**
 * Counts failures of a server in a row, and decides which calls are made. Whoever uses it decides what a
 * failure of the server is. Times are on the clock of `performance.now()`.
 */
export class Breaker {
  readonly #options: Required<BreakerOptions>;
  readonly #onChange: () => void;
  #state: BreakerState = 'closed';
  #since = Date.now();
  #failures = 0;
  #lastError: LongwireError | undefined;
  /** Until when no call passes, unless it is closed or its probe says nothing. */
  #openUntil = 0;
  #probe: Passage | undefined;
  /** Counts how often it opened and closed: what began before one of these says nothing of now. */
  #epoch = 0;

  /** `onChange` is called on every change of its state. */
  constructor(options: Required<BreakerOptions>, onChange: () => void) {
    this.#options = options;
    this.#onChange = onChange;
  }

  /** The latest failure. */
  get lastError(): LongwireError | undefined {
    return this.#lastError;
  }

  /** A copy. */
  status(now: number): BreakerStatus {
    return {
      state: this.#state,
      since: this.#since,
      failures: this.#failures,
      ...(this.#state === 'open' && { nextTryMs: Math.max(0, Math.ceil(this.#openUntil - now)) }),
      ...(this.#lastError !== undefined && {
        lastError: { code: this.#lastError.code, summary: this.#lastError.summary },
      }),
    };
  }

  /** Whether a call would pass now. */
  passes(now: number): boolean {
    if (this.#state === 'closed' || now >= this.#openUntil) return true;
    return this.#state === 'half-open' && this.#probe === undefined;
  }

  /** A call passes, or not: `undefined`. */
  enter(now: number): Passage | undefined {
    if (!this.passes(now)) return undefined;
    if (this.#state === 'closed') return { epoch: this.#epoch, isProbe: false };
    const probe = { epoch: this.#epoch, isProbe: true };
    this.#probe = probe;
    // A call may take an hour, and is no reason to make none meanwhile.
    this.#openUntil = now + this.#options.openMs;
    if (this.#state === 'open') this.#change('half-open');
    return probe;
  }

  /** The server has answered a call. */
  succeeded({ epoch }: Passage): void {
    if (epoch !== this.#epoch) return;
    this.#failures = 0;
    this.#lastError = undefined;
    if (this.#state === 'closed') return;
    this.#epoch++;
    this.#probe = undefined;
    this.#change('closed');
  }

  /**
   * The server has failed, for a call or for none. What is lost with one connection is one failure,
   * however many calls it was.
   */
  failed(error: LongwireError, now: number, passage?: Passage): void {
    if (passage !== undefined && passage.epoch !== this.#epoch) return;
    if (this.#state === 'open') return;
    const isSame = this.#lastError !== undefined && isSameFailure(this.#lastError, error);
    // The probe has failed, whatever it failed with.
    if (isSame && passage?.isProbe !== true) return;
    this.#failures++;
    this.#lastError = error;
    if (this.#state === 'closed' && this.#failures < this.#options.failures) return;
    this.#epoch++;
    this.#probe = undefined;
    this.#openUntil = now + this.#options.openMs;
    this.#change('open');
  }

  /** A call has ended, and says nothing of the server. */
  released(passage: Passage): void {
    if (this.#probe === passage) this.#probe = undefined;
  }

  #change(state: BreakerState): void {
    this.#state = state;
    this.#since = Date.now();
    this.#onChange();
  }
}

function isSameFailure(a: LongwireError, b: LongwireError): boolean {
  return rootError(a) === rootError(b);
}
