import { Credentials } from '../http/credentials.js';
import { closedError } from '../connection/failures.js';
import type { Principal } from '../connection/resolve-options.js';
import { LongwireError } from '../errors.js';
import type { ClientStats } from '../health/stats.js';
import type { PrincipalCredentials, PrincipalsOptions } from '../options/principal-options.js';
import { WaitQueue } from '../wait-queue.js';
import type { SharedCallOptions } from './call.js';
import { Idle } from './idle.js';
import type { OperationOptions } from './types.js';
import { waitInQueue } from './wait-in-queue.js';

/** How many principals without a session are remembered for each that may have one. */
const REMEMBERED_PER_SESSION = 10;
/** How many of them at most. */
const MAX_REMEMBERED = 100_000;
/** How many calls may wait for a session: a program that never awaits its calls must not fill the memory. */
const MAX_WAITING = 10_000;

/** What the principals of a client, a pool or a group are made with. */
export interface PrincipalsSettings<Session> {
  options: Required<PrincipalsOptions>;
  /** Makes the session of a principal, which dials when it is used. */
  create: (principal: PrincipalRecord<Session>) => Session;
  shared: SharedCallOptions;
}

/** What is closed when a principal is idle: all that servers gave to it is in there, and nothing else. */
export interface PrincipalSource {
  stats?: () => Pick<ClientStats, 'droppedAnswers'>;
  close(): Promise<void>;
}

/** What principals that are forgotten had: credentials of their own, or headers that are none. */
type Forgotten = 'nothing' | 'headers' | 'credentials';

/** One principal: what the program said of it, and its session, if it has one. */
export class PrincipalRecord<Session> implements Principal {
  readonly id: string;
  readonly credentials: Credentials;
  /** What the principal may have had that is not known any more. */
  readonly mayHaveHad: Forgotten;
  /** Made when it is first used. */
  session: Session | undefined;
  idle: Idle | undefined;
  /** It counts among those that have a session. */
  hasSession = false;
  /** Operations under way or waiting, listeners, subscriptions. */
  uses = 0;
  /** How often the program has closed it. */
  closes = 0;
  /** What ends each subscription's use of the session, by the address of the resource. */
  readonly subscriptions: Map<string, () => void> = new Map();

  constructor(id: string, credentials: Credentials, mayHaveHad: Forgotten) {
    this.id = id;
    this.credentials = credentials;
    this.mayHaveHad = mayHaveHad;
  }

  /** Whether it may lack what it had before: the client must not speak for it then. */
  get isUncertain(): boolean {
    const { areOwn, given } = this.credentials;
    if (this.mayHaveHad === 'credentials') return !areOwn;
    return this.mayHaveHad === 'headers' && given === undefined;
  }
}

/**
 * The principals of a client, a pool or a group. Each has a session of its own, over connections of its
 * own: it is opened when it is first used, and closed when it is idle.
 */
export class Principals<Session extends PrincipalSource> {
  readonly #settings: PrincipalsSettings<Session>;
  readonly #maxSessions: number;
  readonly #idleMs: number;
  readonly #maxRecords: number;
  /** By id; the one that was used last at the end. */
  readonly #records = new Map<string, PrincipalRecord<Session>>();
  readonly #sessions = new Set<PrincipalRecord<Session>>();
  /** Those sessions that nothing uses; the one that has been idle for longest first. */
  readonly #idle = new Set<PrincipalRecord<Session>>();
  readonly #queue = new WaitQueue<true, PrincipalRecord<Session>>();
  readonly #closing = new Map<PrincipalRecord<Session>, Promise<void>>();
  #forgotten: Forgotten = 'nothing';
  #droppedBefore = 0;

  constructor(settings: PrincipalsSettings<Session>) {
    this.#settings = settings;
    const { maxSessions, idleMs } = settings.options;
    this.#maxSessions = maxSessions;
    this.#idleMs = idleMs;
    const most = Math.max(MAX_REMEMBERED, maxSessions);
    this.#maxRecords = Math.min(most, maxSessions * REMEMBERED_PER_SESSION);
  }

  /** How many have a session now. */
  get open(): number {
    return this.#sessions.size;
  }

