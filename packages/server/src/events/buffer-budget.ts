import type { ResolvedNumbers } from '../check-options.js';

/** The bytes that wait in memory for the readers of all streams of one mount. */
export class BufferBudget {
  readonly #maxBytes: number;
  readonly #shareBytes: number;
  #bytes = 0;

  constructor(options: Pick<ResolvedNumbers, 'maxTotalBufferedBytes' | 'maxSessions'>) {
    this.#maxBytes = options.maxTotalBufferedBytes;
    this.#shareBytes = this.#maxBytes / options.maxSessions;
  }

  /**
   * Whether more bytes may wait for a reader for whom `waiting` bytes wait already. An even share is
   * always allowed, so that slow readers do not end the streams of others.
   */
  hasRoom(bytes: number, waiting: number): boolean {
    return this.#bytes + bytes <= this.#maxBytes || waiting + bytes <= this.#shareBytes;
  }

  /** Bytes that wait at this moment. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Counts bytes that wait; a negative number, bytes that no longer wait. */
  add(bytes: number): void {
    this.#bytes += bytes;
  }
}
