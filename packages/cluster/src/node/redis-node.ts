import {
  type BegunRequest,
  type ClusterNode,
  type Joining,
  type Located,
  type LoggedEvent,
  type NodeMessage,
  type Stores,
} from '@longwire/server';
import { Cluster } from 'ioredis';
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { RedisConnection } from '../connections/redis-connection.js';
import type { Keys } from '../keys.js';
import type { ResolvedRedisOptions } from '../options.js';
import { Locator } from '../sessions/locator.js';
import { OwnedSessions } from '../sessions/owned-sessions.js';
import { RedisEventLog } from '../sessions/redis-event-log.js';
import { RedisSessionStore } from '../sessions/redis-session-store.js';
import { SessionCounts } from '../sessions/session-counts.js';
import { readPublished } from '../sessions/stored-forms.js';
import { createStores, type SharedStores } from '../stores/create-stores.js';
import { RedisWorkQueue } from '../work/redis-work-queue.js';
import { Epoch } from './epoch.js';
import { Inbox } from './inbox.js';
import { Lease } from './lease.js';
import { Members } from './members.js';
import { Peers } from './peers.js';
import type { KnownForms } from './stored-form.js';

/** No node had the name before: nothing of it is ever taken for another one's. */
const NAME_BYTES = 9;
/** A session that is idle is ended by its owner; Redis forgets it so much later. */
const TTL_SLACK_MS = 60_000;
/** How soon readers ask for what was published and could not be read. */
const ASK_MS = 500;
/** How soon it is looked again at what this node owns, where that could not be done. */
const VERIFY_MS = 500;
const MAX_TTL_MS = 30 * 24 * 60 * 60_000;

/** What a node is made with. */
export interface RedisNodeOptions {
  readonly connection: RedisConnection;
  readonly keys: Keys;
  readonly options: ResolvedRedisOptions;
  readonly joining: Joining;
  /** Default: those of this version. */
  readonly forms?: KnownForms;
}

/** This process as a node of a cluster over Redis. */
export class RedisNode implements ClusterNode {
  readonly name: string = randomBytes(NAME_BYTES).toString('base64url');
  readonly stores: Required<Stores>;
  readonly #connection: RedisConnection;
  readonly #keys: Keys;
  readonly #joining: Joining;
  readonly #lease: Lease;
  readonly #members: Members;
  readonly #peers: Peers;
  readonly #inbox: Inbox;
  readonly #epoch: Epoch;
  readonly #counts: SessionCounts;
  readonly #sessions: OwnedSessions;
  readonly #events: RedisEventLog;
  readonly #locator: Locator;
  readonly #queue: RedisWorkQueue;
  readonly #shared: SharedStores;
  #stateKey: Uint8Array = new Uint8Array();
  #knownEpoch = '';
  #toVerify: 'all' | 'if-new' | undefined;
  #isVerifying = false;
  #leaving: Promise<void> | undefined;
  #asking: NodeJS.Timeout | undefined;

