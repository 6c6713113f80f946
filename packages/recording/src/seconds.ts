/** How many seconds are kept. */
const KEPT = 600;

/** What is counted in each second. */
export type Counted = 'calls' | 'errors' | 'events';

/** The counts of one second, which is given since 1970. */
export interface Second extends Readonly<Record<Counted, number>> {
  readonly second: number;
}

/** What happened in each of the last ten minutes' seconds. */
export class Seconds {
  /** The oldest first; seconds in which nothing happened are left out. */
  readonly #seconds: (Record<Counted, number> & { second: number })[];

  /** @param seconds those of another one. */
  constructor(seconds: readonly Second[] = []) {
    this.#seconds = seconds.map((one) => ({ ...one }));
  }

  /** As data. */
  get data(): readonly Second[] {
    return this.#seconds;
  }

  /** Counts something that happened at this time, in milliseconds since 1970. */
  count(at: number, what: Counted): void {
    const second = Math.floor(at / 1000);
    const index = this.#seconds.findLastIndex((one) => one.second <= second);
    let found = this.#seconds[index];
    if (found?.second !== second) {
      found = { second, calls: 0, errors: 0, events: 0 };
      this.#seconds.splice(index + 1, 0, found);
      let [first] = this.#seconds;
      // A number that is large enough is the same as one that is less by so little.
      while (first !== undefined && first !== found && first.second <= second - KEPT) {
        this.#seconds.shift();
        [first] = this.#seconds;
      }
    }
    found[what]++;
  }

  /** The last so many seconds before a time, each of them, the oldest first. */
  last(count: number, at: number): Second[] {
    const now = Math.floor(at / 1000);
    const bySecond = new Map(this.#seconds.map((one) => [one.second, one]));
    return Array.from({ length: count }, (_, index) => {
      const second = now - count + 1 + index;
      return bySecond.get(second) ?? { second, calls: 0, errors: 0, events: 0 };
    });
  }
}
