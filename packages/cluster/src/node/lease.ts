import type { Keys } from '../keys.js';
import { EVEN_IF_FULL, type RedisConnection } from '../connections/redis-connection.js';

/** KEYS: lease, counts, inbox. ARGV: how long the lease is, TTL of the others. Whether it stood. */
const RENEW = `${EVEN_IF_FULL}
local stood = redis.call('EXISTS', KEYS[1])
redis.call('SET', KEYS[1], '1', 'PX', ARGV[1])
redis.call('PEXPIRE', KEYS[2], ARGV[2])
redis.call('PEXPIRE', KEYS[3], ARGV[2])
return stood`;

const END = `return redis.call('DEL', KEYS[1], KEYS[2])`;

/** What belongs to a node is kept for so many of its leases. */
const KEPT_LEASES = 30;

/** What a lease is made with. */
export interface LeaseOptions {
  readonly node: string;
  readonly leaseMs: number;
  readonly connection: RedisConnection;
  readonly keys: Keys;
  /** It had ended, and stands again. */
  readonly lapsed: () => void;
  /** It could not be renewed, for the first time since it was. */
  readonly failed: (error: unknown) => void;
}

/** The lease of this node: while it stands, nobody takes the node's sessions. */
export class Lease {
  readonly #options: LeaseOptions;
  /** Until when it surely stands, by the clock that never jumps, and by that of the day: a machine that slept
   * finds only the latter advanced. */
  #until = 0;
  #untilByDay = 0;
  #timer: NodeJS.Timeout | undefined;
  #renewing: Promise<void> | undefined;
  /** Counts how often it had ended. */
  #generation = 0;
  #hasFailed = false;

  constructor(options: LeaseOptions) {
    this.#options = options;
  }

  /** Whether it surely stands. */
  get stands(): boolean {
    return performance.now() < this.#until && Date.now() < this.#untilByDay;
  }

  /** What was found to be this node's in an earlier generation may be another one's by now. */
  get generation(): number {
    return this.#generation;
  }

  /** @throws ClusterAwayError */
  async start(): Promise<void> {
    await this.renew();
    this.#timer = setInterval(
      () => void this.renew().catch((error: unknown) => this.#fail(error)),
      this.#options.leaseMs / 4,
    ).unref();
  }

  /** Renews it. */
  renew(): Promise<void> {
    return (this.#renewing ??= this.#renew().finally(() => (this.#renewing = undefined)));
  }

  /** Ends it at once. */
  async end(): Promise<void> {
    clearInterval(this.#timer);
    await this.#renewing?.catch(() => {});
    this.#until = 0;
    const { node, connection, keys } = this.#options;
    await connection.run(END, [keys.lease(node), keys.counts(node)], [], { again: true });
  }

  async #renew(): Promise<void> {
    const { node, leaseMs, connection, keys, lapsed } = this.#options;
    const stood = this.stands;
    const [before, beforeByDay] = [performance.now(), Date.now()];
    const reply = await connection.run(
      RENEW,
      [keys.lease(node), keys.counts(node), keys.inbox(node)],
      [leaseMs, leaseMs * KEPT_LEASES],
      { waitMs: leaseMs, again: true },
    );
    this.#hasFailed = false;
    const isFirst = this.#generation === 0;
    if (isFirst || reply === 0 || !stood) this.#generation++;
    this.#until = before + leaseMs;
    this.#untilByDay = beforeByDay + leaseMs;
    if (!isFirst && (reply === 0 || !stood)) lapsed();
  }

  #fail(error: unknown): void {
    if (this.#hasFailed) return;
    this.#hasFailed = true;
    this.#options.failed(error);
  }
}
