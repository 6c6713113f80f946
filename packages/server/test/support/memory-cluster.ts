import { InMemoryServerEventBus } from '@modelcontextprotocol/server';
import { randomBytes } from 'node:crypto';
import { MemoryRevocationStore } from '../../src/auth/revocation-store.ts';
import type {
  BegunRequest,
  Cluster,
  ClusterNode,
  EndedRequest,
  Joining,
  Located,
  NodeMessage,
} from '../../src/cluster/cluster.ts';
import { ClusterAwayError, SessionLostError } from '../../src/cluster/cluster.ts';
import type { EventLog, LoggedEvent } from '../../src/events/event-log.ts';
import { MemoryEventLog, resolveEventLog } from '../../src/events/memory-event-log.ts';
import { MemoryRateStore } from '../../src/limits/memory-rate-store.ts';
import { MemoryWorkQueue } from '../../src/limits/memory-work-queue.ts';
import {
  MemorySessionStore,
  type SessionRecord,
  type SessionStore,
} from '../../src/sessions/session-store.ts';
import { MemoryTaskStore } from '../../src/tasks/memory-task-store.ts';

/** What the store knows of a session. */
interface Kept {
  record: SessionRecord;
  owner: string;
  fence: number;
  seq: number;
  readonly running: Map<string, BegunRequest>;
  readonly answered: EndedRequest[];
}

/** A cluster whose store is the memory of this process. Whoever asks it gets the answer a turn later. */
export class MemoryCluster {
  /** What was sent from node to node. */
  readonly sent: (NodeMessage & { readonly from: string; readonly to: string })[] = [];
  readonly bus: InMemoryServerEventBus = new InMemoryServerEventBus();
  readonly rates: MemoryRateStore = new MemoryRateStore();
  readonly queue: MemoryWorkQueue = new MemoryWorkQueue();
  readonly tasks: MemoryTaskStore = new MemoryTaskStore();
  readonly revocations: MemoryRevocationStore = new MemoryRevocationStore();
  readonly records: MemorySessionStore = new MemorySessionStore();
  readonly events: MemoryEventLog = new MemoryEventLog(resolveEventLog());
  readonly kept = new Map<string, Kept>();
  readonly nodes = new Map<string, MemoryNode>();
  readonly requestStateKeys: readonly Uint8Array[] = [randomBytes(32)];
  isAway = false;
  /** How often a node was refused because it is away. */
  refused = 0;

  /** The cluster as one process is given it. */
  member(name: string): Cluster {
    return {
      join: async (joining) => {
        const node = new MemoryNode(name, joining, this);
        this.nodes.set(name, node);
        return node;
      },
    };
  }

  /** Ends the lease of a node without telling it: it has died, or stalls. */
  kill(name: string): void {
    const node = this.nodes.get(name);
    if (node === undefined) throw new Error(`there is no node ${name}`);
    node.isRunning = false;
    this.#gone(name);
  }

  /** A node that has stalled is heard again, and what it has lost it learns. */
  revive(name: string): void {
    const node = this.nodes.get(name);
    if (node === undefined) throw new Error(`there is no node ${name}`);
    node.isRunning = true;
    for (const id of node.owned.keys()) {
      if (this.kept.get(id)?.owner === name) continue;
      node.owned.delete(id);
      node.joining.handlers.lost(id);
    }
  }

  /** A node has left. */
  left(name: string): void {
    this.nodes.delete(name);
    this.#gone(name);
  }

  #gone(name: string): void {
    for (const node of this.nodes.values()) {
      if (node.name !== name) queueMicrotask(() => node.joining.handlers.gone(name));
    }
  }
}

/** One process of it. */
export class MemoryNode implements ClusterNode {
  readonly name: string;
  readonly joining: Joining;
  readonly stores: ClusterNode['stores'];
  /** The fencing numbers of its sessions. */
  readonly owned = new Map<string, number>();
  isRunning = true;
  /** Whether what is published to it gets lost. */
  isDeaf = false;
  readonly #cluster: MemoryCluster;
  readonly #readers = new Map<string, { node: string; reader: string }>();
  readonly #published = new WeakSet<LoggedEvent>();

  constructor(name: string, joining: Joining, cluster: MemoryCluster) {
    this.name = name;
    this.joining = joining;
    this.#cluster = cluster;
    const { bus, rates, queue, tasks, revocations } = cluster;
    this.stores = {
      sessions: this.#sessions(),
      events: this.#events(),
      bus,
      rates,
      queue,
      tasks,
      revocations,
    };
  }

  get requestStateKeys(): readonly Uint8Array[] {
    return this.#cluster.requestStateKeys;
  }

  get isUp(): boolean {
    return !this.#cluster.isAway;
  }

  isSurelyHere(sessionId: string): boolean {
    return this.isRunning && this.isUp && this.owned.has(sessionId);
  }

  async locate(sessionId: string): Promise<Located> {
    await this.#turn();
    const kept = this.#cluster.kept.get(sessionId);
    if (kept === undefined) return { at: 'nowhere' };
    if (kept.owner === this.name && this.owned.has(sessionId)) return { at: 'here' };
    const { record, owner, running, answered, seq } = kept;
    const isOwned = owner !== this.name && this.#cluster.nodes.get(owner)?.isRunning === true;
    if (isOwned) return { at: 'elsewhere', node: owner, record: structuredClone(record) };
    kept.owner = this.name;
    const fence = ++kept.fence;
    this.owned.set(sessionId, fence);
    return {
      at: 'taken',
      taken: {
        record: structuredClone(record),
        fence,
        seq,
        running: [...running.values()],
        answered: [...answered],
      },
    };
  }

