import { AsyncResource } from 'node:async_hooks';
import { ServiceClient } from '../client/service-client.js';
import type { Absence } from '../client/away.js';
import { Idle } from '../client/idle.js';
import { ToolCatalog } from '../tools/catalog.js';
import type { Principal } from '../connection/resolve-options.js';
import type { ConnectionState } from '../connection/state.js';
import type { LongwireError } from '../errors.js';
import { isServerFailure } from '../health/server-failure.js';
import {
  unusedTarget,
  type KnownTarget,
  type PoolCall,
  type PooledClient,
  type PooledConnection,
  type PoolTarget,
} from './target.js';
import { choose } from './choice.js';
import { Ejection } from './ejection.js';
import { NO_STATS, sumOf, type ConnectionStats } from './connection-stats.js';
import type { ResolvedPoolOptions } from './options.js';

/** What connections are made with, and what is called when they change. */
export interface ConnectionsSettings {
  options: ResolvedPoolOptions;
  /** For whom they are; `undefined` for the pool itself. */
  principal: Principal | undefined;
  /** There is a new one, which is not dialled yet. */
  onOpened: (connection: PooledConnection) => void;
  /** One was added or removed, or its state changed. */
  onChange: () => void;
  /** A call that waits may be given a connection now. */
  onRoom: () => void;
}

/** From best to worst. */
const RANK: readonly ConnectionState['name'][] = [
  'ready',
  'connecting',
  'idle',
  'reconnecting',
  'resting',
  'closed',
];

/** The connections of a pool: made when a call needs one, and closed when idle or lost for good. */
export class Connections {
  readonly targets: readonly PoolTarget[];
  readonly #options: ResolvedPoolOptions;
  readonly #principal: Principal | undefined;
  readonly #handlers: Pick<ConnectionsSettings, 'onOpened' | 'onChange' | 'onRoom'>;
  readonly #catalog = new ToolCatalog();
  /** Where its clients are made, whichever call it is that needs one. */
  readonly #scope = new AsyncResource('longwire.pool');
  /** Those that are removed, until they are closed. */
  readonly #closing = new Map<PooledClient, Promise<void>>();
  /** The figures of those that are closed. */
  #pastStats = NO_STATS;
  #uses = 0;
  /** Why there is none, if the last one failed. */
  #down: ConnectionState | undefined;

  constructor(
    targets: readonly KnownTarget[],
    { options, principal, ...handlers }: ConnectionsSettings,
  ) {
    this.#options = options;
    this.#principal = principal;
    this.#handlers = handlers;
    this.targets = targets.map((known) =>
      unusedTarget(known, new Ejection(options.ejectMs, known.ejection)),
    );
  }

  get all(): PooledConnection[] {
    return this.targets.flatMap(({ connections }) => [...connections]);
  }

  /** The state of the best of them. */
  get state(): ConnectionState {
    const states = this.all.map(({ client }) => client.state);
    const [best] = states.sort((a, b) => RANK.indexOf(a.name) - RANK.indexOf(b.name));
    return best ?? this.#down ?? { name: 'idle' };
  }

  /** Why and since when no target can be reached; `undefined` if one can, or was not tried. */
  get absence(): Absence | undefined {
    const isDoubtful = this.targets.every(({ ejection }) => ejection.isDoubtful);
    if (!isDoubtful || this.all.some(({ wasReady }) => wasReady)) return undefined;
    const reason = this.targets.findLast(({ known }) => known.lastError !== undefined)?.known
      .lastError;
    if (reason === undefined) return undefined;
    const now = performance.now();
    const leftMs = Math.min(...this.targets.map(({ ejection }) => ejection.leftMs(now)));
    return {
      reason,
      since: Math.min(...this.targets.map(({ ejection }) => ejection.since)),
      // Whoever tries one of them has made a connection.
      nextTryAt: this.all.length > 0 ? undefined : Date.now() + leftMs,
      known: this.targets.some(({ known }) => known.wasReached),
    };
  }

