import { MAX_TIMER_MS } from '../options/checks.js';

/** What a watchdog watches, and whom it tells. */
export interface WatchdogOptions {
  /** How long nothing may arrive before it pings, in milliseconds. */
  silenceMs: number;
  /** How long it waits for anything to arrive after a ping, in milliseconds. */
  timeoutMs: number;
  /** When something last arrived. */
  lastActivityAt: () => number;
  /** Whether the server has answered a request on this channel. */
  isProven: () => boolean;
  /** Pings the server; calls `onSent` when the ping has left, or could not. */
  ping: (onSent: () => void) => void;
  /** Called once, when nothing arrived after a ping. */
  onSilence: () => void;
  /** The clock of `lastActivityAt`. */
  now: () => number;
}

/** When an unproven channel is pinged at the latest, also where its silence is not watched. */
const PROVEN_AFTER_MS = 15_000;

/**
 * Finds a dead connection that reports no error: nothing arrives, it pings, and still nothing
 * arrives. Everything that arrives counts.
 *
 * It also pings when no request was answered for half of that silence: a program that only listens
 * would otherwise never get the answer that refills the retry budget.
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

  /** Stops watching. */
  stop(): void {
    clearTimeout(this.#proof);
    clearTimeout(this.#timer);
    clearImmediate(this.#immediate);
  }

  #watch(): void {
    const { silenceMs, lastActivityAt, now } = this.#options;
    if (silenceMs > MAX_TIMER_MS) return;
    const leftMs = lastActivityAt() + silenceMs - now();
    if (leftMs > 0) this.#after(leftMs, () => this.#watch());
    else this.#ping();
  }

  /** A ping may wait behind other requests: the time for its answer starts when it leaves. */
  #ping(): void {
    const { silenceMs, timeoutMs, lastActivityAt, ping, onSilence, now } = this.#options;
    const activityBefore = lastActivityAt();
    let dueAt = Infinity;
    const check = (): void => {
      const leftMs = dueAt - now();
      if (lastActivityAt() > activityBefore) this.#watch();
      else if (leftMs <= 0) onSilence();
      else this.#after(Math.min(leftMs, silenceMs, timeoutMs), check);
    };
    this.#after(Math.min(timeoutMs, silenceMs), check);
    ping(() => {
      if (dueAt === Infinity) dueAt = now() + timeoutMs;
    });
  }

  /** A process that was blocked first reads what arrived meanwhile: hence the `setImmediate`. */
  #after(ms: number, then: () => void): void {
    // The connection keeps the process alive; watching it does not.
    this.#timer = setTimeout(() => {
      this.#immediate = setImmediate(then);
    }, Math.ceil(ms)).unref();
  }
}