  async release(sessionId: string, to: string = ''): Promise<void> {
    await this.#turn();
    const kept = this.#fenced(sessionId);
    this.owned.delete(sessionId);
    kept.owner = to;
  }

  async begin(sessionId: string, request: BegunRequest): Promise<void> {
    await this.#turn();
    this.#fenced(sessionId).running.set(JSON.stringify(request.id), structuredClone(request));
  }

  end(sessionId: string, id: string | number): void {
    const ended = (): void => {
      if (!this.#owns(sessionId)) return;
      this.#cluster.kept.get(sessionId)?.running.delete(JSON.stringify(id));
    };
    // A next owner finds it running, if the store is away.
    void this.#turn().then(ended, () => {});
  }

  readAt(sessionId: string, stream: number, reader?: { node: string; reader: string }): void {
    const key = `${sessionId} ${stream}`;
    if (reader === undefined) this.#readers.delete(key);
    else this.#readers.set(key, reader);
  }

  wasPublished(event: LoggedEvent): boolean {
    return this.#published.has(event);
  }

  async send(to: string, message: NodeMessage): Promise<boolean> {
    const text = JSON.stringify(message);
    await this.#turn();
    const node = this.#cluster.nodes.get(to);
    if (node?.isRunning !== true) return false;
    const sent = JSON.parse(text) as NodeMessage;
    this.#cluster.sent.push({ ...sent, from: this.name, to });
    setImmediate(() => {
      if (node.isRunning) node.joining.handlers.received(sent, this.name);
    });
    return true;
  }

  async nodes(): Promise<readonly string[]> {
    await this.#turn();
    return [...this.#cluster.nodes.keys()].filter((name) => name !== this.name);
  }

  async isAlive(node: string): Promise<boolean> {
    return this.#cluster.nodes.get(node)?.isRunning === true;
  }

  async leave(): Promise<void> {
    this.#cluster.left(this.name);
  }

  /** Says that what was published to it may be missing. */
  hearAgain(): void {
    this.isDeaf = false;
    this.joining.handlers.missed();
  }

  #sessions(): SessionStore {
    const { records, kept } = this.#cluster;
    return {
      create: async (record) => {
        await this.#turn();
        records.create(structuredClone(record));
        const { name: owner } = this;
        const running = new Map<string, BegunRequest>();
        kept.set(record.id, { record, owner, fence: 1, seq: 0, running, answered: [] });
        this.owned.set(record.id, 1);
      },
      get: async (id) => {
        await this.#turn();
        return records.get(id);
      },
      findByResume: async (principal, resume) => {
        await this.#turn();
        return records.findByResume(principal, resume);
      },
      update: async (id, changes) => {
        const copy = structuredClone(changes);
        await this.#turn();
        if (this.#owns(id)) Object.assign(kept.get(id)?.record ?? {}, copy);
      },
      delete: async (id) => {
        await this.#turn();
        if (!this.#owns(id)) return;
        records.delete(id);
        kept.delete(id);
        this.owned.delete(id);
      },
      count: async (principal) => records.count(principal),
    };
  }

  #events(): EventLog {
    const { events } = this.#cluster;
    return {
      append: async (sessionId, event) => {
        const reader = this.#readers.get(`${sessionId} ${event.stream}`);
        await this.#turn();
        const kept = this.#fenced(sessionId);
        if (event.seq <= kept.seq) return;
        kept.seq = event.seq;
        events.append(sessionId, event);
        if (event.about?.kind === 'answer') {
          const begun = kept.running.get(event.about.id);
          kept.running.delete(event.about.id);
          if (begun !== undefined) {
            const { id, digest, stream } = begun;
            kept.answered.push({ id, digest, stream, answeredAt: event.seq });
          }
        }
        if (reader === undefined) return;
        this.#published.add(event);
        const node = this.#cluster.nodes.get(reader.node);
        const copy = structuredClone(event);
        setImmediate(() => {
          if (node?.isRunning === true && !node.isDeaf) {
            node.joining.handlers.published(reader.reader, sessionId, copy);
          }
        });
      },
      readAfter: async (sessionId, seq, stream) => {
        await this.#turn();
        return events.readAfter(sessionId, seq, stream);
      },
      delete: async (sessionId) => {
        await this.#turn();
        if (!this.#cluster.kept.has(sessionId)) events.delete(sessionId);
      },
      get bytes() {
        return events.bytes;
      },
    };
  }

  /** Waits for the store, as long as that takes. */
  async #turn(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    if (!this.#cluster.isAway) return;
    this.#cluster.refused++;
    throw new ClusterAwayError();
  }

  #owns(sessionId: string): boolean {
    const kept = this.#cluster.kept.get(sessionId);
    return kept?.owner === this.name && kept.fence === this.owned.get(sessionId);
  }

  #fenced(sessionId: string): Kept {
    const kept = this.#cluster.kept.get(sessionId);
    if (kept === undefined || !this.#owns(sessionId)) throw new SessionLostError();
    return kept;
  }
}
