/** What is told to show that it is alive. */
interface Beating {
  heartbeat(): void;
}

/** Streams are spread over this many moments of a period, so that they do not all write at once. */
const PARTS = 16;

/** The heartbeats of all streams of a mount, by one timer. */
export class Heartbeats {
  readonly #parts: readonly Set<Beating>[] = Array.from({ length: PARTS }, () => new Set());
  readonly #periodMs: number;
  readonly #partMs: number;
  #dueAt = 0;
  #timer: NodeJS.Timeout | undefined;
  #next = 0;

  /** @param periodMs the time between two heartbeats of a stream; `Infinity` for none. */
  constructor(periodMs: number) {
    this.#periodMs = periodMs;
    this.#partMs = periodMs / PARTS;
  }

  /** The first heartbeat comes after one period. */
  add(stream: Beating): void {
    if (this.#periodMs === Infinity) return;
    const part = this.#parts[(this.#next + PARTS - 1) % PARTS];
    part?.add(stream);
    if (this.#timer !== undefined) return;
    this.#dueAt = performance.now() + this.#partMs;
    this.#timer = setInterval(() => this.#beatDue(), this.#partMs).unref();
  }

  delete(stream: Beating): void {
    for (const part of this.#parts) part.delete(stream);
    if (this.#parts.some(({ size }) => size > 0)) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /**
   * Tells the parts that are due by the clock: an interval counts from when it was late, and so many of
   * them would put off a heartbeat by seconds on a busy machine.
   */
  #beatDue(): void {
    const now = performance.now();
    for (let count = 0; count < PARTS && this.#dueAt <= now; count++) {
      this.#dueAt += this.#partMs;
      this.#beat();
    }
    // After a longer pause every stream has had its heartbeat.
    this.#dueAt = Math.max(this.#dueAt, now);
  }

  #beat(): void {
    const part = this.#parts[this.#next] ?? new Set<Beating>();
    this.#next = (this.#next + 1) % PARTS;
    for (const stream of part) stream.heartbeat();
  }
}
