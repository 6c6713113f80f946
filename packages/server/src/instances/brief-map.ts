/** A `Map` that takes next to no memory while it is empty: every idle session has several. */
export class BriefMap<Key, Value> {
  #map: Map<Key, Value> | undefined;

  get size(): number {
    return this.#map?.size ?? 0;
  }

  get(key: Key): Value | undefined {
    return this.#map?.get(key);
  }

  set(key: Key, value: Value): void {
    (this.#map ??= new Map<Key, Value>()).set(key, value);
  }

  delete(key: Key): void {
    if (this.#map?.delete(key) && this.#map.size === 0) this.#map = undefined;
  }

  clear(): void {
    this.#map = undefined;
  }

  /** As a `Map` does, it also visits what is added meanwhile, unless it was empty in between. */
  values(): Iterable<Value> {
    return this.#map?.values() ?? [];
  }
}
