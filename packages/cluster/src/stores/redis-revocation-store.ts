import { MemoryRevocationStore, type RevocationStore } from '@longwire/server';
import type { StoreConnection } from './store-connection.js';

/** How long a key is known as revoked after it was looked at last: as long as a node runs, always. */
const KEPT_MS = 365 * 86_400_000;
/** How often it is looked at, in case that a message was lost. */
const LOOK_MS = 60_000;

const REVOKE = `
redis.call('SADD', KEYS[1], ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
redis.call('PUBLISH', ARGV[3], ARGV[1])
`;

const REVOKED = `
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return redis.call('SMEMBERS', KEYS[1])
`;

/**
 * The API keys that were revoked, which each node has in its memory: requests wait for nothing, and what is
 * known holds while Redis is away.
 */
export class RedisRevocationStore implements RevocationStore {
  readonly #connection: StoreConnection;
  readonly #key: string;
  readonly #known = new MemoryRevocationStore();
  readonly #leave: readonly (() => void)[];

  constructor(connection: StoreConnection) {
    this.#connection = connection;
    this.#key = `${connection.prefix}revoked`;
    const look = (): void => void this.look().catch(() => {});
    const looking = setInterval(look, LOOK_MS).unref();
    this.#leave = [
      connection.subscribe(this.#key, (sha256) => this.#known.revoke(sha256)),
      connection.onMissed(look),
      () => clearInterval(looking),
    ];
  }

  async revoke(sha256: string): Promise<void> {
    this.#known.revoke(sha256);
    await this.#connection.run(REVOKE, [this.#key], [sha256, KEPT_MS, this.#key], { again: true });
  }

  isRevoked(sha256: string): boolean {
    return this.#known.isRevoked(sha256);
  }

  listen(listener: (sha256: string) => void): () => void {
    return this.#known.listen(listener);
  }

  /**
   * Learns what is revoked. A node does so before it serves.
   *
   * @throws ClusterAwayError
   */
  async look(): Promise<void> {
    const revoked = await this.#connection.run(REVOKED, [this.#key], [KEPT_MS], { again: true });
    for (const sha256 of revoked as readonly string[]) this.#known.revoke(sha256);
  }

  close(): void {
    for (const leave of this.#leave) leave();
  }
}
