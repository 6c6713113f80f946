/**
 * A cluster as a simulation: nodes and shards of Redis that do one thing after the other, sessions with
 * an owner, leases that end, a load balancer without stickiness, clients that come back. What each step
 * costs is measured on three real nodes (`measured.json`).
 */
import { createRandom } from '@longwire/testing';
import { Clock, Station } from './clock.mjs';

/**
 * What one step takes, in milliseconds of the station that does it.
 *
 * @typedef {object} Costs
 * @property {number} here a call on the node that has its session
 * @property {number} front the node that is asked, where another one has the session
 * @property {number} owner the node that has it
 * @property {number} take making the server of a session again, and telling it what stands
 * @property {number} attach giving a stream a reader again
 * @property {number} script of Redis: one script, or a command with what it moves
 * @property {number} broadcast of a shard of Redis Cluster: a message that another shard publishes
 * @property {number} hop from one process to another and through both kernels
 *
 * @typedef {object} Setting
 * @property {number} seed
 * @property {number} nodes
 * @property {number} shards of Redis
 * @property {number} sessions
 * @property {number} callsPerSecond of all sessions together
 * @property {number} leaseMs
 * @property {number} retryMs how long a client waits before it opens its stream again
 * @property {number} streaming the part of the sessions that has a stream open
 * @property {number} [stickiness] the part of the calls that reach the node of their session. Default 0.
 * @property {Costs} costs
 */

/** How often a node looks whether those that it waits for are alive, by its lease. */
const LOOKS_PER_LEASE = 4;
/** How long it takes a client to find another node, where the one it knew is dead. */
const RECONNECT_MS = 50;

/** @typedef {{ at: Station, isAlive: boolean, deadAt: number, owned: number }} Node */
/** @typedef {{ owner: Node, shard: Station, taking: (() => void)[] | undefined }} Session */

/** What became of the calls. */
export class Told {
  /** @type {number[]} */
  latencies = [];
  sent = 0;
  answered = 0;
  /** Those that ran, or may have, when their node died. */
  unknown = 0;
  taken = 0;
  attached = 0;
  scripts = 0;
  /** The longest that any call, or any stream, was without its cluster. */
  longestMs = 0;
}

export class SimulatedCluster {
  clock = new Clock();
  told = new Told();
  /** @type {Node[]} */
  nodes;
  /** @type {Session[]} */
  sessions;
  /** @type {Station[]} */
  shards;
  #setting;
  #random;

  /** @param {Setting} setting */
  constructor(setting) {
    this.#setting = setting;
    this.#random = createRandom(setting.seed);
    this.shards = Array.from({ length: setting.shards }, () => new Station(this.clock));
    this.nodes = Array.from({ length: setting.nodes }, () => ({
      at: new Station(this.clock),
      isAlive: true,
      deadAt: Infinity,
      owned: 0,
    }));
    this.sessions = Array.from({ length: setting.sessions }, (_, index) => {
      const owner = /** @type {Node} */ (this.nodes[index % setting.nodes]);
      owner.owned += 1;
      const shard = /** @type {Station} */ (this.shards[index % setting.shards]);
      return { owner, shard, taking: undefined };
    });
  }

