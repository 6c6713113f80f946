import type { ServerResponse } from 'node:http';
import type { ResolvedNumbers } from '../check-options.js';

/** A body that is shorter does not matter for the memory that waits for readers. */
const LARGE_BYTES = 65_536;

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

  /** Counts the body of a response until the response is closed. */
  addUntilClosed(bytes: number, response: ServerResponse): void {
    if (bytes < LARGE_BYTES) return;
    this.add(bytes);
    response.once('close', () => this.add(-bytes));
  }
}
