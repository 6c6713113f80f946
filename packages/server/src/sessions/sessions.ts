import type { JSONRPCRequest, MessageExtraInfo } from '@modelcontextprotocol/server';
import type { FastifyRequest } from 'fastify';
import { createHash, randomBytes } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import type { ClientRequest } from '../client-request.js';
import type { CallGates } from '../calls/gates.js';
import { inBackground } from '../operate/log.js';
import type { KitObserver, SessionEnd, TellNotification } from '../operate/observer.js';
import type { ResolvedOptions, ServableServer } from '../options.js';
import { ANONYMOUS, type MaybePromise, type Principal } from '../principal.js';
import * as refusals from '../refusal.js';
import type { Refusal } from '../refusal.js';
import { networkOf } from '../limits/network-of.js';
import { makeServer } from '../instances/make-server.js';
import { SealedServer } from '../instances/sealed-server.js';
import { isClusterAway, type TakenSession } from '../cluster/cluster.js';
import { TOO_LONG_TO_SEAL } from '../cluster/sealed-refusals.js';
import { headersToKeep, type ElsewhereSession } from './elsewhere.js';
import { OwnedSessions, refuseIfAway } from './owned-sessions.js';
import type { SessionHost } from './session-host.js';
import { Session } from './session.js';
import type { SessionRecord, SessionStore } from './session-store.js';
import type { LegacyTasks } from './legacy-tasks.js';

/** How often sessions are looked at for their limits, at most and at least. */
const SWEEP_MS = { least: 100, most: 5_000 };

/** Who opens a session, and how. */
export interface Opening {
  readonly transport: SessionRecord['transport'];
  readonly principal: Principal;
  readonly request: FastifyRequest;
  readonly response: ServerResponse;
  /** Its handshake, where the session begins with it. */
  readonly initialize?: JSONRPCRequest;
  /** The client's resume key. */
  readonly resumeKey?: string | undefined;
}

/** What the sessions of a mount are made with. */
export interface SessionsOptions {
  readonly options: ResolvedOptions;
  readonly gates: CallGates;
  readonly observers: readonly KitObserver[];
  readonly notified: TellNotification | undefined;
  /** Missing where no tool has tasks. */
  readonly tasks: LegacyTasks | undefined;
  /** Why no session may be opened now. */
  readonly refusesSession: () => Refusal | undefined;
  /** Told every server before it is connected. */
  readonly watch: (server: object) => void;
  /** What a server learns of the request that brought a message. */
  readonly extraOf: (request: ClientRequest, session: Session) => MessageExtraInfo;
}

/** The sessions of one mount that this node serves. */
export class Sessions {
  readonly #options: ResolvedOptions;
  readonly #store: SessionStore;
  readonly #host: SessionHost<Session>;
  readonly #observers: readonly KitObserver[];
  readonly #refusesSession: () => Refusal | undefined;
  readonly #watch: (server: object) => void;
  readonly #live = new Map<string, Session>();
  /** What makes the servers of sessions at the moment. */
  readonly #making = new Map<Session, AbortController>();
  /** How many sessions each address and each principal has, those included that are being opened. */
  readonly #held = new Map<string, number>();
  readonly #sweeper: NodeJS.Timeout;
  /** Missing where this is no node of a cluster. */
  readonly #owned: OwnedSessions | undefined;
  #isClosing = false;