  /** Answers that belonged to no request, of all sessions that were and are. */
  get droppedAnswers(): number {
    let dropped = this.#droppedBefore;
    for (const { session } of this.#sessions) dropped += session?.stats?.().droppedAnswers ?? 0;
    return dropped;
  }

  /**
   * The principal of an id. The credentials that were given last go for it.
   *
   * @throws TypeError for headers that HTTP does not allow.
   */
  of(id: string, credentials?: PrincipalCredentials): PrincipalRecord<Session> {
    const known = this.#records.get(id);
    if (known !== undefined) {
      this.#give(known, credentials);
      return this.latest(known);
    }
    const own = new Credentials(credentials);
    return this.latest(new PrincipalRecord<Session>(id, own, this.#forgotten));
  }

  /** The record that now stands for the same principal: this one, unless another took its place. */
  latest(record: PrincipalRecord<Session>): PrincipalRecord<Session> {
    const current = this.#records.get(record.id) ?? record;
    if (current !== record && current.credentials.given === undefined) {
      this.#give(current, record.credentials.given);
    }
    this.#records.delete(current.id);
    this.#records.set(current.id, current);
    if (this.#records.size > this.#maxRecords) this.#forget();
    return current;
  }

  /** The session of a principal, which may not be open yet. */
  sessionOf(record: PrincipalRecord<Session>): Session {
    record.session ??= this.#settings.create(record);
    return record.session;
  }

  /**
   * Runs an operation on the session of a principal, which is opened before if need be.
   *
   * @throws LongwireError; `queue-full` if too many operations wait for a session.
   */
  async run<Options extends OperationOptions, T>(
    record: PrincipalRecord<Session>,
    { what, options }: { what: string; options: Options },
    run: (session: Session, options: Options) => Promise<T>,
  ): Promise<T> {
    const { closes } = record;
    if (record.isUncertain) throw notKnown(what);
    const release = this.hold(record);
    try {
      let left = options;
      while (!this.#enter(record)) {
        left = await this.#wait(record, what, left);
        // It was let in, and is told only now.
        if (record.closes !== closes) throw closedError('not-sent');
      }
      return await run(this.sessionOf(record), left);
    } finally {
      release();
    }
  }

  /** Keeps the session of a principal from being idle; the function returned ends that. */
  hold(record: PrincipalRecord<Session>): () => void {
    const idle = (record.idle ??= new Idle(this.#idleMs, () => this.#ended(record)));
    record.uses++;
    idle.begin();
    this.#idle.delete(record);
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      idle.end();
      if (--record.uses > 0) return;
      if (!record.hasSession) this.#drop(record);
      else if (this.#queue.size > 0) this.#ended(record);
      else this.#idle.add(record);
    };
  }

  /** A subscription keeps the session, which it ends with. */
  subscribed(record: PrincipalRecord<Session>, uri: string): void {
    if (!record.subscriptions.has(uri)) record.subscriptions.set(uri, this.hold(record));
  }

  /** A subscription has ended. */
  unsubscribed({ subscriptions }: PrincipalRecord<Session>, uri: string): void {
    const release = subscriptions.get(uri);
    subscriptions.delete(uri);
    release?.();
  }

  /**
   * Closes the session of a principal, and fails its operations that wait for one; fulfilled when nothing
   * is left of it.
   */
  async close(record: PrincipalRecord<Session>): Promise<void> {
    record.closes++;
    for (const waiter of this.#queue.takeAll(record)) waiter.fail(closedError('not-sent'));
    this.#end(record);
    this.#grant();
    await this.#closing.get(record);
  }

  /** Closes all sessions, and fails the operations that wait for one. */
  async closeAll(): Promise<void> {
    this.#queue.failAll(() => closedError('not-sent'));
    for (const record of this.#records.values()) {
      record.closes++;
      this.#end(record);
    }
    await Promise.all(this.#closing.values());
  }

  /**
   * Takes the credentials that were given last. Where the principal shows who it is by itself from now on,
   * its session is closed: the client opened it in its own name.
   */
  #give(record: PrincipalRecord<Session>, given: PrincipalCredentials | undefined): void {
    const { credentials } = record;
    const wereOwn = credentials.areOwn;
    credentials.give(given);
    if (credentials.areOwn === wereOwn || record.session === undefined) return;
    this.#end(record);
    this.#grant();
  }

  /** Whether the principal has a session, or gets one at once. */
  #enter(record: PrincipalRecord<Session>): boolean {
    if (record.hasSession) return true;
    if (this.#queue.size > 0 || !this.#hasRoom()) return false;
    this.#begin(record);
    return true;
  }

  async #wait<Options extends OperationOptions>(
    record: PrincipalRecord<Session>,
    what: string,
    options: Options,
  ): Promise<Options> {
    if (this.#queue.size >= MAX_WAITING) throw queueFull(what);
    return waitInQueue({
      queue: this.#queue,
      waiter: this.#queue.enter(record),
      what,
      options,
      shared: this.#settings.shared,
      // The call holds the session until it has failed.
      onLeft: () => {},
      timedOut: (cause) => noSession(what, this.#maxSessions, cause),
    });
  }

  /** Gives sessions to those who wait, as long as there is room. */
  #grant(): void {
    for (let next = this.#queue.first; next !== undefined; next = this.#queue.first) {
      const { who } = next;
      if (!who.hasSession && !this.#hasRoom()) return;
      this.#begin(who);
      for (const waiter of this.#queue.takeAll(who)) waiter.give(true);
    }
  }

  #hasRoom(): boolean {
    if (this.#sessions.size < this.#maxSessions) return true;
    const [oldest] = this.#idle;
    if (oldest === undefined) return false;
    this.#end(oldest);
    return true;
  }

  #begin(record: PrincipalRecord<Session>): void {
    record.hasSession = true;
    this.#sessions.add(record);
  }

  /** Its session is idle, and somebody may wait for one. */
  #ended(record: PrincipalRecord<Session>): void {
    if (record.uses > 0) return;
    this.#end(record);
    this.#grant();
  }

  #end(record: PrincipalRecord<Session>): void {
    record.hasSession = false;
    this.#sessions.delete(record);
    this.#idle.delete(record);
    for (const release of record.subscriptions.values()) release();
    record.subscriptions.clear();
    const { session } = record;
    if (record.uses === 0) this.#drop(record);
    // Somebody listens: it is the same one that connects again.
    else if (session !== undefined) this.#close(record, session);
  }

  /** What servers gave to the principal is gone with its session. */
  #drop(record: PrincipalRecord<Session>): void {
    const { session, idle } = record;
    record.session = undefined;
    record.idle = undefined;
    idle?.stop();
    if (session === undefined) return;
    this.#droppedBefore += session.stats?.().droppedAnswers ?? 0;
    this.#close(record, session);
  }

  #close(record: PrincipalRecord<Session>, session: Session): void {
    const before = this.#closing.get(record);
    const closed = Promise.all([before, session.close()]).then(() => {
      if (this.#closing.get(record) === closed) this.#closing.delete(record);
    });
    this.#closing.set(record, closed);
  }

  /** Forgets the principal that was not used for longest, of those that have nothing open. */
  #forget(): void {
    for (const record of this.#records.values()) {
      if (record.session !== undefined || record.uses > 0) continue;
      this.#records.delete(record.id);
      const { areOwn, given } = record.credentials;
      if (areOwn) this.#forgotten = 'credentials';
      else if (given !== undefined && this.#forgotten === 'nothing') this.#forgotten = 'headers';
      return;
    }
  }
}

/** Sources that are not reached by HTTP: credentials of a principal do not reach them. */
const WITHOUT_HEADERS = new WeakSet<object>();

/** Says that a source is not reached by HTTP. */
export function markWithoutHeaders(source: object): void {
  WITHOUT_HEADERS.add(source);
}

/** Whether credentials of a principal may be given to a source. */
export function mayHaveHeaders(source: object): boolean {
  return !WITHOUT_HEADERS.has(source);
}

/** @throws TypeError if the view of one principal is asked for another. */
export function ofSamePrincipal(id: string, other: string): void {
  if (id === other) return;
  throw new TypeError(
    `principal: this is the client as ${JSON.stringify(id)}; use the client itself for another`,
  );
}

function notKnown(what: string): LongwireError {
  return new LongwireError(
    `${what} was not made: so many principals came since that the credentials of this one may have ` +
      'been dropped',
    {
      code: 'config',
      certainty: 'not-sent',
      hint: 'give them again, with client.as(principal, { token }), or raise principals.maxSessions',
    },
  );
}

function queueFull(what: string): LongwireError {
  return new LongwireError(
    `${what} was not made: ${MAX_WAITING} calls wait for a session already`,
    {
      code: 'queue-full',
      certainty: 'not-sent',
      hint: 'wait for some of them, or raise principals.maxSessions',
    },
  );
}

function noSession(what: string, sessions: number, cause: LongwireError): LongwireError {
  return new LongwireError(
    `${what} timed out while it waited for a session: ${sessions} principals have one, and none is idle`,
    {
      code: cause.code,
      certainty: 'not-sent',
      hint: 'raise principals.maxSessions, or give it more time',
      cause,
    },
  );
}
