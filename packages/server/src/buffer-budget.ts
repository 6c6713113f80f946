import type { ResolvedSseOptions } from './options.js';

/** What waits in memory for the readers of all streams of one mount. */
export class BufferBudget {
  readonly #maxBytes: number;
  readonly #shareBytes: number;
  #bytes = 0;

  constructor(options: Pick<ResolvedSseOptions, 'maxTotalBufferedBytes' | 'maxSessions'>) {
    this.#maxBytes = options.maxTotalBufferedBytes;
    this.#shareBytes = this.#maxBytes / options.maxSessions;
  }

  /**
   * Whether so many bytes more may wait for a reader for whom `waiting` do already. An even share
   * always may: readers who are far behind must not be the end of those who are not.
   */
  hasRoom(bytes: number, waiting: number): boolean {
    return this.#bytes + bytes <= this.#maxBytes || waiting + bytes <= this.#shareBytes;
  }

  /** Counts bytes that wait from now on; negative, bytes that no longer do. */
  add(bytes: number): void {
    this.#bytes += bytes;
  }
}
