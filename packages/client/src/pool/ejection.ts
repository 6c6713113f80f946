/** The longest time for which a target is ejected, unless the first one was longer; in milliseconds. */
const MAX_EJECTION_MS = 300_000;

/**
 * For how long a target that cannot be reached is ejected: longer after each trial that failed.
 * Times are on the clock of `performance.now()`.
 */
export class Ejection {
  readonly #firstMs: number;
  readonly #shared: Ejection | undefined;
  #times = 0;
  #until = 0;
  #since = 0;

  /** Where `shared` is ejected, so is this one. */
  constructor(firstMs: number, shared?: Ejection) {
    this.#firstMs = firstMs;
    this.#shared = shared;
  }

  /** When it may be tried again. */
  get until(): number {
    return Math.max(this.#until, this.#shared?.until ?? 0);
  }

  /** When it first failed since it was reached, in milliseconds since 1970. */
  get since(): number {
    return this.#times > 0 ? this.#since : (this.#shared?.since ?? 0);
  }

  /** It has failed, and not been reached since: one call at a time may try it. */
  get isDoubtful(): boolean {
    return this.#times > 0 || this.#shared?.isDoubtful === true;
  }

  /** For how much longer it is ejected, in milliseconds; 0 if it is not. */
  leftMs(now: number): number {
    return Math.max(0, this.until - now);
  }

  /** It could not be reached. A failure while it is ejected makes that no longer. */
  failed(now: number): void {
    if (now < this.#until) return;
    if (this.#times === 0) this.#since = Date.now();
    const ms = this.#firstMs * 2 ** this.#times++;
    this.#until = now + Math.min(ms, Math.max(this.#firstMs, MAX_EJECTION_MS));
  }

  /** It was reached. */
  succeeded(): void {
    this.#times = 0;
    this.#until = 0;
    this.#shared?.succeeded();
  }
}
