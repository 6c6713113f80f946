import type { LongwireError } from '../errors.js';

interface ReadyWaiter {
  resolve: () => void;
  reject: (error: LongwireError) => void;
}

/** The promises of those who wait until the connection is ready. */
export class ReadyWaiters {
  #waiters: ReadyWaiter[] = [];

  /** Fulfilled by the next `ready`, rejected by the next `failed`. */
  wait(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiters.push({ resolve, reject });
    });
  }

  ready(): void {
    for (const { resolve } of this.#take()) resolve();
  }

  failed(error: LongwireError): void {
    for (const { reject } of this.#take()) reject(error);
  }

  #take(): ReadyWaiter[] {
    const waiters = this.#waiters;
    this.#waiters = [];
    return waiters;
  }
}
