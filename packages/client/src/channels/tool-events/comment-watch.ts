/** The comments that are needed before their end means anything. */
const MIN_COMMENTS = 3;
/** Comments closer together count as one: several at the start of a stream are no interval. */
const MIN_INTERVAL_MS = 100;
/** Comments have stopped after so many times the longest interval. */
const MISSED_INTERVALS = 2;

/**
 * Watches the comments that a server sends to keep its stream alive. Where a transport has no ping,
 * their end is the only sign that the server is dead. All times are on one clock, in milliseconds.
 */
export class CommentWatch {
  #comments = 0;
  #lastAt = -Infinity;
  #longestMs = 0;

  /** A comment came. */
  comment(now: number): void {
    const intervalMs = now - this.#lastAt;
    if (intervalMs < MIN_INTERVAL_MS) return;
    if (this.#comments++ > 0) this.#longestMs = Math.max(this.#longestMs, intervalMs);
    this.#lastAt = now;
  }

  /** Whether comments came regularly, and do not come any more. */
  hasStopped(now: number): boolean {
    return (
      this.#comments >= MIN_COMMENTS && now - this.#lastAt > MISSED_INTERVALS * this.#longestMs
    );
  }
}
