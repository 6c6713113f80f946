/** What is read at once: some ten thousand of the smallest messages. */
const BYTES_A_TURN = 256 * 1024;

/**
 * Bounds what one source of bytes makes the process do in one turn of the event loop. A socket or
 * pipe that has much to give is read again and again before any timer runs: a server that sends
 * many small messages at once would hold up everything else.
 */
export class ReadBudget {
  #bytes = 0;

  /** Call with what was read; pauses the source until the next turn if that is enough. */
  spend(bytes: number, source: { pause: () => unknown; resume: () => unknown }): void {
    this.#bytes += bytes;
    if (this.#bytes < BYTES_A_TURN) return;
    this.#bytes = 0;
    source.pause();
    setImmediate(() => void source.resume());
  }
}
