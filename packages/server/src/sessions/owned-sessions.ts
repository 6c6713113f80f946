import type { MessageExtraInfo } from '@modelcontextprotocol/server';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ClientRequest } from '../client-request.js';
import { isClusterAway, type TakenSession } from '../cluster/cluster.js';
import type { JoinedCluster } from '../cluster/joined-cluster.js';
import { MESSAGES_VERSION } from '../cluster/node-messages.js';
import { inBackground } from '../operate/log.js';
import type { ResolvedOptions } from '../options.js';
import type { Principal } from '../principal.js';
import { CLUSTER_AWAY, MOVED, NO_MORE_SESSIONS, RefusedError, STOPPING } from '../refusal.js';
import { ElsewhereSession } from './elsewhere.js';
import type { Session } from './session.js';
import { resumeTaken } from './take-over.js';

/** When a session is looked for again that is on its way. */
const AGAIN_MS = 5;
/** How long it may be on its way. */
const LONGEST_MOVE_MS = 2_000;

/** The sessions of a mount, as far as a node of a cluster gets them from others and gives them away. */
export interface OwnedSessionsOptions {
  readonly options: Pick<ResolvedOptions, 'hibernate' | 'log' | 'maxSessions'>;
  /** Those that are here. */
  readonly live: Map<string, Session>;
  /** Makes a session of what an owner before has left. */
  readonly take: (taken: TakenSession, principal: Principal, origin: ClientRequest) => Session;
  /** What a server learns of the request that brought a message. */
  readonly extraOf: (request: ClientRequest, session: Session) => MessageExtraInfo;
}

/**
 * Which sessions of a cluster are this node's. One is taken over where it is met and its owner is gone,
 * and let go where this node stops, or, if servers may be dropped and made again (`hibernate`), where all
 * of its requests come from one other node.
 */
export class OwnedSessions {
  readonly #cluster: JoinedCluster;
  readonly #options: OwnedSessionsOptions;
  #isLeaving = false;
  #isClosing = false;

  constructor(cluster: JoinedCluster, options: OwnedSessionsOptions) {
    this.#cluster = cluster;
    this.#options = options;
    const { live } = options;
    cluster.add({ lost: (id) => this.lost(live.get(id), 'another node has taken it') });
  }

  /** Finds a session that is not here for certain; see {@link Sessions.locate}. */
  async locate(
    id: string,
    principal: Principal,
    origin: ClientRequest,
  ): Promise<Session | ElsewhereSession | undefined> {
    const { live, options } = this.#options;
    const endsAt = performance.now() + LONGEST_MOVE_MS;
    for (;;) {
      if (this.#isClosing) throw new RefusedError(STOPPING);
      // Nothing but that bounds how many there are whose ids are good.
      const isFull = this.#cluster.node.sealing !== undefined && live.size >= options.maxSessions;
      if (isFull) throw new RefusedError(NO_MORE_SESSIONS);
      const located = await this.#cluster.node.locate(id).catch(refuseIfAway);
      switch (located.at) {
        case 'nowhere':
          return undefined;
        case 'here': {
          const session = live.get(id);
          if (session !== undefined && !session.isEnded) {
            return session.principal.id === principal.id ? session : undefined;
          }
          // It is being taken over for another request, or was let go meanwhile.
          if (performance.now() > endsAt) throw new RefusedError(MOVED);
          await sleep(AGAIN_MS);
          break;
        }
        case 'elsewhere': {
          const { node, record } = located;
          return record.principal === principal.id ? new ElsewhereSession(node, record) : undefined;
        }
        case 'taken': {
          const { taken } = located;
          const isTheirs = taken.record.principal === principal.id;
          if (isTheirs && !this.#isClosing) return this.#take(taken, principal, origin);
          await this.release(id);
          if (!isTheirs) return undefined;
        }
      }
    }
  }

  /**
   * Ends a session that is not here, as its operator wants it: by its owner, or in the store where that is
   * gone.
   *
   * @returns whether there is one.
   */
  async endElsewhere(id: string): Promise<boolean> {
    const { node } = this.#cluster;
    for (;;) {
      const located = await node.locate(id);
      if (located.at === 'taken') {
        await Promise.all([node.stores.sessions.delete(id), node.stores.events.delete(id)]);
        return true;
      }
      if (located.at !== 'elsewhere') return false;
      const { principal } = located.record;
      const end = { kind: 'end', session: id, principal, v: MESSAGES_VERSION, uid: '' };
      if (await this.#cluster.send(located.node, end)) return true;
      await sleep(AGAIN_MS);
    }
  }

  /** Lets other nodes have the sessions, each as soon as nothing runs in it. */
  leave(): void {
    this.#isLeaving = true;
    for (const session of this.#options.live.values()) session.beginLeaving();
  }

  /** Takes no more sessions over. */
  close(): void {
    this.#isClosing = true;
  }

  /** Lets a session go in which nothing runs, where this node stops, or its clients are elsewhere. */
  considerMove(session: Session): void {
    if (session.isEnded) return;
    const isElsewhere =
      this.#options.options.hibernate && session.owned?.isSteadyElsewhere === true;
    if (!this.#isLeaving && !isElsewhere) return;
    this.#cluster.counts.letGo++;
    this.#moved(session);
  }

  /** Another node has a session, or it could not be kept for too long: then any node may have it. */
  lost(session: Session | undefined, why: unknown): void {
    if (session === undefined || session.isEnded) return;
    session.log.warn({ err: why }, 'a session is lost to other nodes');
    this.#cluster.counts.lost++;
    this.#moved(session);
  }

  /** Lets any node have a session. */
  async release(id: string): Promise<void> {
    try {
      await this.#cluster.node.release(id);
    } catch (error) {
      this.#options.options.log?.warn(error, 'a session could not be let go');
    }
  }

  #take(taken: TakenSession, principal: Principal, origin: ClientRequest): Session {
    const { live, take, extraOf } = this.#options;
    this.#cluster.counts.takenOver++;
    // One that it had before it lost it.
    void live.get(taken.record.id)?.leave();
    const session = take(taken, principal, origin);
    inBackground(session.log, 'what a node before has left could not be gone on with', () =>
      resumeTaken(session, taken, { origin, extra: extraOf(origin, session) }),
    );
    return session;
  }

  /** Lets any node have a session, and says no more of it here; its readers go where it is. */
  #moved(session: Session): void {
    // First: whoever is told of it below looks for it at once.
    void this.release(session.id);
    void session.leave();
    this.#options.live.delete(session.id);
  }
}

/** A request that needs the store of the cluster is refused while that is away. */
export function refuseIfAway(error: unknown): never {
  if (isClusterAway(error)) throw new RefusedError(CLUSTER_AWAY);
  throw error;
}