  /** Clients call, each session as often as every other. @param {number} untilMs */
  callUntil(untilMs) {
    const meanMs = 1_000 / this.#setting.callsPerSecond;
    const next = () => {
      if (this.clock.now > untilMs) return;
      this.call(this.#anySession());
      this.clock.after(this.#exponential(meanMs), next);
    };
    this.clock.after(this.#exponential(meanMs), next);
  }

  /** One session is called so often, through every node. @param {{ callsPerSecond: number, untilMs: number }} options */
  heat({ callsPerSecond, untilMs }) {
    const session = this.#anySession();
    const next = () => {
      if (this.clock.now > untilMs) return;
      this.call(session);
      this.clock.after(this.#exponential(1_000 / callsPerSecond), next);
    };
    next();
  }

  /** @param {Session} session */
  call(session) {
    this.told.sent += 1;
    const beganAt = this.clock.now;
    const done = () => {
      const tookMs = this.clock.now - beganAt;
      this.told.answered += 1;
      this.told.latencies.push(tookMs);
      this.told.longestMs = Math.max(this.told.longestMs, tookMs);
    };
    this.#reach(session, done);
  }

  /** Nodes die, all at once. @param {number} count */
  kill(count) {
    const doomed = this.nodes.filter(({ isAlive }) => isAlive).slice(0, count);
    for (const node of doomed) {
      node.isAlive = false;
      node.deadAt = this.clock.now;
    }
    // Streams were spread over all nodes: those of the dead ones come back, whoever owns their sessions.
    const { sessions, nodes, streaming, retryMs } = this.#setting;
    const cut = Math.round((sessions * streaming * doomed.length) / nodes);
    for (let stream = 0; stream < cut; stream++) {
      const cutAt = this.clock.now;
      const waitMs = retryMs * (1 + this.#random.next() * 0.25);
      this.clock.after(waitMs, () => this.#attach(this.#anySession(), cutAt));
    }
  }

  /** Every stream is cut, as by a load balancer that starts again. */
  cutEverything() {
    const { sessions, streaming, retryMs } = this.#setting;
    for (let stream = 0; stream < sessions * streaming; stream++) {
      const cutAt = this.clock.now;
      const waitMs = retryMs * (1 + this.#random.next() * 0.25);
      this.clock.after(waitMs, () => this.#attach(this.#anySession(), cutAt));
    }
  }

  /** A shard of Redis answers nothing for a while. @param {number} shard @param {number} awayMs */
  stall(shard, awayMs) {
    this.shards[shard]?.use(awayMs, () => {});
  }

  /** @param {Session} session @param {() => void} done */
  #reach(session, done) {
    const { costs, stickiness = 0 } = this.#setting;
    const isDirect = session.owner.isAlive && this.#random.chance(stickiness);
    const asked = isDirect ? session.owner : this.#anyNode();
    /** Its client comes back, and sends the same request again: it may have run. @param {() => void} then */
    const unlessDead = (/** @type {Node} */ node, /** @type {() => void} */ then) => () => {
      if (node.isAlive) then();
      else this.clock.after(RECONNECT_MS, () => this.#reach(session, done));
    };
    this.clock.after(
      costs.hop,
      unlessDead(asked, () => {
        if (session.owner === asked) this.#runHere(asked, session, done);
        else if (session.owner.isAlive) this.#runElsewhere(asked, session, done);
        else this.#take(asked, session, () => this.#reach(session, done));
      }),
    );
  }

  /** @param {Node} node @param {Session} session @param {() => void} done */
  #runHere(node, session, done) {
    const { costs } = this.#setting;
    this.#script(session, () =>
      node.at.use(costs.here, () => {
        if (!node.isAlive) return this.#lost();
        // What is kept of the answer is not waited for.
        this.#script(session, () => {});
        this.clock.after(costs.hop, done);
      }),
    );
  }

  /** @param {Node} asked @param {Session} session @param {() => void} done */
  #runElsewhere(asked, session, done) {
    const { costs } = this.#setting;
    const { owner } = session;
    asked.at.use(costs.front / 2, () =>
      // The inbox of a node: written, and read.
      this.#script(session, () =>
        this.#script(session, () => {
          if (!owner.isAlive) {
            // The node that was asked learns of it when the lease has ended.
            this.#take(asked, session, () => this.#reach(session, done));
            return;
          }
          owner.at.use(costs.owner / 2, () =>
            this.#script(session, () =>
              owner.at.use(costs.owner / 2, () => {
                if (!owner.isAlive) return this.#lost();
                this.#publish(session);
                this.#script(session, () =>
                  asked.at.use(costs.front / 2, () => {
                    if (asked.isAlive) this.clock.after(costs.hop, done);
                    // It is in the log: its client comes back for it.
                    else this.clock.after(RECONNECT_MS, () => this.#reach(session, done));
                  }),
                );
              }),
            ),
          );
        }),
      ),
    );
  }

  /** @param {Session} session @param {number} cutAt */
  #attach(session, cutAt) {
    const { costs } = this.#setting;
    const node = this.#anyNode();
    const attached = () =>
      node.at.use(costs.attach, () =>
        this.#script(session, () => {
          this.told.attached += 1;
          this.told.longestMs = Math.max(this.told.longestMs, this.clock.now - cutAt);
        }),
      );
    if (session.owner.isAlive) this.#script(session, attached);
    else this.#take(node, session, attached);
  }

  /** A node takes a session whose owner is dead, once the lease has ended. @param {Node} node @param {Session} session @param {() => void} then */
  #take(node, session, then) {
    const { leaseMs, costs } = this.#setting;
    if (session.owner.isAlive) return then();
    if (session.taking !== undefined) {
      session.taking.push(then);
      return;
    }
    session.taking = [then];
    const endsAt = session.owner.deadAt + leaseMs;
    const lookMs = leaseMs / LOOKS_PER_LEASE;
    // A lease was renewed at some moment before the death; one that waits looks from time to time.
    const renewedMs = this.#random.next() * lookMs;
    const waitMs = Math.max(0, endsAt - renewedMs - this.clock.now);
    this.clock.after(waitMs === 0 ? 0 : waitMs + this.#random.next() * lookMs, () =>
      this.#script(session, () =>
        node.at.use(costs.take, () => {
          session.owner.owned -= 1;
          session.owner = node.isAlive ? node : this.#anyNode();
          session.owner.owned += 1;
          this.told.taken += 1;
          const waiting = session.taking ?? [];
          session.taking = undefined;
          for (const go of waiting) go();
        }),
      ),
    );
  }

  #lost() {
    // It may have run: its client is told so by the next owner, when the lease has ended.
    this.told.unknown += 1;
  }

  /** A shard tells every other one what it publishes. @param {Session} session */
  #publish(session) {
    const { broadcast } = this.#setting.costs;
    for (const shard of this.shards) if (shard !== session.shard) shard.use(broadcast, () => {});
  }

  /** @param {Session} session @param {() => void} then */
  #script(session, then) {
    const { hop, script } = this.#setting.costs;
    this.told.scripts += 1;
    this.clock.after(hop, () => session.shard.use(script, () => this.clock.after(hop, then)));
  }

  #anySession() {
    return /** @type {Session} */ (this.sessions[this.#random.below(this.sessions.length)]);
  }

  /** The next node of a load balancer that has noticed who is dead. */
  #anyNode() {
    for (;;) {
      const node = this.nodes[this.#random.below(this.nodes.length)];
      if (node?.isAlive === true) return node;
    }
  }

  /** @param {number} meanMs */
  #exponential(meanMs) {
    return -Math.log(1 - this.#random.next()) * meanMs;
  }
}
