import type { RedisConnection } from '../connections/redis-connection.js';
import type { Keys } from '../keys.js';

const EXISTS = `return redis.call('EXISTS', KEYS[1])`;

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
  readonly #looking: NodeJS.Timeout;
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
    this.#looking = setInterval(() => void this.#look(), leaseMs / 4).unref();
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

  close(): void {
    clearInterval(this.#looking);
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