  constructor({ connection, keys, options, joining, forms }: RedisNodeOptions) {
    const { handlers, log, eventLog, sessionIdleMs } = joining;
    const node = this.name;
    const { leaseMs } = options;
    this.#connection = connection;
    this.#keys = keys;
    this.#joining = joining;
    this.#lease = new Lease({
      node,
      leaseMs,
      connection,
      keys,
      lapsed: () => this.#lapsed(),
      failed: (error) => log?.error(error, 'Redis does not renew the lease of this node'),
    });
    this.#members = new Members({
      name: node,
      connection,
      keys,
      ...(forms !== undefined && { forms }),
      outdated: (error) => {
        log?.error(error, 'this node leaves the cluster');
        void this.leave();
      },
    });
    this.#peers = new Peers({
      node,
      leaseMs,
      connection,
      keys,
      renew: async () => {
        if (this.#leaving === undefined) await this.#lease.renew();
      },
      gone: (other) => {
        this.#inbox.forget(other);
        this.#tell(() => handlers.gone(other));
      },
    });
    this.#epoch = new Epoch(connection, keys);
    this.#counts = new SessionCounts({
      node,
      connection,
      keys,
      nodes: () => this.#members.names(),
    });
    this.#sessions = new OwnedSessions({
      node,
      connection,
      keys,
      lease: this.#lease,
      counts: this.#counts,
      ttlMs: Math.min(sessionIdleMs + TTL_SLACK_MS, MAX_TTL_MS),
      epoch: this.#epoch,
      lost: (sessionId) => this.#tell(() => handlers.lost(sessionId)),
    });
    this.#events = new RedisEventLog(this.#sessions, eventLog, () => {
      log?.warn('a session has said more than is kept of it: what it lost cannot be resumed');
    });
    this.#locator = new Locator({
      sessions: this.#sessions,
      events: this.#events,
      peers: this.#peers,
    });
    this.#inbox = new Inbox({
      node,
      connection,
      keys,
      received: (message, from) => handlers.received(message, from),
      failed: (error) => log?.error(error, 'a message of another node could not be read'),
      isGone: (other) => this.#peers.isGone(other),
    });
    connection.onUnreadable((kind, reason) => {
      log?.error({ kind, reason }, 'something of the cluster cannot be read, and is left out');
    });
    connection.subscribe(keys.events(node), (payload) => this.#published(payload));
    connection.onMissed(() => this.#tell(() => handlers.missed()));
    connection.onReady(() => this.#verify('if-new'));
    this.#queue = new RedisWorkQueue(connection, { node });
    this.#shared = createStores(connection, {
      busFailed: (error) => log?.error(error, 'a listener of the event bus failed'),
    });
    const { tasks, rates, bus, revocations } = this.#shared;
    this.stores = {
      sessions: new RedisSessionStore(this.#sessions),
      events: this.#events,
      queue: this.#queue,
      tasks,
      rates,
      bus,
      revocations,
    };
  }

  /** @throws ClusterAwayError; Error that says why it cannot be a node of this cluster */
  async start(): Promise<void> {
    // Before it writes anything: others must be able to read that.
    await this.#members.join();
    await this.#lease.start();
    await this.#shared.start();
    this.#knownEpoch = await this.#epoch.current();
    void this.#warnOfEviction();
    this.#stateKey = await this.#epoch.stateKey();
  }

  get requestStateKeys(): readonly Uint8Array[] {
    return [this.#stateKey];
  }

  get isUp(): boolean {
    return this.#connection.isUp && this.#lease.stands;
  }

  isSurelyHere(sessionId: string): boolean {
    return this.#sessions.isSurelyHere(sessionId);
  }

  async nodes(): Promise<readonly string[]> {
    return (await this.#members.names()).filter((name) => name !== this.name);
  }

  isAlive(node: string): Promise<boolean> {
    return this.#peers.isAlive(node);
  }

  locate(sessionId: string): Promise<Located> {
    return this.#locator.locate(sessionId);
  }

  release(sessionId: string, to?: string): Promise<void> {
    return this.#sessions.release(sessionId, to);
  }

  begin(sessionId: string, request: BegunRequest, isAwaited?: boolean): Promise<void> {
    return this.#sessions.begin(sessionId, request, isAwaited);
  }

  end(sessionId: string, id: BegunRequest['id']): void {
    this.#sessions.end(sessionId, id);
  }

  readAt(sessionId: string, stream: number, reader?: { node: string; reader: string }): void {
    const owned = this.#sessions.get(sessionId);
    if (reader === undefined) owned?.setReader(stream, undefined);
    else {
      this.#peers.watch(reader.node);
      const told = JSON.stringify([reader.reader, sessionId]);
      const target = this.#connection.seal(told, ['reader', reader.node, stream]);
      owned?.setReader(stream, { channel: this.#keys.events(reader.node), target });
    }
  }

  wasPublished(event: LoggedEvent): boolean {
    return this.#events.wasPublished(event);
  }

  send(to: string, message: NodeMessage): Promise<boolean> {
    this.#peers.watch(to);
    return this.#inbox.send(to, message);
  }

  leave(): Promise<void> {
    return (this.#leaving ??= this.#leave());
  }

  async #leave(): Promise<void> {
    this.#events.close();
    this.#epoch.close();
    clearTimeout(this.#asking);
    await this.#queue.close();
    try {
      await this.#lease.end();
      this.#peers.close();
      await this.#members.leave();
    } catch (error) {
      this.#joining.log?.warn(error, 'the cluster could not be told that this node leaves');
    } finally {
      this.#members.close();
      this.#peers.close();
      this.#counts.close();
      this.#shared.close();
      this.#inbox.close();
      this.#connection.close();
    }
  }

  /** The lease had ended: others may have taken what was this node's. */
  #lapsed(): void {
    this.#peers.bePatient();
    // They have taken its readers for gone, too.
    this.#tell(() => this.#joining.handlers.missed());
    this.#verify('all');
  }

  /**
   * Looks at what this node owns, and says again what Redis may have forgotten, until that has been done: Redis may
   * be away once more.
   *
   * @param what `if-new`: only where another Redis answers than before, or one that was started again.
   */
  #verify(what: 'all' | 'if-new'): void {
    // Nothing is to be said again before it was said.
    if (this.#knownEpoch === '') return;
    if (this.#toVerify !== 'all') this.#toVerify = what;
    if (!this.#isVerifying) void this.#verifyAll();
  }

  async #verifyAll(): Promise<void> {
    const { log } = this.#joining;
    this.#isVerifying = true;
    for (let failures = 0; this.#toVerify !== undefined && this.#leaving === undefined;) {
      const isAll = this.#toVerify === 'all';
      this.#toVerify = undefined;
      try {
        if ((await this.#isNewRedis()) || isAll) await this.#sayAgain();
        failures = 0;
      } catch (error) {
        this.#toVerify = 'all';
        if (failures++ === 0) log?.warn(error, 'what this node owns could not be verified yet');
        await sleep(VERIFY_MS, undefined, { ref: false });
      }
    }
    this.#isVerifying = false;
  }

  /** Whether it may have lost something. */
  async #isNewRedis(): Promise<boolean> {
    const epoch = await this.#epoch.current();
    if (epoch === this.#knownEpoch) return false;
    this.#knownEpoch = epoch;
    this.#joining.log?.warn('Redis was started again, or another one has taken over');
    // A channel leads through one server of a Redis Cluster, and messages to this node through another one.
    if (this.#connection.isSharded) this.#tell(() => this.#joining.handlers.missed());
    return true;
  }

  async #sayAgain(): Promise<void> {
    await Promise.all([
      this.#lease.renew(),
      this.#members.sign(),
      this.#epoch.stateKey(),
      this.#sessions.verify(),
      this.#counts.rewrite(),
    ]);
  }

  /** What Redis evicts when it is full is lost: a session that somebody uses, or a lease. */
  async #warnOfEviction(): Promise<void> {
    const { client } = this.#connection;
    const one = client instanceof Cluster ? client.nodes('master')[0] : client;
    const info = (await one?.info('memory').catch(() => '')) ?? '';
    const policy = /maxmemory_policy:(\S+)/.exec(info)?.[1] ?? 'noeviction';
    if (policy === 'noeviction' || /maxmemory:0\s/.test(info)) return;
    this.#joining.log?.warn(
      { policy },
      'Redis may evict sessions: set maxmemory-policy noeviction',
    );
  }

  #published(payload: string): void {
    const published = readPublished(payload, { node: this.name, seals: this.#connection });
    const { handlers } = this.#joining;
    if (published === undefined) return this.#askSoon();
    const { reader, sessionId, event } = published;
    this.#tell(() => handlers.published(reader, sessionId, event));
  }

  /** A reader has missed something that cannot be read here: readers ask for what is kept, all in one. */
  #askSoon(): void {
    this.#asking ??= setTimeout(() => {
      this.#asking = undefined;
      this.#tell(() => this.#joining.handlers.missed());
    }, ASK_MS).unref();
  }

  /** A handler that fails does not stop others. */
  #tell(act: () => void): void {
    try {
      act();
    } catch (error) {
      this.#joining.log?.error(error, 'what another node said could not be handled');
    }
  }
}
