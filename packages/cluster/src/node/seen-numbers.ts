/** So many of the last numbers of a sender are known one by one. */
const MAX_KNOWN = 1_000;

/** Which messages of one sender came: none is taken twice, however late it comes again. */
export class SeenNumbers {
  /** What is not greater is over. */
  #floor = 0;
  readonly #known = new Set<number>();

  /** Takes note of a number; `false` where it came before. */
  add(number: number): boolean {
    if (number <= this.#floor || this.#known.has(number)) return false;
    this.#known.add(number);
    if (this.#known.size > MAX_KNOWN) {
      const [oldest = 0] = this.#known;
      this.#forget(oldest);
    }
    return true;
  }

  /** Keeps no more than that all that came is over. */
  shrink(): void {
    for (const number of this.#known) this.#forget(number);
  }

  #forget(number: number): void {
    this.#known.delete(number);
    this.#floor = Math.max(this.#floor, number);
  }
}
