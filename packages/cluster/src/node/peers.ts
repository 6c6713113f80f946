import { EVEN_IF_FULL, type RedisConnection } from '../connections/redis-connection.js';
import type { Keys } from '../keys.js';

const EXISTS = `return redis.call('EXISTS', KEYS[1])`;
/** KEYS: nodes. ARGV: time, name, time before which names are forgotten, TTL. */
const SIGN = `${EVEN_IF_FULL}
redis.call('ZADD', KEYS[1], ARGV[1], ARGV[2])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', '(' .. ARGV[3])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return 1`;
const NAMES = `return redis.call('ZRANGE', KEYS[1], 0, -1)`;
const LEAVE = `
redis.call('ZREM', KEYS[1], ARGV[2])
return redis.call('PUBLISH', ARGV[1], ARGV[2])`;

const SIGN_MS = 10_000;
const FORGET_MS = 60_000;

/** What is needed to watch other nodes. */
export interface PeersOptions {
  readonly node: string;
  readonly leaseMs: number;
  readonly connection: RedisConnection;
  readonly keys: Keys;
  /** Renews the lease of this node; where Redis had lost that one, `bePatient` is called before it is fulfilled. */
  readonly renew: () => Promise<void>;
  /** A node that is watched is gone. */
  readonly gone: (node: string) => void;
}

/** The other nodes: which of them live. */
export class Peers {
  readonly #options: PeersOptions;
  /** Until when a node counts as alive, by the clock that never jumps. */
  readonly #aliveUntil = new Map<string, number>();
  /** Nodes that were sent something. */
  readonly #watched = new Set<string>();
  readonly #stopListening: (() => void)[];
  #timers: NodeJS.Timeout[] = [];
  /** Before that nobody counts as dead: Redis was away, and others may not have renewed their leases. */
  #patientUntil = 0;

  constructor(options: PeersOptions) {
    this.#options = options;
    const { connection, keys, leaseMs } = options;
    let wasLost = false;
    this.#stopListening = [
      connection.onLost(() => (wasLost = true)),
      connection.onReady(() => {
        if (wasLost) this.bePatient();
      }),
      connection.subscribe(keys.leaving, (node) => this.#left(node)),
    ];
    this.#timers = [
      setInterval(() => void this.#look(), leaseMs / 4).unref(),
      setInterval(() => void this.sign().catch(() => {}), SIGN_MS).unref(),
    ];
  }

  /** How long nobody is to be taken for dead, in milliseconds. */
  get patienceMs(): number {
    return Math.max(0, this.#patientUntil - performance.now());
  }

  /** Redis was away: everybody gets the time of a lease to come back. */
  bePatient(): void {
    this.#patientUntil = performance.now() + this.#options.leaseMs;
  }

  /** Whether a node lives, as far as it is known: its lease stood a moment ago. */
  async isAlive(node: string): Promise<boolean> {
    if (node === this.#options.node || performance.now() < (this.#aliveUntil.get(node) ?? 0)) {
      return true;
    }
    return (await this.#hasLease(node)) || !(await this.isGone(node));
  }

  /** Whether its lease stands; not so shortly after Redis was away, this says nothing of the node. */
  async hasLease(node: string): Promise<boolean> {
    if (performance.now() < (this.#aliveUntil.get(node) ?? 0)) return true;
    return this.#hasLease(node);
  }

  /**
   * Whether a node is gone whose lease was looked for, and is not there. It is not while nobody is to be taken
   * for dead. A Redis that has lost the lease of this node, too, was emptied, or started anew: others will
   * say that they live.
   */
  async isGone(node: string): Promise<boolean> {
    this.#aliveUntil.delete(node);
    if (this.patienceMs === 0) await this.#options.renew();
    if (this.patienceMs > 0) return false;
    this.#left(node);
    return true;
  }

  /** Tells when this node is gone. */
  watch(node: string): void {
    if (node !== this.#options.node) this.#watched.add(node);
  }

  /** Says that this node is there. */
  async sign(): Promise<void> {
    const { node, connection, keys } = this.#options;
    const now = Date.now();
    await connection.run(SIGN, [keys.nodes], [now, node, now - FORGET_MS, FORGET_MS], {
      again: true,
    });
  }

  /** The names of all nodes that were there lately. */
  async names(): Promise<string[]> {
    const { connection, keys } = this.#options;
    return (await connection.run(NAMES, [keys.nodes], [], { again: true })) as string[];
  }

  /** Says that this node leaves. */
  async leave(): Promise<void> {
    this.close();
    const { node, connection, keys } = this.#options;
    await connection.run(LEAVE, [keys.nodes], [keys.leaving, node], { again: true });
  }

  close(): void {
    for (const timer of this.#timers.splice(0)) clearInterval(timer);
    for (const stop of this.#stopListening.splice(0)) stop();
  }

  async #hasLease(node: string): Promise<boolean> {
    const { connection, keys, leaseMs } = this.#options;
    const before = performance.now();
    const reply = await connection.run(EXISTS, [keys.lease(node)], [], { again: true });
    if (reply === 1) this.#aliveUntil.set(node, before + leaseMs / 4);
    else this.#aliveUntil.delete(node);
    return reply === 1;
  }

  async #look(): Promise<void> {
    if (this.#watched.size === 0 || this.patienceMs > 0) return;
    await Promise.all(
      [...this.#watched].map(async (node) => {
        try {
          if (!(await this.#hasLease(node))) await this.isGone(node);
        } catch {
          // Nothing is known while Redis is away.
        }
      }),
    );
  }

  #left(node: string): void {
    this.#aliveUntil.delete(node);
    if (this.#watched.delete(node)) this.#options.gone(node);
  }
}