  constructor(given: SessionsOptions) {
    const { options, gates, observers, notified, tasks, refusesSession, watch, extraOf } = given;
    const { sessions: store, events } = options.stores;
    this.#options = options;
    this.#store = store;
    this.#observers = observers;
    this.#refusesSession = refusesSession;
    this.#watch = watch;
    this.#owned =
      options.cluster &&
      new OwnedSessions(options.cluster, {
        options,
        live: this.#live,
        extraOf,
        take: (taken, principal, origin) => this.#take(taken, principal, origin),
      });
    this.#host = {
      store,
      events,
      node: options.cluster?.node,
      gates,
      notified,
      tasks,
      maxMessageBytes: options.maxBufferedBytes,
      makeServer: (session) => this.#makeServer(session),
      onEnd: (session, reason) => this.#drop(session, reason),
      onQuiet: (session) => this.#owned?.considerMove(session),
      onLost: (session, error) => this.#owned?.lost(session, error),
    };
    const { sessionIdleMs, sessionLifetimeMs, resumeMs, hibernateMs } = options;
    const shortest = Math.min(sessionIdleMs, sessionLifetimeMs, resumeMs, hibernateMs) / 4;
    const everyMs = Math.min(Math.max(shortest, SWEEP_MS.least), SWEEP_MS.most);
    this.#sweeper = setInterval(() => this.#sweep(), everyMs).unref();
  }

  /** Those that are served now. */
  all(): Iterable<Session> {
    return this.#live.values();
  }

  get size(): number {
    return this.#live.size;
  }

  /** The open session of this id, if it is here for certain, and this principal opened it. */
  find(id: unknown, principal: Principal): Session | undefined {
    const session = typeof id === 'string' ? this.#live.get(id) : undefined;
    if (session?.principal.id !== principal.id || session.isEnded) return undefined;
    return session.owned?.isSure === false ? undefined : session;
  }

  /**
   * The session of this id wherever it is, if this principal opened it. One whose node has died, left or
   * let it go is taken over.
   *
   * @param origin the request that meets it.
   * @throws RefusedError where the store of the cluster is away, or this node stops.
   */
  async locate(
    id: string,
    principal: Principal,
    origin: ClientRequest,
  ): Promise<Session | ElsewhereSession | undefined> {
    return this.find(id, principal) ?? this.#owned?.locate(id, principal, origin);
  }

  /** Ends a session of another node; false if there is none of this id, or no other node. */
  async endElsewhere(id: string): Promise<boolean> {
    return (await this.#owned?.endElsewhere(id)) ?? false;
  }

  /** The session that this principal opened with this resume key. */
  async findByResume(
    resumeKey: string,
    principal: Principal,
    origin: ClientRequest,
  ): Promise<Session | ElsewhereSession | undefined> {
    const find = async (): Promise<SessionRecord | undefined> =>
      this.#store.findByResume(principal.id, digestOf(resumeKey));
    const record = await find().catch(refuseIfAway);
    return record === undefined ? undefined : this.locate(record.id, principal, origin);
  }

  /**
   * Makes a server and opens a session with it, unless there are too many or the client leaves.
   *
   * @returns the session, or why there is none.
   * @throws what the factory or the server's `connect` throws; Error if making the server takes too
   * long.
   */
  async open(opening: Opening): Promise<Session | Refusal> {
    const { principal, request, response } = opening;
    // If the client left earlier, `close` was emitted already.
    if (this.#isClosing || response.destroyed) return refusals.NO_MORE_SESSIONS;
    const keys = keysOf(networkOf(request.ip), principal);
    const excess = this.#refusesSession() ?? this.#excessOf(keys, principal);
    if (excess !== undefined) return excess;
    const id = this.#idFor(opening);
    if (id === undefined) return TOO_LONG_TO_SEAL;
    this.#hold(keys);
    const now = Date.now();
    const record: SessionRecord = {
      id,
      principal: principal.id,
      transport: opening.transport,
      ...(opening.resumeKey !== undefined && { resume: digestOf(opening.resumeKey) }),
      createdAt: now,
      lastActivityAt: now,
      isInitialized: false,
      subscriptions: [],
      ...(this.#owned !== undefined && {
        headers: headersToKeep(request),
        network: networkOf(request.ip),
      }),
      ...(this.#options.cluster?.node.sealing && { isSealed: true }),
    };
    const session = new Session(record, { principal, origin: request, host: this.#host });
    this.#live.set(session.id, session);
    const gone = (): void => void session.end('abandoned');
    response.once('close', gone);
    try {
      const refusal = await this.#create(record, principal);
      if (refusal !== undefined) {
        await session.end('failed');
        return refusal;
      }
      await session.start();
    } catch (error) {
      if (!session.isEnded) await session.end('failed');
      if (isClusterAway(error)) return refusals.CLUSTER_AWAY;
      if (this.#isClosing || response.destroyed) return refusals.NO_MORE_SESSIONS;
      throw error;
    } finally {
      response.off('close', gone);
    }
    this.#tell(session, (observer, observed) => observer.sessionOpened?.(observed));
    return session;
  }

  #idFor({ principal, initialize }: Opening): string | undefined {
    const { sealing } = this.#options.cluster?.node ?? {};
    if (sealing === undefined) return randomBytes(24).toString('base64url');
    return initialize && sealing.seal({ principal: principal.id, initialize });
  }

  /** Lets other nodes have the sessions, each as soon as nothing runs in it. */
  leave(): void {
    this.#owned?.leave();
  }

  /** Takes no more sessions over from other nodes. */
  takeNoMore(): void {
    this.#owned?.close();
  }

  /** Ends all sessions, and opens no more; fulfilled when they are closed. Other nodes may go on with them. */
  async close(): Promise<void> {
    this.#isClosing = true;
    this.takeNoMore();
    clearInterval(this.#sweeper);
    await Promise.all([...this.#live.values()].map((session) => session.end('shutting-down')));
  }

  /** Keeps a new session, unless its principal has too many on all nodes. */
  async #create(record: SessionRecord, { id }: Principal): Promise<Refusal | undefined> {
    const { maxSessionsPerPrincipal: most } = this.#options;
    if (this.#owned !== undefined && id !== ANONYMOUS.id && most !== Infinity) {
      if ((await this.#store.count(id)) >= most) return refusals.tooManyOfPrincipal(most);
    }
    await this.#store.create(record);
    return undefined;
  }

  #hold(keys: readonly string[]): void {
    for (const key of keys) this.#held.set(key, (this.#held.get(key) ?? 0) + 1);
  }

  /** Goes on with a session that this node has just taken over. */
  #take(taken: TakenSession, principal: Principal, origin: ClientRequest): Session {
    const session = new Session(taken.record, { principal, origin, host: this.#host, taken });
    this.#live.set(session.id, session);
    this.#hold(keysOf(session.network, principal));
    this.#tell(session, (observer, observed) => observer.sessionOpened?.(observed));
    return session;
  }

  /** Which limit one more session would pass. An abandoned session makes room for a new one. */
  #excessOf(
    [address, owner]: ReturnType<typeof keysOf>,
    principal: Principal,
  ): Refusal | undefined {
    const { maxSessions, maxSessionsPerAddress, maxSessionsPerPrincipal } = this.#options;
    if ((this.#held.get(address) ?? 0) >= maxSessionsPerAddress) {
      return refusals.tooManyOfAddress(maxSessionsPerAddress);
    }
    if (principal.id !== ANONYMOUS.id && (this.#held.get(owner) ?? 0) >= maxSessionsPerPrincipal) {
      return refusals.tooManyOfPrincipal(maxSessionsPerPrincipal);
    }
    if (this.#live.size < maxSessions) return undefined;
    const abandoned = this.#longestAbandoned();
    if (abandoned === undefined) return refusals.NO_MORE_SESSIONS;
    void abandoned.end('abandoned');
    return undefined;
  }

  #longestAbandoned(): Session | undefined {
    let longest: Session | undefined;
    for (const session of this.#live.values()) {
      if (!isAbandoned(session, 0) || session.isEnded) continue;
      if ((session.streams.detachedAt ?? 0) < (longest?.streams.detachedAt ?? Infinity))
        longest = session;
    }
    return longest;
  }

  #drop(session: Session, reason: SessionEnd): MaybePromise<void> {
    // Another of this id may be here by now, taken over again.
    if (this.#live.get(session.id) === session) this.#live.delete(session.id);
    this.#making.get(session)?.abort();
    for (const key of keysOf(session.network, session.principal)) {
      const left = (this.#held.get(key) ?? 1) - 1;
      if (left > 0) this.#held.set(key, left);
      else this.#held.delete(key);
    }
    const isLeft = reason === 'shutting-down' && this.#owned !== undefined;
    if (reason !== 'moved' && !isLeft) {
      for (const kept of [this.#store, this.#host.events]) {
        inBackground(session.log, 'what is stored of a session could not be deleted', () =>
          kept.delete(session.id),
        );
      }
    }
    const durationMs = Date.now() - session.record.createdAt;
    this.#tell(session, (observer, observed) =>
      observer.sessionEnded?.(observed, { reason, durationMs }),
    );
    return isLeft ? this.#owned?.release(session.id) : undefined;
  }

  /** Ends what is over a limit of time, and drops the servers of sessions that nobody uses. */
  #sweep(): void {
    const { sessionIdleMs, sessionLifetimeMs, resumeMs, hibernate, hibernateMs } = this.#options;
    const now = Date.now();
    for (const session of this.#live.values()) {
      // A node that was stalled knows nothing of what has happened to its sessions.
      if (session.owned?.isSure === false) continue;
      const { lastActivityAt, createdAt } = session.record;
      const idleMs = now - lastActivityAt;
      if (now - createdAt > sessionLifetimeMs) void session.end('lifetime');
      else if (isAbandoned(session, resumeMs)) void session.end('abandoned');
      else if (idleMs > sessionIdleMs) void session.end('idle');
      else if (hibernate && idleMs > hibernateMs) void this.#hibernate(session);
    }
  }

  async #hibernate(session: Session): Promise<void> {
    try {
      await session.hibernate();
    } catch (error) {
      session.log.error(error, 'the server of an idle session failed to close');
    }
  }

  /** Makes the server of a session, unless the session ends first. */
  async #makeServer(session: Session): Promise<ServableServer> {
    const { create, createTimeoutMs, requestStates } = this.#options;
    const { principal, headers, id, log } = session;
    const attempt = new AbortController();
    this.#making.set(session, attempt);
    const context = {
      principal,
      headers,
      sessionId: id,
      get signal(): AbortSignal {
        return session.signal;
      },
      era: 'legacy',
      requestState: requestStates(() => principal.id),
    } as const;
    const making = { signal: attempt.signal, timeoutMs: createTimeoutMs, log };
    try {
      const server = await makeServer(() => create(context), making);
      this.#watch(server);
      return this.#options.cluster?.node.sealing ? new SealedServer(server) : server;
    } finally {
      this.#making.delete(session);
    }
  }

  #tell(
    session: Session,
    tell: (
      observer: KitObserver,
      observed: Parameters<NonNullable<KitObserver['sessionOpened']>>[0],
    ) => void,
  ): void {
    const { id, principal, record, protocolVersion } = session;
    const observed = {
      sessionId: id,
      principal: principal.id,
      transport: record.transport,
      protocolVersion,
    };
    for (const observer of this.#observers) {
      try {
        tell(observer, observed);
      } catch (error) {
        session.log.error(error, 'an observer of sessions failed');
      }
    }
  }
}

/** Whether an SSE session has had no stream for longer than this. Others need none. */
function isAbandoned({ record, streams: { detachedAt } }: Session, afterMs: number): boolean {
  if (record.transport !== 'sse' || detachedAt === undefined) return false;
  return Date.now() - detachedAt > afterMs;
}

/** Those of whom a session is one: each may have so many. */
function keysOf(network: string, { id }: Principal): readonly [address: string, owner: string] {
  return [`address ${network}`, `principal ${id}`];
}

function digestOf(resumeKey: string): string {
  return createHash('sha256').update(resumeKey).digest('base64url');
}
