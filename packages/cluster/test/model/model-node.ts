import {
  ClusterAwayError,
  SessionLostError,
  type ClusterNode,
  type EndedRequest,
  type Joining,
  type LoggedEvent,
} from '@longwire/server';
import type { Random } from '@longwire/testing';
import { connect } from '../../src/connect.ts';
import { Keys } from '../../src/keys.ts';
import { RedisNode } from '../../src/node/redis-node.ts';
import { resolveRedisOptions } from '../../src/options.ts';
import { answer, record, request } from '../support/nodes.ts';
import { HostileConnection } from './hostile-connection.ts';

export const LEASE_MS = 400;
export const SESSION = 'one';
/** Requests that may run twice: they do not wait until they are kept, and their clients not for their answers. */
export const isSafe = (id: number): boolean => id % 3 === 0;
const OPTIONS = { leaseMs: LEASE_MS, waitMs: 2_000 };

/** What really happened, whoever believes what. */
export class Truth {
  /** How often each request reached a server. */
  readonly runs = new Map<number, number>();
  /** What clients were told, by request. */
  readonly told = new Map<number, Set<string>>();
  /** The fencing numbers of all owners. */
  readonly fences: number[] = [1];

  run(id: number): void {
    this.runs.set(id, (this.runs.get(id) ?? 0) + 1);
  }

  tell(id: number, data: string): void {
    this.told.set(id, (this.told.get(id) ?? new Set()).add(data));
  }
}

/** The session as its owner has it. */
interface Live {
  seq: number;
  readonly answered: Map<number, Pick<EndedRequest, 'answeredAt'>>;
  readonly running: Set<number>;
  /** Messages are kept one after the other. */
  keeping: Promise<void>;
}

/** What becomes of a request: `again` where its client has to send it once more. */
export type Served = 'done' | 'again';

/** A node with the least that the kit does with a session. */
export class ModelNode {
  readonly hostile: HostileConnection;
  readonly #node: ClusterNode;
  readonly #truth: Truth;
  #live: Live | undefined;

  private constructor(node: ClusterNode, hostile: HostileConnection, truth: Truth) {
    this.#node = node;
    this.hostile = hostile;
    this.#truth = truth;
  }

  static async join(
    url: string,
    { mount, random, truth }: { mount: string; random: Random; truth: Truth },
  ): Promise<ModelNode> {
    const resolved = resolveRedisOptions(OPTIONS);
    const hostile = new HostileConnection(await connect(url, OPTIONS, mount), random);
    const made: { current?: ModelNode } = {};
    const joining: Joining = {
      mount,
      log: undefined,
      eventLog: { maxBytes: 2 ** 24, maxTotalBytes: 2 ** 27, maxAgeMs: 3_600_000 },
      sessionIdleMs: 600_000,
      handlers: {
        received() {},
        published() {},
        missed() {},
        gone() {},
        lost: () => made.current?.drop(),
      },
    };
    const node = new RedisNode({
      connection: hostile.connection,
      keys: new Keys(resolved.prefix, mount),
      options: resolved,
      joining,
    });
    hostile.isCalm = true;
    await node.start();
    return (made.current = new ModelNode(node, hostile, truth));
  }

  get name(): string {
    return this.#node.name;
  }

  get isOwner(): boolean {
    return this.#live !== undefined;
  }

  /** What it has in memory is not its own any more. */
  drop(): void {
    this.#live = undefined;
  }

  async open(): Promise<void> {
    await this.#node.stores.sessions.create(record(SESSION));
    this.#live = { seq: 0, answered: new Map(), running: new Set(), keeping: Promise.resolve() };
  }

  /** Lets the session go, where nothing runs in it. */
  async release(): Promise<void> {
    if (this.#live === undefined || this.#live.running.size > 0) return;
    this.#live = undefined;
    await this.#node.release(SESSION);
  }

  async leave(): Promise<void> {
    await this.#node.leave();
  }

  /** A client sends a request to this node. */
  async serve(id: number, nodes: readonly ModelNode[], hops = 0): Promise<Served> {
    try {
      const located = await this.#node.locate(SESSION);
      switch (located.at) {
        case 'nowhere':
          throw new Error('the session is gone');
        case 'elsewhere': {
          const other = nodes.find(({ name }) => name === located.node);
          if (other === undefined || hops > 5) return 'again';
          return await other.serve(id, nodes, hops + 1);
        }
        case 'taken': {
          const { fence, seq, running, answered } = located.taken;
          this.#truth.fences.push(fence);
          this.#live = {
            seq,
            answered: new Map(answered.map((one) => [Number(one.id), one])),
            running: new Set(),
            keeping: Promise.resolve(),
          };
          const live = this.#live;
          for (const left of running) live.running.add(Number(left.id));
          await Promise.all(running.map((left) => this.#settle(live, Number(left.id))));
          break;
        }
        case 'here':
          break;
      }
      const live = this.#live;
      return live === undefined ? 'again' : await this.#run(live, id);
    } catch (error) {
      if (error instanceof SessionLostError || error instanceof ClusterAwayError) return 'again';
      throw error;
    }
  }

  async #run(live: Live, id: number): Promise<Served> {
    if (live.answered.has(id)) {
      const { events } = await this.#node.stores.events.readAfter(SESSION, 0);
      const { answeredAt } = live.answered.get(id) ?? {};
      const known = events.find(({ seq }) => seq === answeredAt);
      if (known === undefined) return 'again';
      this.#truth.tell(id, known.data);
      return 'done';
    }
    // The same request: whoever waits for the first one gets its answer.
    if (live.running.has(id)) return 'again';
    live.running.add(id);
    if (isSafe(id)) {
      this.#node.begin(SESSION, request(id), false).catch(() => {});
      return this.#settle(live, id);
    }
    try {
      await this.#node.begin(SESSION, request(id));
    } catch (error) {
      live.running.delete(id);
      throw error;
    }
    if (this.#live !== live) return 'again';
    this.#truth.run(id);
    await Promise.resolve();
    return this.#answer(live, id, 'ran');
  }

  /** Runs what may run twice; of the rest, nobody knows what became of it. */
  async #settle(live: Live, id: number): Promise<Served> {
    if (!isSafe(id)) return this.#answer(live, id, 'unknown');
    this.#truth.run(id);
    // Some take their time: Redis is told of them first.
    if (id % 2 === 0) await new Promise((resolve) => setTimeout(resolve, 2));
    return this.#answer(live, id, 'ran');
  }

  /** Keeps the answer, as often as it takes, and then tells it. */
  async #answer(live: Live, id: number, what: string): Promise<Served> {
    const event = { ...answer(++live.seq, id), data: JSON.stringify({ id, what }) };
    if (isSafe(id) && this.#live === live && this.#node.isSurelyHere(SESSION)) {
      this.#truth.tell(id, event.data);
    }
    const keeping = live.keeping.then(() => this.#keep(live, event));
    live.keeping = keeping.catch(() => {});
    await keeping;
    live.running.delete(id);
    live.answered.set(id, { answeredAt: event.seq });
    this.#truth.tell(id, event.data);
    return 'done';
  }

  async #keep(live: Live, event: LoggedEvent): Promise<void> {
    for (;;) {
      if (this.#live !== live) throw new SessionLostError();
      try {
        // Some go out together with what comes next.
        const isSent = isSafe(Number(event.about?.id)) || event.seq % 2 === 0;
        await this.#node.stores.events.append(SESSION, event, isSent);
        return;
      } catch (error) {
        if (!(error instanceof ClusterAwayError)) throw error;
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    }
  }
}
