import type { FastifyBaseLogger } from 'fastify';
import { setTimeout } from 'node:timers/promises';
import type { ClientRequest } from '../client-request.js';
import type { Principal } from '../principal.js';
import {
  RefusedError,
  SERVER_ERROR,
  SESSION_NOT_FOUND,
  STOPPING,
  UNKNOWN_SESSION,
  type Refusal,
} from '../refusal.js';
import type { LoggedEvent } from '../events/event-log.js';
import { ElsewhereSession } from '../sessions/elsewhere.js';
import type { JoinedCluster } from './joined-cluster.js';
import {
  clientRequestOf,
  MESSAGES_VERSION,
  sentRequestOf,
  type AnsweringMessage,
  type Asking,
} from './node-messages.js';
import { RemoteListener } from './remote-listener.js';
import { RemoteReader, type Waiting } from './remote-reader.js';
import { RemoteSession, type RemoteSessionHost } from './remote-session.js';
import type { SessionHandle } from './session-handle.js';

/** How long it is known where a session is that nobody asks for. */
const KNOWN_MS = 10_000;
/** How long the owner of a session is looked for, at most. */
const LOOK_MS = 35_000;
/** How long to wait before the owner is looked for once more, at least and at most. */
const AGAIN_MS = { least: 20, most: 250 };

/** What sessions of other nodes are reached with. */
export interface RemoteSessionsOptions {
  readonly cluster: JoinedCluster;
  readonly log: FastifyBaseLogger;
  /** Finds a session, and takes it over where its owner is gone. */
  locate(id: string, principal: Principal, request: ClientRequest): Promise<Found>;
}

/** Where a session is: here, on another node, or nowhere. */
export type Found = SessionHandle | ElsewhereSession | undefined;

/** The sessions of other nodes that clients of this one use, and what waits for them. */
export class RemoteSessions implements RemoteSessionHost {
  readonly #options: RemoteSessionsOptions;
  readonly #known = new Map<string, RemoteSession>();
  readonly #waiting = new Map<string, Waiting>();
  #sweeper: NodeJS.Timeout | undefined;
  #lastUid = 0;

  constructor(options: RemoteSessionsOptions) {
    this.#options = options;
  }

  get log(): FastifyBaseLogger {
    return this.#options.log;
  }

  /** A session whose node is known. */
  get(id: string, principal: Principal): RemoteSession | undefined {
    const session = this.#known.get(id);
    if (session?.record.principal !== principal.id) return undefined;
    session.usedAt = performance.now();
    return session;
  }

  /** Remembers where a session is. */
  at(elsewhere: ElsewhereSession, principal: Principal, request: ClientRequest): RemoteSession {
    const { id } = elsewhere.record;
    const known = this.#known.get(id);
    if (known !== undefined) {
      known.node = elsewhere.node;
      known.record = elsewhere.record;
      return known;
    }
    // Not the request itself, which holds its body and its connection.
    const met = { principal, request: sentRequestOf(request) };
    const session = new RemoteSession(elsewhere, met, this);
    this.#known.set(id, session);
    this.#sweeper ??= setInterval(() => this.#sweep(), KNOWN_MS / 2).unref();
    return session;
  }

