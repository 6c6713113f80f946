import { MAX_TIMER_MS } from './options.js';

/** What a watchdog watches, and whom it tells. */
export interface WatchdogOptions {
  /** How long nothing may arrive before it asks, in milliseconds. */
  silenceMs: number;
  /** How long anything may take to arrive after it has asked, in milliseconds. */
  timeoutMs: number;
  /** When something last arrived. */
  heardAt: () => number;
  /** Whether the server has answered anything on this line. */
  isProven: () => boolean;
  /** Asks the server for a sign of life, and says when the question has left, or could not. */
  ping: (onAsked: () => void) => void;
  /** Told, once, that none came. */
  onSilence: () => void;
  /** The clock of `heardAt`. */
  now: () => number;
}

/** Of a line whose silence nobody minds. */
const PROVEN_AFTER_MS = 15_000;

/**
 * Finds out when a line is dead although nobody has said so: nothing arrives, it asks, and still
 * nothing arrives. Whatever arrives counts.
 *
 * It also asks once a line has stood for half of that silence and nobody has been answered on it:
 * a program that only listens would never get the answer that makes up for the dials before it.
 */
export class Watchdog {
  readonly #options: WatchdogOptions;
  readonly #proof: NodeJS.Timeout;
  #timer: NodeJS.Timeout | undefined;
  #immediate: NodeJS.Immediate | undefined;

  constructor(options: WatchdogOptions) {
    this.#options = options;
    const { silenceMs, isProven, ping } = options;
    this.#proof = setTimeout(
      () => {
        if (!isProven()) ping(() => {});
      },
      Math.min(silenceMs / 2, PROVEN_AFTER_MS),
    ).unref();
    this.#watch();
  }

  /** Watches no more. */
  stop(): void {
    clearTimeout(this.#proof);
    clearTimeout(this.#timer);
    clearImmediate(this.#immediate);
  }

  #watch(): void {
    const { silenceMs, heardAt, now } = this.#options;
    if (silenceMs > MAX_TIMER_MS) return;
    const leftMs = heardAt() + silenceMs - now();
    if (leftMs > 0) this.#after(leftMs, () => this.#watch());
    else this.#ask();
  }

  /** The question may have to wait behind others; the time for its answer begins when it leaves. */
  #ask(): void {
    const { silenceMs, timeoutMs, heardAt, ping, onSilence, now } = this.#options;
    const lastHeardAt = heardAt();
    let dueAt = Infinity;
    const listen = (): void => {
      const leftMs = dueAt - now();
      if (heardAt() > lastHeardAt) this.#watch();
      else if (leftMs <= 0) onSilence();
      else this.#after(Math.min(leftMs, silenceMs, timeoutMs), listen);
    };
    this.#after(Math.min(timeoutMs, silenceMs), listen);
    ping(() => {
      if (dueAt === Infinity) dueAt = now() + timeoutMs;
    });
  }

  /** A process that was held up reads what has arrived meanwhile before it is judged. */
  #after(ms: number, then: () => void): void {
    // The line keeps the process alive, not the watch over it.
    this.#timer = setTimeout(() => {
      this.#immediate = setImmediate(then);
    }, Math.ceil(ms)).unref();
  }
}
