import { OperationsFacade } from '../client/operations-facade.js';
import type { OnceOptions } from '../client/next-event.js';
import { optionsOfView } from '../client/options.js';
import { ViewListeners } from '../client/view-listeners.js';
import { ofSamePrincipal, type PrincipalRecord, type Principals } from '../client/principals.js';
import type { CallTimeouts, OperationOptions } from '../client/types.js';
import { checkCloseOptions, type CloseOptions, type UnderWay } from '../client/under-way.js';
import type { ConnectionState } from '../connection/state.js';
import { checkHealthOptions, type Health, type HealthOptions } from '../health/health.js';
import type { ClientStats } from '../health/stats.js';
import { Tally } from '../health/tally.js';
import { TrafficCounts } from '../http/traffic-counts.js';
import type { PrincipalCredentials } from '../options/principal-options.js';
import type { LongwirePool } from './contract.js';
import type { PoolSession } from './session.js';
import { statusOf, unusedTarget, type KnownTarget } from './target.js';
import type { PoolEvents, PoolStatus } from './types.js';

/** What a {@link PrincipalPool} is made with. */
export interface PrincipalPoolSettings {
  pool: LongwirePool;
  targets: readonly KnownTarget[];
  /** What is under way in the pool. */
  underWay: UnderWay;
  principals: Principals<PoolSession>;
  record: PrincipalRecord<PoolSession>;
}

/**
 * A pool as one of its principals: see `pool.as`. It holds nothing but who that is: the connections are
 * those of the principal's session.
 */
export class PrincipalPool extends OperationsFacade<PoolSession> {
  readonly #pool: LongwirePool;
  readonly #targets: readonly KnownTarget[];
  readonly #underWay: UnderWay;
  readonly #principals: Principals<PoolSession>;
  readonly #listeners: ViewListeners<PoolSession>;
  #latest: PrincipalRecord<PoolSession>;

  constructor({ pool, targets, underWay, principals, record }: PrincipalPoolSettings) {
    super();
    this.#pool = pool;
    this.#targets = targets;
    this.#underWay = underWay;
    this.#principals = principals;
    this.#listeners = new ViewListeners(principals);
    this.#latest = record;
  }

  get name(): string {
    return this.#session?.name ?? this.#pool.name;
  }

  get trusted(): boolean {
    return this.#pool.trusted;
  }

  get timeouts(): CallTimeouts {
    return this.#pool.timeouts;
  }

  get trustHints(): boolean {
    return this.#pool.trustHints;
  }

  get state(): ConnectionState {
    return this.#session?.state ?? { name: 'idle' };
  }

  /** Without a session there is no connection, and nothing waits for one. */
  status(): PoolStatus {
    const now = performance.now();
    return (
      this.#session?.status() ?? {
        waiting: 0,
        targets: this.#targets.map((known) => statusOf(unusedTarget(known), now)),
        breaker: this.#pool.status().breaker,
      }
    );
  }

  stats(): ClientStats {
    return this.#session?.stats() ?? new Tally(new TrafficCounts()).read(0);
  }

  async health(options: HealthOptions = {}): Promise<Health> {
    checkHealthOptions(options);
    const record = this.#record;
    if (record.session === undefined) {
      const reason = 'the principal has no session now; its next call opens one';
      return { status: 'down', reason, latencyMs: undefined, uptimeMs: 0 };
    }
    const release = this.#principals.hold(record);
    try {
      return await record.session.health(options);
    } finally {
      release();
    }
  }

  as(principal: string, credentials?: PrincipalCredentials): LongwirePool {
    ofSamePrincipal(this.#latest.id, principal);
    return this.#pool.as(principal, credentials);
  }

  on<Event extends keyof PoolEvents>(
    event: Event,
    listener: (payload: PoolEvents[Event]) => void,
  ): () => void {
    if (event === 'breaker') return this.#pool.on(event, listener);
    return this.#listeners.listen(this.#record, (session) => session.on(event, listener));
  }

  once<Event extends keyof PoolEvents>(
    event: Event,
    options: OnceOptions = {},
  ): Promise<PoolEvents[Event]> {
    if (event === 'breaker') return this.#pool.once(event, options);
    return this.#listeners.once(this.#record, options, (session, own) => session.once(event, own));
  }

  get isClosing(): boolean {
    return this.#pool.isClosing || this.#session?.isClosing === true;
  }

  /** What waits for a session has none that could be closed. */
  async close(options: CloseOptions = {}): Promise<void> {
    checkCloseOptions(options);
    const record = this.#record;
    const close = (): Promise<void> => this.#principals.close(record);
    await (record.session?.underWay.close(options, close) ?? close());
  }

  /** Others may act for the same principal: its session stays, and ends when it is idle. */
  override async [Symbol.asyncDispose](): Promise<void> {
    this.#listeners.end();
  }

  /** Also for a pool that is told the principal by the options of an operation. */
  override async run<Options extends OperationOptions, T>(
    what: string,
    given: Options,
    run: (session: PoolSession, options: Options) => Promise<T>,
  ): Promise<T> {
    const asked = { what, options: optionsOfView(given, this) };
    return this.#underWay.run(what, () => this.#principals.run(this.#record, asked, run));
  }

  get #record(): PrincipalRecord<PoolSession> {
    this.#latest = this.#principals.latest(this.#latest);
    return this.#latest;
  }

  get #session(): PoolSession | undefined {
    return this.#record.session;
  }
}
