import type { MaybePromise } from '../principal.js';

/** Which API keys are valid no more: in memory, or for all nodes. A key is named by its SHA-256. */
export interface RevocationStore {
  /** Fulfilled when it is kept. This process knows it at once. */
  revoke(sha256: string): MaybePromise<void>;
  /** Asked for every request: without a promise. */
  isRevoked(sha256: string): boolean;
  /** Told of each key that is revoked from now on, by whichever node, until that is taken back. */
  listen(listener: (sha256: string) => void): () => void;
}

/** The keys that were revoked since the process began. */
export class MemoryRevocationStore implements RevocationStore {
  readonly #revoked = new Set<string>();
  readonly #listeners = new Set<(sha256: string) => void>();

  revoke(sha256: string): void {
    if (this.#revoked.has(sha256)) return;
    this.#revoked.add(sha256);
    for (const listener of this.#listeners) listener(sha256);
  }

  isRevoked(sha256: string): boolean {
    return this.#revoked.has(sha256);
  }

  listen(listener: (sha256: string) => void): () => void {
    const own = (sha256: string): void => listener(sha256);
    this.#listeners.add(own);
    return () => void this.#listeners.delete(own);
  }
}