  /** The figures of all of them, those that are closed included; of the pool itself, its principals' too. */
  get stats(): ConnectionStats {
    const clients = [...this.all.map(({ client }) => client), ...this.#closing.keys()];
    if (this.#principal === undefined)
      clients.push(...this.targets.map(({ known }) => known.service));
    return clients.map((client) => client.stats()).reduce<ConnectionStats>(sumOf, this.#pastStats);
  }

  /** Gives a call a connection, if it need not wait for one. */
  take(call: PoolCall): PooledConnection | undefined {
    const { size, maxPerConnection } = this.#options;
    const limits = { size, maxPerConnection, now: performance.now() };
    const choice = choose(this.targets, call.tried, limits);
    if (choice === undefined) return undefined;
    if ('dial' in choice && choice.instead !== undefined) this.#remove(choice.instead);
    const connection = 'dial' in choice ? this.#open(choice.dial) : choice.take;
    call.assign((error) => this.#deferred(connection, call, error));
    connection.calls.add(call);
    connection.idle.begin();
    connection.usedAt = connection.target.usedAt = ++this.#uses;
    return connection;
  }

  /** A call has ended on its connection. */
  release(connection: PooledConnection, call: PoolCall): void {
    connection.calls.delete(call);
    if (!connection.isRemoved) connection.idle.end();
  }

  /** Whether a call that was not sent may get a connection yet, now or later. */
  mayServe({ tried }: PoolCall): boolean {
    return this.targets.some((target) => !tried.has(target) || target.connections.size > 0);
  }

  /** Closes all; fulfilled when nothing is left open. */
  async close(): Promise<void> {
    this.#down = undefined;
    for (const connection of this.all) this.#remove(connection);
    // They may follow tasks yet.
    for (const client of this.#closing.keys()) void client.close();
    await Promise.all(this.#closing.values());
  }

  #open(target: PoolTarget): PooledConnection {
    const client = this.#scope.runInAsyncScope(() => this.#createClient(target));
    const connection: PooledConnection = {
      target,
      client,
      calls: new Set(),
      idle: new Idle(this.#options.idleMs, () => {
        this.#remove(connection);
        this.#handlers.onChange();
        this.#handlers.onRoom();
      }),
      usedAt: 0,
      wasReady: false,
      isRemoved: false,
    };
    client.on('state', (state) => {
      if (!connection.isRemoved) this.#changed(connection, state);
    });
    target.connections.add(connection);
    this.#down = undefined;
    this.#handlers.onOpened(connection);
    return connection;
  }

  #createClient({ known }: PoolTarget): PooledClient {
    const { client, size } = this.#options;
    // The only server of a pool, once reached, is dialled as persistently as after a loss.
    const isPersistent = known.wasReached && this.targets.length === 1;
    const retry = isPersistent ? { firstConnect: true, ...client.retry } : client.retry;
    const options = retry === undefined ? client : { ...client, retry };
    if (this.#principal === undefined) {
      return new ServiceClient(known.option, options, this.#catalog);
    }
    return known.service.createSession(this.#principal, {
      catalog: this.#catalog,
      firstConnect: retry?.firstConnect,
      connectionsEach: size,
    });
  }

  #changed(connection: PooledConnection, state: ConnectionState): void {
    const { target } = connection;
    const isFree = connection.calls.size === 0;
    if (state.name === 'ready') {
      connection.wasReady = target.known.wasReached = true;
      target.ejection.succeeded();
    } else if (state.name === 'reconnecting') {
      this.#reassign(connection);
    } else if (state.name === 'resting') {
      this.#fail(connection, state.reason);
    } else if (state.name === 'closed') {
      this.#fail(connection);
    }
    this.#handlers.onChange();
    // The calls of one that failed come first, and are failed a moment later.
    if (state.name === 'ready' || (connection.isRemoved && isFree)) this.#handlers.onRoom();
  }

  #fail(connection: PooledConnection, reason?: LongwireError): void {
    const { target, wasReady } = connection;
    const { known } = target;
    this.#remove(connection);
    if (this.isOfServer(reason)) {
      const isFault = reason === undefined || isServerFailure(reason);
      (isFault ? known : target).ejection.failed(performance.now());
      known.failed++;
      if (reason !== undefined) known.lastError = reason;
    }
    if (reason === undefined) return;
    if (this.all.length === 0) this.#down = { name: 'resting', reason, known: wasReady };
  }

  /** Whether a failure is one of the target for the pool: what is wrong with a principal alone is not. */
  isOfServer(reason: LongwireError | undefined): boolean {
    return this.#principal === undefined || reason === undefined || isServerFailure(reason);
  }

  /** A connection was lost: its calls that were not sent go where they need not wait. */
  #reassign({ target, calls }: PooledConnection): void {
    for (const call of calls) if (this.#hasOther(call, target)) call.withdraw();
  }

  /** A call could not be sent: the server of a connection that looked sound cannot be reached. */
  #deferred(connection: PooledConnection, call: PoolCall, error: LongwireError): void {
    if (error.certainty !== 'not-sent' || !this.#hasOther(call, connection.target)) return;
    if (!call.withdraw() || connection.calls.size > 1 || connection.isRemoved) return;
    this.#fail(connection, error);
    this.#handlers.onChange();
  }

  /** Whether a call may go to another target, which it has not tried and which is not ejected. */
  #hasOther({ tried }: PoolCall, target: PoolTarget): boolean {
    const now = performance.now();
    return this.targets.some(
      (other) => other !== target && !tried.has(other) && other.ejection.until <= now,
    );
  }

  #remove(connection: PooledConnection): void {
    const { client, idle, target, calls } = connection;
    connection.isRemoved = true;
    idle.stop();
    target.connections.delete(connection);
    // A task goes on while its server is away: it is asked for until its call has no more time.
    const drainMs = [...calls].some(({ isTask }) => isTask) ? Infinity : 0;
    const closed = client.close({ drainMs }).finally(() => {
      this.#closing.delete(client);
      this.#pastStats = sumOf(this.#pastStats, client.stats());
    });
    this.#closing.set(client, closed);
  }
}
