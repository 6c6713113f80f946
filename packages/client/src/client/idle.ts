import { MAX_TIMER_MS } from '../options/checks.js';

/**
 * Calls `onIdle` when nothing has been under way for some time. It needs no timer for each thing that
 * is under way: the one timer checks again when it fires.
 */
export class Idle {
  readonly #ms: number;
  readonly #onIdle: () => void;
  #underWay = 0;
  #since = 0;
  #timer: NodeJS.Timeout | undefined;
  #immediate: NodeJS.Immediate | undefined;

  /**
   * With 0 milliseconds `onIdle` is called once the program has got the last result and has begun
   * nothing else in the same turn of the event loop; with `Infinity`, never.
   */
  constructor(ms: number, onIdle: () => void) {
    this.#ms = ms;
    this.#onIdle = onIdle;
  }

  /** Something begins. */
  begin(): void {
    this.#underWay++;
  }

  /** Something that began has ended. */
  end(): void {
    if (--this.#underWay > 0) return;
    if (this.#ms === 0) {
      this.#immediate ??= setImmediate(() => this.#look());
    } else if (this.#ms !== Infinity) {
      this.#since = performance.now();
      if (this.#timer === undefined) this.#wait(this.#ms);
    }
  }

  /** Does not call `onIdle` for what has ended so far. */
  stop(): void {
    clearTimeout(this.#timer);
    clearImmediate(this.#immediate);
    this.#timer = this.#immediate = undefined;
  }

  /** It keeps no process alive. */
  #wait(ms: number): void {
    this.#timer = setTimeout(() => this.#look(), Math.min(Math.ceil(ms), MAX_TIMER_MS)).unref();
  }

  #look(): void {
    this.#timer = this.#immediate = undefined;
    if (this.#underWay > 0) return;
    const leftMs = this.#ms === 0 ? 0 : this.#since + this.#ms - performance.now();
    if (leftMs > 0) this.#wait(leftMs);
    else this.#onIdle();
  }
}