  /** How many streams of other nodes are read here. */
  get streams(): number {
    let streams = 0;
    for (const waiting of this.#waiting.values()) if (waiting instanceof RemoteListener) streams++;
    return streams;
  }

  /** How many requests of clients wait for other nodes. */
  get posts(): number {
    return this.#waiting.size - this.streams;
  }

  /** Ends the streams of other nodes that are read here: their clients come back elsewhere. */
  closeStreams(): void {
    for (const waiting of this.#waiting.values()) {
      if (waiting instanceof RemoteListener) waiting.leave();
    }
  }

  answered(answer: AnsweringMessage, from: string): void {
    const waiting = this.#waiting.get(answer.uid);
    const session = this.#known.get(answer.session);
    // A node that had the session before has nothing more to say of it.
    if (waiting === undefined || session?.node !== from) return;
    if (answer.kind !== 'moved') session.sought.times = 0;
    waiting.answered(answer);
  }

  published(uid: string, event: LoggedEvent): void {
    const waiting = this.#waiting.get(uid);
    if (waiting instanceof RemoteReader) void waiting.send(event);
  }

  /** Published messages may be missing: every reader asks for what its client has not got. */
  missed(): void {
    for (const waiting of this.#waiting.values()) {
      if (waiting instanceof RemoteReader && !waiting.isHome) waiting.ask();
    }
  }

  gone(node: string): void {
    for (const session of this.#known.values()) {
      if (session.node !== node) continue;
      if (session.waiting.size > 0) this.look(session);
      else this.#known.delete(session.id);
    }
  }

  get isUp(): boolean {
    return this.#options.cluster.node.isUp;
  }

  nextUid(): string {
    return (++this.#lastUid).toString(36);
  }

  send(session: RemoteSession, uid: string, asking: Asking): void {
    const message = { ...asking, v: MESSAGES_VERSION, session: session.id, uid };
    this.#options.cluster.send(session.node, message).then(
      (isThere) => {
        if (!isThere) this.look(session);
      },
      (error: unknown) => {
        this.log.debug(error, 'another node could not be asked');
        this.look(session);
      },
    );
  }

  look(session: RemoteSession): void {
    if (session.isSought) return;
    session.isSought = true;
    void this.#look(session).finally(() => (session.isSought = false));
  }

  waits(waiting: Waiting): void {
    this.#waiting.set(waiting.uid, waiting);
  }

  finished({ uid }: Waiting): void {
    this.#waiting.delete(uid);
  }

  /** Gives up what waits. */
  close(): void {
    clearInterval(this.#sweeper);
    this.#sweeper = undefined;
    for (const session of this.#known.values()) {
      for (const one of session.waiting) one.fail(STOPPING);
    }
    this.#known.clear();
  }

  async #look(session: RemoteSession): Promise<void> {
    const { sought, met } = session;
    const request = clientRequestOf(met.request, this.log);
    if (sought.times === 0) sought.since = performance.now();
    for (;;) {
      await pause(sought.times++);
      if (session.waiting.size === 0) {
        this.#known.delete(session.id);
        return;
      }
      const isLate = performance.now() - sought.since > LOOK_MS;
      try {
        const found = await this.#options.locate(session.id, met.principal, request);
        if (isLate) fail(session, UNREACHED);
        else goOn(session, found);
        return;
      } catch (error) {
        if (!(error instanceof RefusedError)) {
          this.log.error(error, 'the node of a session could not be found');
        }
        if (!isLate) continue;
        fail(session, UNREACHED);
        return;
      }
    }
  }

  #sweep(): void {
    const before = performance.now() - KNOWN_MS;
    for (const session of this.#known.values()) {
      if (session.waiting.size === 0 && session.usedAt < before) this.#known.delete(session.id);
    }
    if (this.#known.size > 0) return;
    clearInterval(this.#sweeper);
    this.#sweeper = undefined;
  }
}

/** Nobody was found who could say what became of a request. */
const UNREACHED: Refusal = {
  status: 503,
  code: SERVER_ERROR,
  message:
    'The node that has this session could not be reached in time, and a part of the request may have run: look before you try again',
  headers: { 'retry-after': '5' },
  reason: 'cluster-away',
  data: { reason: 'cluster-away', certainty: 'outcome-unknown' },
};

/** Has all that waits for a session go on where it is. */
function goOn(session: RemoteSession, found: Found): void {
  if (found === undefined) {
    fail(session, session.transport === 'sse' ? UNKNOWN_SESSION : SESSION_NOT_FOUND);
  } else if (found instanceof ElsewhereSession) {
    session.node = found.node;
    session.record = found.record;
    for (const waiting of session.waiting) waiting.ask();
  } else {
    session.node = '';
    for (const waiting of session.waiting) waiting.arrive(found);
  }
}

function fail(session: RemoteSession, refusal: Refusal): void {
  for (const waiting of session.waiting) waiting.fail(refusal);
}

/** Longer each time. */
function pause(times: number): Promise<void> | undefined {
  if (times === 0) return undefined;
  return setTimeout(Math.min(AGAIN_MS.least * 2 ** (times - 1), AGAIN_MS.most));
}
