import type { JSONRPCRequest, RequestId } from '@modelcontextprotocol/server';
import type { FastifyBaseLogger } from 'fastify';
import type { LoggedEvent } from '../events/event-log.js';
import type { ResolvedEventLogOptions } from '../events/memory-event-log.js';
import type { SessionRecord } from '../sessions/session-store.js';
import type { Stores } from '../stores.js';

/**
 * What makes this process one of several nodes that serve the same sessions: the option `cluster`.
 * `redis(url)` of `@longwire/cluster` makes one.
 */
export interface Cluster {
  /**
   * Joins, once for each mount, before it serves anything.
   *
   * @throws Error that says what cannot be reached, or is too old.
   */
  join(joining: Joining): Promise<ClusterNode>;
}

/** What a node is told when it joins. */
export interface Joining {
  /** Tells the mounts of one application apart: the prefix. */
  readonly mount: string;
  readonly log: FastifyBaseLogger | undefined;
  /** What is kept of what sessions said. */
  readonly eventLog: ResolvedEventLogOptions;
  /** How long a session may be idle, in milliseconds: nothing of it is kept for much longer. */
  readonly sessionIdleMs: number;
  readonly handlers: NodeHandlers;
}

/** What a node learns of others. */
export interface NodeHandlers {
  /** A message of another node, in the order in which that node has sent them. Once. */
  received(message: NodeMessage, from: string): void;
  /** A message of a session of another node that has a reader here ({@link ClusterNode.readAt}). */
  published(reader: string, sessionId: string, event: LoggedEvent): void;
  /** Messages that were published may be missing: the connection was away. */
  missed(): void;
  /** A node that this one has sent something to is gone: it has left, or its lease has ended. */
  gone(node: string): void;
  /** Another node has this session now: nothing that is written for it here will be kept. */
  lost(sessionId: string): void;
}

/** What one node tells another. Its form belongs to the kit; JSON can hold it. */
export interface NodeMessage {
  readonly kind: string;
  /** Which session it is about. */
  readonly session: string;
}

/** A request that a session has begun to answer, as the cluster knows it. */
export interface BegunRequest {
  readonly id: RequestId;
  /** Of its body: a repetition has the same one. */
  readonly digest: string;
  /** The stream on which it is answered. */
  readonly stream: number;
  /** What would run it again; missing where it is too long to be kept. */
  readonly message?: JSONRPCRequest;
}

/** A request that was answered, as long as its answer is kept. */
export interface EndedRequest {
  readonly id: RequestId;
  readonly digest: string;
  readonly stream: number;
  /** The place of the answer among the messages of the session. */
  readonly answeredAt: number;
}

/** A session that this node has just become the owner of. */
export interface TakenSession {
  readonly record: SessionRecord;
  /** Counts its owners, from 1: the fencing number that every write carries. */
  readonly fence: number;
  /** The place of the last message that was kept. */
  readonly seq: number;
  /** What had begun, and has no answer. */
  readonly running: readonly BegunRequest[];
  /** What was answered. */
  readonly answered: readonly EndedRequest[];
}

/** Where a session is. `nowhere`: there is none of this id. */
export type Located =
  | { readonly at: 'here' | 'nowhere' }
  | { readonly at: 'elsewhere'; readonly node: string; readonly record: SessionRecord }
  | { readonly at: 'taken'; readonly taken: TakenSession };

/** A session, as far as its id says all of it. */
export interface SealedSession {
  readonly principal: string;
  /** As it came. */
  readonly initialize: JSONRPCRequest;
}

/**
 * Where sessions hold nothing but their `initialize`: each node makes its server from the id. `locate` gives
 * one that was `taken`, and what needs more is refused.
 */
export interface SessionSealing {
  /** The id of a session; `undefined` where it would be too long. */
  seal(session: SealedSession): string | undefined;
}

/** What `begin` and `end` are told where another node has the session. */
export class SessionLostError extends Error {
  override readonly name = 'SessionLostError';

  constructor() {
    super('another node has this session now');
  }
}

/** What is asked of a cluster that cannot be reached. */
export class ClusterAwayError extends Error {
  override readonly name = 'ClusterAwayError';

  constructor(cause?: unknown) {
    super('the store of the cluster cannot be reached', { cause });
  }
}

/** By its name: the program's copy of the kit may be another one than the cluster's. */
export function isSessionLost(error: unknown): boolean {
  return error instanceof Error && error.name === 'SessionLostError';
}

/** By its name: the program's copy of the kit may be another one than the cluster's. */
export function isClusterAway(error: unknown): boolean {
  return error instanceof Error && error.name === 'ClusterAwayError';
}

/**
 * This process as a node. A session has one owner, the node that holds its live server. The owner's lease
 * is the node's: while it renews that, nobody takes its sessions. Each owner has a fencing number, greater
 * than that of the one before, without which nothing is written.
 *
 * A call that cannot be done because the store is away waits within limits, and is rejected with
 * {@link ClusterAwayError}; one of an owner whose session was taken, with {@link SessionLostError}.
 */
export interface ClusterNode {
  /** Its name, which no node had before it. */
  readonly name: string;
  /**
   * What all nodes share. `sessions.create` makes this node the owner; `events.append` writes as the owner. What is
   * missing is the process's own.
   */
  readonly stores: Stores & Required<Pick<Stores, 'sessions' | 'events'>>;
  /** Makes the ids of sessions, where nothing of them is kept but that. */
  readonly sealing?: SessionSealing;
  /** What seals the state of requests that ask for input, the same for all. */
  readonly requestStateKeys: readonly Uint8Array[];
  /** Whether the store of the cluster answers. */
  readonly isUp: boolean;
  /**
   * Whether nobody else can have taken a session that is owned here: known by the clock, without asking.
   * False while the store is away for longer than a lease, and after that until `locate` or a write has
   * shown that the session is still this node's.
   */
  isSurelyHere(sessionId: string): boolean;
  /** Finds a session; takes it if its owner has left or died, or let it go. */
  locate(sessionId: string): Promise<Located>;
  /** Lets a session go: to a node, or to whichever meets it next. Nothing is written for it any more. */
  release(sessionId: string, to?: string): Promise<void>;
  /**
   * Keeps a request before it runs. Once it is kept, a next owner knows of it.
   *
   * @param isAwaited whether it runs only after that. Default: true.
   */
  begin(sessionId: string, request: BegunRequest, isAwaited?: boolean): Promise<void>;
  /** A request has ended without an answer. One that is answered ends by what `events.append` is given. */
  end(sessionId: string, id: RequestId): void;
  /**
   * Where the reader of a stream is: what is kept for it is also published there, for `reader`.
   * `undefined` takes it back.
   */
  readAt(sessionId: string, stream: number, reader?: { node: string; reader: string }): void;
  /** Whether this message was published when it was kept. */
  wasPublished(event: LoggedEvent): boolean;
  /**
   * Sends a message to the inbox of a node; `false` if that node is gone. While nobody can know that, as after
   * the store was away, it waits there for a node that comes back.
   */
  send(to: string, message: NodeMessage): Promise<boolean>;
  /** The names of the other nodes that were there within a minute: some of them may be gone. */
  nodes(): Promise<readonly string[]>;
  /**
   * Whether a node is there: its lease has not ended. `true` while nobody can know it, as after the store
   * was away.
   */
  isAlive(node: string): Promise<boolean>;
  /** Leaves: its lease ends at once, what it still owns may be taken. Connections close. */
  leave(): Promise<void>;
}
