import type { RedisConnection } from '../connections/redis-connection.js';
import { tagOf, type Keys } from '../keys.js';

/** KEYS: counts. ARGV: TTL, then fields and values; a 0 removes a field. */
const SET = `
for i = 2, #ARGV, 2 do
  if ARGV[i + 1] == '0' then redis.call('HDEL', KEYS[1], ARGV[i])
  else redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1]) end
end
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return 1`;
const GET = `return redis.call('HGET', KEYS[1], ARGV[1])`;

const ALL = '*';
const TTL_MS = 60_000;
const CHUNK = 500;
/** What could not be said is said after this time, if nothing else is before. */
const RETRY_MS = 1_000;

/** What is needed to count. */
export interface CountsOptions {
  readonly node: string;
  readonly connection: RedisConnection;
  readonly keys: Keys;
  /** The names of all nodes. */
  readonly nodes: () => Promise<readonly string[]>;
}

/**
 * How many sessions there are. Each node says how many it has, which is forgotten with its lease: what a
 * dead node had does not count until somebody takes it.
 */
export class SessionCounts {
  readonly #options: CountsOptions;
  readonly #counts = new Map<string, number>();
  #changed = new Set<string>();
  #writing: Promise<void> | undefined;
  #retry: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(options: CountsOptions) {
    this.#options = options;
  }

  /** One more session of a principal, or one less. Fulfilled when other nodes can know. */
  add(principal: string, change: 1 | -1): Promise<void> {
    for (const field of [ALL, tagOf(principal)]) {
      const count = (this.#counts.get(field) ?? 0) + change;
      if (count > 0) this.#counts.set(field, count);
      else this.#counts.delete(field);
      this.#changed.add(field);
    }
    return this.#writeSoon();
  }

  /** Those of all nodes: of a principal, or all. */
  async count(principal?: string): Promise<number> {
    const { node, connection, keys, nodes } = this.#options;
    const field = principal === undefined ? ALL : tagOf(principal);
    const others = (await nodes()).filter((other) => other !== node);
    const counts = await Promise.all(
      others.map((other) => connection.run(GET, [keys.counts(other)], [field], { again: true })),
    );
    return counts.reduce<number>(
      (sum, count) => sum + (Number(count ?? 0) || 0),
      this.#counts.get(field) ?? 0,
    );
  }

  /** Says all of it again: it may be forgotten. */
  rewrite(): Promise<void> {
    for (const field of this.#counts.keys()) this.#changed.add(field);
    return this.#writeSoon();
  }

  /** Says no more. */
  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#retry);
  }

  /** Many sessions that come at once are one write. */
  #writeSoon(): Promise<void> {
    return (this.#writing ??= Promise.resolve().then(() => {
      this.#writing = undefined;
      return this.#write();
    }));
  }

  async #write(): Promise<void> {
    const { node, connection, keys } = this.#options;
    const fields = [...this.#changed];
    this.#changed = new Set();
    const writes: Promise<unknown>[] = [];
    for (let at = 0; at < fields.length; at += CHUNK) {
      const args = fields
        .slice(at, at + CHUNK)
        .flatMap((field) => [field, this.#counts.get(field) ?? 0]);
      writes.push(connection.run(SET, [keys.counts(node)], [TTL_MS, ...args], { again: true }));
    }
    try {
      await Promise.all(writes);
    } catch (error) {
      for (const field of fields) this.#changed.add(field);
      if (!this.#isClosed) this.#retry ??= setTimeout(() => this.#tryAgain(), RETRY_MS).unref();
      throw error;
    }
  }

  #tryAgain(): void {
    this.#retry = undefined;
    this.#writeSoon().catch(() => {});
  }
}
