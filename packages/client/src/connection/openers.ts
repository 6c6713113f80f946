import type { LongwireError } from '../errors.js';

interface Opener {
  resolve: () => void;
  reject: (error: LongwireError) => void;
}

/** Who waits until the connection is ready, or will not be. */
export class Openers {
  #openers: Opener[] = [];

  /** Fulfilled by the next `opened`, rejected by the next `failed`. */
  wait(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#openers.push({ resolve, reject });
    });
  }

  opened(): void {
    for (const { resolve } of this.#take()) resolve();
  }

  failed(error: LongwireError): void {
    for (const { reject } of this.#take()) reject(error);
  }

  #take(): Opener[] {
    const openers = this.#openers;
    this.#openers = [];
    return openers;
  }
}
