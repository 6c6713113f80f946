import { ClusterAwayError } from '@longwire/server';
import { Cluster } from 'ioredis';
import { randomBytes } from 'node:crypto';
import type { RedisConnection } from '../connections/redis-connection.js';
import type { Keys } from '../keys.js';
import type { Place } from '../payloads.js';

/** KEYS: one that is made once. ARGV: what it holds if nobody made it yet, TTL. */
const ONCE = `
redis.call('SET', KEYS[1], ARGV[1], 'NX')
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return redis.call('GET', KEYS[1])`;

const AGAIN = `return redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])`;

/** Written again by every node each day. */
const TTL_MS = 30 * 24 * 60 * 60_000;
const DAY_MS = 24 * 60 * 60_000;
const STATE_KEY_BYTES = 32;
const STATE_KEY: Place = ['state-key'];

/**
 * Which Redis this is. After it was started again, or another server has taken over, it may have lost what
 * was written last; this finds that out.
 */
export class Epoch {
  readonly #connection: RedisConnection;
  readonly #keys: Keys;
  readonly #stopListening: () => void;
  readonly #timer: NodeJS.Timeout;
  #current: Promise<string> | undefined;
  #asking: Promise<string> | undefined;
  #stateKey: string = randomBytes(STATE_KEY_BYTES).toString('base64url');

  constructor(connection: RedisConnection, keys: Keys) {
    this.#connection = connection;
    this.#keys = keys;
    this.#stopListening = connection.onReady(() => (this.#current = undefined));
    this.#timer = setInterval(() => void this.#keep().catch(() => {}), DAY_MS).unref();
  }

  /** The same as long as nothing can have been lost, as far as this connection knows. */
  current(): Promise<string> {
    const asked = (this.#current ??= this.latest());
    asked.catch(() => {
      if (this.#current === asked) this.#current = undefined;
    });
    return asked;
  }

  /** The same, asked again: somebody may have emptied it. */
  latest(): Promise<string> {
    return (this.#asking ??= this.#ask().finally(() => (this.#asking = undefined)));
  }

  /** What seals the state of requests that ask for input, the same on all nodes. */
  async stateKey(): Promise<Uint8Array> {
    await this.#keep();
    return Buffer.from(this.#stateKey, 'base64url');
  }

  close(): void {
    this.#stopListening();
    clearInterval(this.#timer);
  }

  async #ask(): Promise<string> {
    const made = randomBytes(9).toString('base64url');
    const [epoch, server] = await Promise.all([
      this.#connection.run(ONCE, [this.#keys.epoch], [made, TTL_MS], { again: true }),
      this.#serverId(),
    ]);
    return `${String(epoch)} ${server}`;
  }

  /** Of the process: a new one has loaded what it knows from somewhere. */
  async #serverId(): Promise<string> {
    const { client } = this.#connection;
    if (client === undefined) throw new ClusterAwayError(this.#connection.error);
    if (client instanceof Cluster) return String(this.#connection.shardLosses);
    try {
      return /run_id:(\S+)/.exec(await client.info('server'))?.[1] ?? '';
    } catch (error) {
      throw new ClusterAwayError(error);
    }
  }

  async #keep(): Promise<void> {
    const keys = [this.#keys.stateKey];
    const own = this.#connection.seal(this.#stateKey, STATE_KEY);
    const held = String(await this.#connection.run(ONCE, keys, [own, TTL_MS], { again: true }));
    const text = this.#connection.open(held, STATE_KEY);
    if (Buffer.from(text, 'base64url').length !== STATE_KEY_BYTES) {
      throw new Error('what it holds as state-key is none: delete that key');
    }
    this.#stateKey = text;
    // It outlives every key that it was sealed with.
    if (this.#connection.isCurrent(held)) return;
    const sealed = this.#connection.seal(this.#stateKey, STATE_KEY);
    await this.#connection.run(AGAIN, keys, [sealed, TTL_MS], { again: true });
  }
}
