import { ConnectionLostError, type LongwireError } from '../errors.js';
import { BREAKER } from '../options/client-table.js';
import { checkOptions, withDefaults } from '../options/option.js';
import { Breaker, type BreakerOptions, type BreakerStatus } from './breaker.js';
import { hasAnswered, isServerFailure, type OwnLimits } from './server-failure.js';

/**
 * The options of a breaker, with the defaults filled in; `undefined` if there is to be none.
 *
 * @throws TypeError that names the option.
 */
export function resolveBreaker(
  given: BreakerOptions | false | undefined,
): Required<BreakerOptions> | undefined {
  if (given === undefined || given === false) return undefined;
  checkOptions(given, BREAKER, 'breaker');
  return withDefaults(BREAKER, given);
}

/** What a {@link BreakerGate} is made with. */
export interface BreakerGateOptions {
  options: Required<BreakerOptions>;
  /** What the server is called, for messages. */
  nameOf: () => string;
  /** Called on every change of state. */
  onChange: (status: BreakerStatus) => void;
  /** Called when it opens: whoever waits fails with this, with its own `what`. */
  onOpen: (errorOf: (what: string) => LongwireError) => void;
}

/** What the calls of a server pass, where there is a circuit breaker. */
export class BreakerGate {
  readonly #breaker: Breaker;
  readonly #options: BreakerGateOptions;

  constructor(options: BreakerGateOptions) {
    this.#options = options;
    this.#breaker = new Breaker(options.options, () => {
      const { status } = this;
      options.onChange(status);
      if (status.state === 'open') options.onOpen((what) => this.#error(what));
    });
  }

  get status(): BreakerStatus {
    return this.#breaker.status(performance.now());
  }

  /**
   * Whether a call may wait for its turn.
   *
   * @throws ConnectionLostError, certainly not sent.
   */
  check(what: string): void {
    if (!this.#breaker.passes(performance.now())) throw this.#error(what);
  }

  /**
   * Makes a call, if it may be made. What it fails with decides whether the breaker opens.
   *
   * @throws ConnectionLostError, certainly not sent, where the call is not made.
   */
  async run<T>(what: string, limits: OwnLimits, make: () => Promise<T>): Promise<T> {
    const passage = this.#breaker.enter(performance.now());
    if (passage === undefined) throw this.#error(what);
    try {
      const result = await make();
      this.#breaker.succeeded(passage);
      return result;
    } catch (error) {
      if (isServerFailure(error, limits)) {
        this.#breaker.failed(error as LongwireError, performance.now(), passage);
      } else if (hasAnswered(error)) {
        this.#breaker.succeeded(passage);
      } else {
        this.#breaker.released(passage);
      }
      throw error;
    }
  }

  /** The connection was lost, or a dial failed. */
  lost(reason: LongwireError): void {
    if (isServerFailure(reason)) this.#breaker.failed(reason, performance.now());
  }

  #error(what: string): ConnectionLostError {
    const { state, failures, nextTryMs = 0 } = this.status;
    const { lastError } = this.#breaker;
    const why = lastError === undefined ? '' : `, the last of them: ${lastError.summary}`;
    const next =
      state === 'open' ? `in ${Math.ceil(nextTryMs / 1000)} s` : 'by another call at this moment';
    return new ConnectionLostError(
      `${what} was not made: the breaker of ${this.#options.nameOf()} is ${state} after ` +
        `${failures} failures in a row${why}; the server is tried ${next}`,
      {
        certainty: 'not-sent',
        hint: 'call again later, or change breaker.failures or breaker.openMs',
        cause: lastError,
      },
    );
  }
}
