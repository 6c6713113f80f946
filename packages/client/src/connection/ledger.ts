import type { JSONRPCRequest, JSONRPCResponse } from '@modelcontextprotocol/client';
import type { Certainty, LongwireError } from '../errors.js';
import { YoungMap } from '../young-map.js';
import type { CallMark } from './call-mark.js';

/** A request of the program. */
export type LedgerRequest = Pick<JSONRPCRequest, 'method' | 'params'>;

/** Who waits for a request: told one of the two, once. */
export interface Waiter {
  answered(answer: JSONRPCResponse): void;
  failed(error: LongwireError): void;
}

/** One request whose answer is awaited. */
export interface LedgerEntry {
  /**
   * Its id on the wire, never used twice: sent again, it has a new one. What id the program gave
   * it is the program's affair.
   */
  readonly id: number;
  readonly request: LedgerRequest;
  /** What the maker of the call wants to know of it; how far it came stands here. */
  readonly mark: CallMark;
  readonly waiter: Waiter;
  /** A channel was given it; from here on the channel says how far it came. */
  readonly handedOver: boolean;
  /** Under its present id it has left. */
  readonly onWire: boolean;
  /** What was certain about it before it was sent under its present id. */
  readonly before: Certainty;
  /** How often it was sent and nobody knows whether it ran. */
  readonly losses: number;
  /** How often it came back without having run. */
  readonly returns: number;
  /** How often its refusal was put down to its session. */
  readonly doubts: number;
  /** What the server has said to it already, while the session is asked what that means. */
  readonly held: 'refused' | 'answered' | 'unknown' | undefined;
}

type OpenEntry = { -readonly [Key in keyof LedgerEntry]: LedgerEntry[Key] };

/** By what the ledger judges a request that may have run. */
export interface ResendRules {
  /** Whether it does no harm to run it twice. */
  isSafe: (entry: LedgerEntry) => boolean;
  /** How often one request may be sent again without knowing whether it ran. */
  maxLosses: number;
}

/**
 * Every request in flight, and what is certain about it. Pure bookkeeping: it sends nothing and
 * settles nobody.
 */
export class Ledger {
  readonly #rules: ResendRules;
  readonly #entries = new YoungMap<unknown, OpenEntry>();
  #lastId = 0;
  #dropped = 0;

  constructor(rules: ResendRules) {
    this.#rules = rules;
  }

  /** How many requests are in flight. */
  get size(): number {
    return this.#entries.size;
  }

  /** Answers that came for no request: late, repeated, or under an id that is none of ours. */
  get dropped(): number {
    return this.#dropped;
  }

  /** An id for what is in no ledger, such as a handshake: an integer, as all ids of ours. */
  newId(): number {
    return ++this.#lastId;
  }

  /** Enters a request that has not left yet. */
  enter(request: LedgerRequest, mark: CallMark, waiter: Waiter): LedgerEntry {
    const id = this.newId();
    // A call in several rounds: the server may have had the one before.
    const before = mark.certainty === 'answered' ? 'outcome-unknown' : mark.certainty;
    const entry: OpenEntry = {
      id,
      request,
      mark,
      waiter,
      handedOver: false,
      onWire: false,
      before,
      losses: 0,
      returns: 0,
      doubts: 0,
      held: undefined,
    };
    mark.id = id;
    mark.certainty = entry.before;
    this.#entries.set(id, entry);
    return entry;
  }

  /** The request of a wire id, compared exactly: who reads messages knows the id in `"1"`. */
  find(id: unknown): LedgerEntry | undefined {
    return this.#entries.get(id);
  }

  /** Notes that a channel has the request. */
  handOver(entry: LedgerEntry): void {
    (entry as OpenEntry).handedOver = true;
  }

  /** Notes that the request is on its way; from here on only the server knows. */
  markSent(entry: LedgerEntry): void {
    (entry as OpenEntry).onWire = true;
    entry.mark.certainty = 'outcome-unknown';
    entry.mark.onSent?.();
  }

