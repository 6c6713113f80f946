import type { JSONRPCRequest, JSONRPCResponse } from '@modelcontextprotocol/client';
import type { Certainty, LongwireError } from '../errors.js';
import { isObject } from '../untrusted/is-object.js';
import { YoungMap } from '../young-map.js';
import type { RequestContext } from './request-context.js';

/** A request of the program. */
export type LedgerRequest = Pick<JSONRPCRequest, 'method' | 'params'>;

/** Who waits for a request: one of the two is called, once. */
export interface Waiter {
  answered(answer: JSONRPCResponse): void;
  failed(error: LongwireError): void;
}

/** A lost session on which requests still wait for their answers. */
export interface Drain {
  /** One of them has settled, or waits for another session now. */
  release(): void;
}

/** One request whose answer is awaited. */
export interface LedgerEntry {
  /** Its id on the wire. A request that is resent gets a new one, unless its server runs each id once. */
  readonly id: number;
  readonly request: LedgerRequest;
  /** Shared with whoever made the call; the ledger writes the certainty here. */
  readonly context: RequestContext;
  readonly waiter: Waiter;
  /** A channel has been given the request. */
  readonly assigned: boolean;
  /** The request has left under its present id. */
  readonly onWire: boolean;
  /** The certainty before it was sent under its present id. */
  readonly priorCertainty: Certainty;
  /** How often it was sent without knowing whether it ran. */
  readonly losses: number;
  /** How often it was sent again under its present id, to a server that runs it once. */
  readonly repeats: number;
  /** How often it certainly did not run. */
  readonly returns: number;
  /** How often its session was pinged because of an error to it. */
  readonly doubts: number;
  /** How the server has reacted to it, while a ping checks the session. */
  readonly held: 'refused' | 'answered' | 'unknown' | undefined;
  /** The lost session on which its answer is still awaited. */
  readonly drain: Drain | undefined;
}

type OpenEntry = { -readonly [Key in keyof LedgerEntry]: LedgerEntry[Key] };

/** When a request that may have run is resent. */
export interface ResendOptions {
  /** Whether it may safely run twice. */
  isSafe: (entry: LedgerEntry) => boolean;
  /** How often one request may be resent without knowing whether it ran. */
  maxLosses: number;
}

/**
 * Every request in flight, and what is certain about it. Bookkeeping only: it sends nothing and
 * settles nothing.
 */
export class Ledger {
  readonly #options: ResendOptions;
  readonly #entries = new YoungMap<unknown, OpenEntry>();
  /** Whose progress still comes after the answer, by its token: the answer was a task, which runs. */
  readonly #tasks = new Map<unknown, RequestContext>();
  #lastId = 0;
  #dropped = 0;

  constructor(options: ResendOptions) {
    this.#options = options;
  }

  /** How many requests are in flight. */
  get size(): number {
    return this.#entries.size;
  }

  /** How many answers belong to no request: late, repeated, or with an unknown id. */
  get dropped(): number {
    return this.#dropped;
  }

  /** An id for a request that is not in the ledger, such as a handshake. All our ids are integers. */
  newId(): number {
    return ++this.#lastId;
  }

  /** Enters a request that has not left yet. */
  enter(request: LedgerRequest, context: RequestContext, waiter: Waiter): LedgerEntry {
    const id = this.newId();
    // The next request of a call that asked for input: the server may have run the first part.
    const priorCertainty = context.certainty === 'answered' ? 'outcome-unknown' : context.certainty;
    const entry: OpenEntry = {
      id,
      request,
      context,
      waiter,
      assigned: false,
      onWire: false,
      priorCertainty,
      losses: 0,
      repeats: 0,
      returns: 0,
      doubts: 0,
      held: undefined,
      drain: undefined,
    };
    context.id = id;
    context.certainty = entry.priorCertainty;
    this.#entries.set(id, entry);
    return entry;
  }

  /** The request with this id on the wire. Compared exactly: `"1"` is read as 1 before. */
  find(id: unknown): LedgerEntry | undefined {
    return this.#entries.get(id);
  }

  /** A channel is given the request. */
  assign(entry: LedgerEntry): void {
    (entry as OpenEntry).assigned = true;
  }

  /** The request has left: from here on it may have run. */
  markSent(entry: LedgerEntry): void {
    (entry as OpenEntry).onWire = true;
    entry.context.certainty = 'outcome-unknown';
    entry.context.onSent?.();
  }

  /**
   * Removes and returns the request of an answer that came on the session of now, or on one that drains;
   * without one, counts the answer as dropped.
   */
  answered(answer: JSONRPCResponse, drain?: Drain): LedgerEntry | undefined {
    const entry = this.#entries.get(answer.id);
    if (entry?.assigned !== true || entry.drain !== drain) {
      this.#dropped++;
      return undefined;
    }
    this.#delete(entry);
    entry.context.certainty = 'answered';
    if ('error' in answer) entry.context.serverError = answer.error;
    else if (isTaskOf(entry.request, answer.result)) this.#keepToken(entry);
    return entry;
  }

  /** Whose progress has this token, if its request was answered with a task. */
  taskOf(token: unknown): RequestContext | undefined {
    return this.#tasks.get(token);
  }

  /** Keeps how the server reacted, while a ping checks the session. */
  hold(entry: LedgerEntry, held: NonNullable<LedgerEntry['held']>): void {
    const open = entry as OpenEntry;
    open.held = held;
    open.doubts++;
    if (held === 'refused' && open.priorCertainty !== 'outcome-unknown')
      open.context.certainty = 'refused';
  }

