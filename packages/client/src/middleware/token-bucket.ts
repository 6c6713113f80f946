import { MAX_TIMER_MS } from '../connection/options.js';

/** How often something may happen. */
export interface Rate {
  /** How often in a second; below 1 for once in some seconds. */
  perSecond: number;
  /** How often at once after a time of rest. Default: as often as in a second, at least once. */
  burst?: number | undefined;
}

/** Lets through what has a token, and has others wait in order; tokens come back at a rate. */
export class TokenBucket {
  readonly #perMs: number;
  readonly #burst: number;
  #tokens: number;
  #filledAt: number = performance.now();
  readonly #waiting: (() => void)[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor({ perSecond, burst = Math.max(1, Math.floor(perSecond)) }: Rate) {
    this.#perMs = perSecond / 1000;
    this.#burst = this.#tokens = burst;
  }

  /** Whether there is a token, and nobody who has waited for it. */
  isReady(): boolean {
    this.#fill();
    return this.#waiting.length === 0 && this.#tokens >= 1;
  }

  /** Takes a token, which `isReady` has promised. */
  take(): void {
    this.#tokens--;
  }

  /**
   * Waits for a token behind those who came before, and takes it.
   *
   * @throws the signal's reason; the place in the line is then free.
   */
  wait(signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.reject(signal.reason as Error);
    if (this.isReady()) {
      this.take();
      return Promise.resolve();
    }
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(enter), 1);
        if (this.#waiting.length === 0) this.#stop();
        reject(signal.reason as Error);
      };
      const enter = (): void => {
        signal.removeEventListener('abort', leave);
        resolve();
      };
      signal.addEventListener('abort', leave, { once: true });
      this.#waiting.push(enter);
      this.#schedule();
    });
  }

  #fill(): void {
    const now = performance.now();
    const gained = (now - this.#filledAt) * this.#perMs;
    this.#tokens = Math.min(this.#burst, this.#tokens + gained);
    this.#filledAt = now;
  }

  #schedule(): void {
    if (this.#timer !== undefined || this.#waiting.length === 0) return;
    const ms = Math.ceil((1 - this.#tokens) / this.#perMs);
    this.#timer = setTimeout(() => this.#serve(), Math.min(Math.max(1, ms), MAX_TIMER_MS));
  }

  #serve(): void {
    this.#timer = undefined;
    this.#fill();
    while (this.#tokens >= 1 && this.#waiting.length > 0) {
      this.#tokens--;
      this.#waiting.shift()?.();
    }
    this.#schedule();
  }

  #stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
