/** How many are remembered; then the oldest are forgotten. */
const maxKeys = 100_000;

/** For how long something is remembered at most, in milliseconds. */
export const REMEMBERED_MS: number = 7 * 24 * 3_600_000;

/** Remembers what was taken once: ids of events, and keys of triggers that de-duplicate. */
export class KnownKeys {
  readonly #until = new Map<string, number>();

  /** Begins with what a journal remembers. */
  restore(seen: readonly (readonly [key: string, until: number])[]): void {
    for (const [key, until] of seen) this.#until.set(key, until);
  }

  /** Whether it is new; then it is remembered until then, in milliseconds since 1970. */
  add(key: string, until: number): boolean {
    if ((this.#until.get(key) ?? 0) > Date.now()) return false;
    this.#until.delete(key);
    this.#until.set(key, until);
    return true;
  }

  /** Forgets what was not taken after all. */
  delete(key: string): void {
    this.#until.delete(key);
  }

  /** Forgets the oldest where there are too many, and says which. */
  overflow(): string[] {
    const forgotten: string[] = [];
    for (const key of this.#until.keys()) {
      if (this.#until.size <= maxKeys) break;
      this.#until.delete(key);
      forgotten.push(key);
    }
    return forgotten;
  }
}