  /** The ping has settled. */
  endHold(entry: LedgerEntry): void {
    (entry as OpenEntry).held = undefined;
  }

  /** The requests of the program to which the server owes an answer, on the session of now. */
  owed(): LedgerEntry[] {
    return this.#entries
      .values()
      .filter(
        ({ onWire, held, drain, context }) =>
          onWire && held === undefined && drain === undefined && context.internal !== true,
      );
  }

  /** Whether a request needs a session: the one of now, or the next. */
  get needsSession(): boolean {
    return this.#entries.values().some(({ drain }) => drain === undefined);
  }

  /** The answer to a request is awaited on its lost session. */
  leave(entry: LedgerEntry, drain: Drain): void {
    (entry as OpenEntry).drain = drain;
  }

  /** A request that stays open, such as a subscription, has succeeded. */
  resetCounts(entry: LedgerEntry): void {
    (entry as OpenEntry).losses = 0;
    (entry as OpenEntry).returns = 0;
    (entry as OpenEntry).doubts = 0;
  }

  /** Removes a request, however it ended. */
  remove(id: unknown): LedgerEntry | undefined {
    const entry = this.#entries.get(id);
    if (entry !== undefined) this.#delete(entry);
    return entry;
  }

  /** The requests that wait for a channel, in the order of their ids. */
  waiting(): LedgerEntry[] {
    return this.#entries.values().filter(({ assigned }) => !assigned);
  }

  /** A request that certainly did not run waits again, under a new id. */
  requeue(entry: LedgerEntry, certainty: 'not-sent' | 'refused'): void {
    const open = entry as OpenEntry;
    open.returns++;
    if (open.priorCertainty === 'not-sent') open.priorCertainty = certainty;
    this.#renew(open);
  }

  /** A request that may have run is sent again under its id. */
  repeat(entry: LedgerEntry): void {
    (entry as OpenEntry).repeats++;
  }

  /** Whether a request that may have run may be resent. */
  maySendAgain(entry: LedgerEntry): boolean {
    const { isSafe, maxLosses } = this.#options;
    return entry.losses < maxLosses && entry.context.internal !== true && isSafe(entry);
  }

  /**
   * A request that may have run waits again, under a new id, if that is safe; otherwise it is
   * removed. True if it waits.
   */
  retry(entry: LedgerEntry): boolean {
    const open = entry as OpenEntry;
    if (!this.maySendAgain(open)) {
      this.#delete(open);
      return false;
    }
    open.losses++;
    open.priorCertainty = 'outcome-unknown';
    this.#renew(open);
    return true;
  }

  /**
   * The session of now is lost, or one that drained has ended. Requests that certainly did not run wait
   * for the next one; so do those that may be resent, if `mayRetry`. The others are removed and returned.
   */
  lose(mayRetry: boolean, drain?: Drain): LedgerEntry[] {
    const lost: LedgerEntry[] = [];
    for (const entry of this.#entries.values()) {
      // An answer that is held is delivered when the ping has settled.
      if (!entry.assigned || entry.held === 'answered' || entry.drain !== drain) continue;
      if (entry.held === 'refused') {
        this.requeue(entry, 'refused');
      } else if (!entry.onWire && entry.context.internal !== true) {
        this.requeue(entry, 'not-sent');
      } else if (!mayRetry || !this.retry(entry)) {
        this.#delete(entry);
        lost.push(entry);
      }
    }
    return lost;
  }

  /** Removes the connection's own requests, which belong to one session. */
  removeInternal(): LedgerEntry[] {
    const internal = this.#entries.values().filter(({ context }) => context.internal === true);
    for (const entry of internal) this.#delete(entry);
    return internal;
  }

  /** Removes all requests that need a session. */
  removeNeedingSession(): LedgerEntry[] {
    const found = this.#entries.values().filter(({ drain }) => drain === undefined);
    for (const entry of found) this.#delete(entry);
    return found;
  }

  /** Removes all requests. */
  removeAll(): LedgerEntry[] {
    const entries = this.#entries.values();
    for (const entry of entries) this.#delete(entry);
    this.#tasks.clear();
    return entries;
  }

  /**
   * "The progressToken provided in the initial request remains valid throughout the task lifetime."
   *
   * @see https://modelcontextprotocol.io/specification/2025-11-25/basic/utilities/tasks
   */
  #keepToken({ id, context }: OpenEntry): void {
    // Whoever has no use for it would not end it either.
    if (context.onProgress === undefined) return;
    this.#tasks.set(id, context);
    context.endTask = () => void this.#tasks.delete(id);
  }

  #delete(entry: OpenEntry): void {
    const { id, drain } = entry;
    if (!this.#entries.delete(id)) return;
    entry.drain = undefined;
    drain?.release();
  }

  #renew(entry: OpenEntry): void {
    this.#delete(entry);
    entry.id = this.newId();
    entry.assigned = false;
    entry.onWire = false;
    entry.repeats = 0;
    entry.held = undefined;
    entry.context.id = entry.id;
    entry.context.certainty = entry.priorCertainty;
    this.#entries.set(entry.id, entry);
  }
}

/** Whether the request asked for a task of 2025-11-25, and got one. */
function isTaskOf({ params }: LedgerRequest, result: unknown): boolean {
  return params?.['task'] !== undefined && isObject(result) && isObject(result['task']);
}