  /** Takes the request that an answer belongs to; counts the answer as dropped if there is none. */
  answered(answer: JSONRPCResponse): LedgerEntry | undefined {
    const entry = this.#entries.get(answer.id);
    if (entry?.handedOver !== true) {
      this.#dropped++;
      return undefined;
    }
    this.#entries.delete(answer.id);
    entry.mark.certainty = 'answered';
    if ('error' in answer) entry.mark.serverError = answer.error;
    return entry;
  }

  /** Notes what the server has said to it, and that its session is asked what that means. */
  hold(entry: LedgerEntry, held: NonNullable<LedgerEntry['held']>): void {
    const open = entry as OpenEntry;
    open.held = held;
    open.doubts++;
    if (held === 'refused' && open.before !== 'outcome-unknown') open.mark.certainty = 'refused';
  }

  /** The session has been asked. */
  letGo(entry: LedgerEntry): void {
    (entry as OpenEntry).held = undefined;
  }

  /** Whether the server has something of the program's to answer. */
  get isOwed(): boolean {
    return this.#entries
      .values()
      .some(({ onWire, held, mark }) => onWire && held === undefined && mark.internal !== true);
  }

  /** Notes that a request which stays open has got to where it was to get. */
  settleIn(entry: LedgerEntry): void {
    (entry as OpenEntry).losses = 0;
    (entry as OpenEntry).returns = 0;
    (entry as OpenEntry).doubts = 0;
  }

  /** Takes a request out, however it ended. */
  remove(id: unknown): LedgerEntry | undefined {
    const entry = this.#entries.get(id);
    if (entry !== undefined) this.#entries.delete(id);
    return entry;
  }

  /** The requests that wait for a channel, in the order of their ids. */
  waiting(): LedgerEntry[] {
    return this.#entries.values().filter(({ handedOver }) => !handedOver);
  }

  /** A request whose sending certainly did not run it waits again, under a new id. */
  putBack(entry: LedgerEntry, certainty: 'not-sent' | 'refused'): void {
    const open = entry as OpenEntry;
    open.returns++;
    if (open.before === 'not-sent') open.before = certainty;
    this.#renew(open);
  }

  /** Whether a request that may have run may be sent again. */
  maySendAgain(entry: LedgerEntry): boolean {
    const { isSafe, maxLosses } = this.#rules;
    return entry.losses < maxLosses && entry.mark.internal !== true && isSafe(entry);
  }

  /**
   * A request that may have run waits again, under a new id, if that does no harm; else it is
   * taken out. True if it waits.
   */
  retry(entry: LedgerEntry): boolean {
    const open = entry as OpenEntry;
    if (!this.maySendAgain(open)) {
      this.#entries.delete(open.id);
      return false;
    }
    open.losses++;
    open.before = 'outcome-unknown';
    this.#renew(open);
    return true;
  }

  /**
   * The channel is gone, and nothing will come of what it had. What certainly did not leave waits,
   * and so does what may be sent again, unless `mayRetry` says that it would meet the same; the
   * rest is taken out and returned.
   */
  lose(mayRetry: boolean): LedgerEntry[] {
    const lost: LedgerEntry[] = [];
    for (const entry of this.#entries.values()) {
      // What was answered is given its answer by who holds it.
      if (!entry.handedOver || entry.held === 'answered') continue;
      if (entry.held === 'refused') {
        this.putBack(entry, 'refused');
      } else if (!entry.onWire && entry.mark.internal !== true) {
        this.putBack(entry, 'not-sent');
      } else if (!mayRetry || !this.retry(entry)) {
        this.#entries.delete(entry.id);
        lost.push(entry);
      }
    }
    return lost;
  }

  /** Takes the connection's own requests out, which belong to one session. */
  removeInternal(): LedgerEntry[] {
    const internal = this.#entries.values().filter(({ mark }) => mark.internal === true);
    for (const { id } of internal) this.#entries.delete(id);
    return internal;
  }

  /** Takes all requests out. */
  removeAll(): LedgerEntry[] {
    const entries = this.#entries.values();
    this.#entries.clear();
    return entries;
  }

  #renew(entry: OpenEntry): void {
    this.#entries.delete(entry.id);
    entry.id = this.newId();
    entry.handedOver = false;
    entry.onWire = false;
    entry.held = undefined;
    entry.mark.id = entry.id;
    entry.mark.certainty = entry.before;
    this.#entries.set(entry.id, entry);
  }
}
