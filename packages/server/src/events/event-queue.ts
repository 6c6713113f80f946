/** Shifted items are cut off when there are so many, and more than half. */
const MIN_CUT = 32;

/** Items in the order in which they came: added at the end, taken from the front. */
export class EventQueue<Item> {
  #items: (Item | undefined)[] = [];
  #head = 0;

  /** How many there are. */
  get size(): number {
    return this.#items.length - this.#head;
  }

  /** The oldest one. */
  get first(): Item | undefined {
    return this.#items[this.#head];
  }

  /** Adds one at the end. */
  push(item: Item): void {
    // An array that grows makes room for 17: most sessions that are idle have said one thing.
    if (this.#items.length === 0) this.#items = [item];
    else this.#items.push(item);
  }

  /** Takes the oldest one. */
  shift(): Item | undefined {
    const item = this.#items[this.#head];
    if (this.#head === this.#items.length) return undefined;
    this.#items[this.#head++] = undefined;
    if (this.#head >= MIN_CUT && this.#head * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    return item;
  }

  /** Those from the first one on for which this is true; it must be true for all that came later. */
  from(isAfter: (item: Item) => boolean): Item[] {
    let low = this.#head;
    let high = this.#items.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (isAfter(this.#items[middle] as Item)) high = middle;
      else low = middle + 1;
    }
    return this.#items.slice(low) as Item[];
  }
}
