/** How many keys are stored; beyond that the oldest are removed. */
const maxKeys = 100_000;

/** For how long a key is stored at most, in milliseconds. */
export const MAX_KEY_AGE_MS: number = 7 * 24 * 3_600_000;

/** The keys that were taken once: ids of events, and keys of triggers that de-duplicate. */
export class KnownKeys {
  readonly #until = new Map<string, number>();

  /** Restores the keys of a journal. */
  restore(seen: readonly (readonly [key: string, until: number])[]): void {
    for (const [key, until] of seen) this.#until.set(key, until);
  }

  /** Whether a key is new; if so, it is stored until then, in milliseconds since 1970. */
  add(key: string, until: number): boolean {
    if ((this.#until.get(key) ?? 0) > Date.now()) return false;
    this.#until.delete(key);
    this.#until.set(key, until);
    return true;
  }

  /** Removes a key that was not taken after all. */
  delete(key: string): void {
    this.#until.delete(key);
  }

  /** Removes the oldest keys if there are too many, and returns them. */
  removeOldest(): string[] {
    const removed: string[] = [];
    for (const key of this.#until.keys()) {
      if (this.#until.size <= maxKeys) break;
      this.#until.delete(key);
      removed.push(key);
    }
    return removed;
  }
}
