/** So often must a stream have beaten before its silence means anything. */
const ENOUGH_BEATS = 3;
/** What comes closer together is one beat: a preamble is no habit. */
const APART_MS = 100;
/** So many times the longest pause between two beats is silence. */
const PATIENCE = 2;

/**
 * The comments that a server sends to keep its stream alive. Where a dialect has nothing to ask a
 * server whether it is there, their end is the only sign that it is not. All times are on one
 * clock, in milliseconds.
 */
export class Pulse {
  #beats = 0;
  #lastAt = -Infinity;
  #longestMs = 0;

  /** A comment came. */
  beat(now: number): void {
    const pauseMs = now - this.#lastAt;
    if (pauseMs < APART_MS) return;
    if (this.#beats++ > 0) this.#longestMs = Math.max(this.#longestMs, pauseMs);
    this.#lastAt = now;
  }

  /** Whether it used to beat, and does not any more. */
  hasStopped(now: number): boolean {
    return this.#beats >= ENOUGH_BEATS && now - this.#lastAt > PATIENCE * this.#longestMs;
  }
}
