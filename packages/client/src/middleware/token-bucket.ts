import { MAX_TIMER_MS } from '../options/checks.js';
import { WaitQueue } from '../wait-queue.js';
import { unlessAborted } from './waiting.js';

/** How often something may happen. */
export interface Rate {
  /** How often in a second; below 1 for once in some seconds. */
  perSecond: number;
  /** How often at once after a pause. Default: as often as in a second, at least once. */
  burst?: number | undefined;
}

/** Gives tokens, which are refilled at a rate. Requests without a token wait in order. */
export class TokenBucket {
  readonly #perMs: number;
  readonly #burst: number;
  #tokens: number;
  #filledAt: number = performance.now();
  readonly #queue = new WaitQueue<true>();
  #timer: NodeJS.Timeout | undefined;

  constructor({ perSecond, burst = Math.max(1, Math.floor(perSecond)) }: Rate) {
    this.#perMs = perSecond / 1000;
    this.#burst = this.#tokens = burst;
  }

  /** Whether there is a token that no other request waits for. */
  isReady(): boolean {
    this.#fill();
    return this.#queue.size === 0 && this.#tokens >= 1;
  }

  /** Takes a token, after `isReady`. */
  take(): void {
    this.#tokens--;
  }

  /**
   * Waits for a token in order, and takes it.
   *
   * @throws the signal's reason; the request has then left the queue.
   */
  async wait(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.isReady()) return this.take();
    const waiter = this.#queue.enter();
    this.#schedule();
    try {
      await unlessAborted(waiter.promise, signal);
    } catch (error) {
      this.#queue.leave(waiter);
      if (this.#queue.size === 0) this.#stop();
      throw error;
    }
  }

  #fill(): void {
    const now = performance.now();
    const gained = (now - this.#filledAt) * this.#perMs;
    this.#tokens = Math.min(this.#burst, this.#tokens + gained);
    this.#filledAt = now;
  }

  #schedule(): void {
    if (this.#timer !== undefined || this.#queue.size === 0) return;
    const ms = Math.ceil((1 - this.#tokens) / this.#perMs);
    this.#timer = setTimeout(() => this.#serve(), Math.min(Math.max(1, ms), MAX_TIMER_MS));
  }

  #serve(): void {
    this.#timer = undefined;
    this.#fill();
    while (this.#tokens >= 1 && this.#queue.size > 0) {
      this.#tokens--;
      this.#queue.shift()?.give(true);
    }
    this.#schedule();
  }

  #stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
