import type { JSONRPCRequest, JSONRPCResponse } from '@modelcontextprotocol/client';
import type { LongwireError } from '../errors.js';
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
  /** Its id on the wire, never used twice. What id the program gave it is the program's affair. */
  readonly id: number;
  readonly request: LedgerRequest;
  /** What the maker of the call wants to know of it; how far it came stands here. */
  readonly mark: CallMark;
  readonly waiter: Waiter;
  /** A channel was given it; from here on the channel says how far it came. */
  handedOver: boolean;
}

/**
 * Every request in flight, and what is certain about it. Pure bookkeeping: it sends nothing and
 * settles nobody.
 */
export class Ledger {
  readonly #entries = new YoungMap<unknown, LedgerEntry>();
  #lastId = 0;
  #dropped = 0;

  /** How many requests are in flight. */
  get size(): number {
    return this.#entries.size;
  }

  /** Answers that came for no request: late, repeated, or with an id of the wrong type. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Enters a request that has not left yet. */
  enter(request: LedgerRequest, mark: CallMark, waiter: Waiter): LedgerEntry {
    const id = ++this.#lastId;
    const entry = { id, request, mark, waiter, handedOver: false };
    mark.id = id;
    mark.certainty = 'not-sent';
    this.#entries.set(id, entry);
    return entry;
  }

  /** The request of a wire id, compared exactly: `"1"` is not 1. */
  find(id: unknown): LedgerEntry | undefined {
    return this.#entries.get(id);
  }

  /** Notes that the request is on its way; from here on only the server knows. */
  markSent(entry: LedgerEntry): void {
    entry.mark.certainty = 'outcome-unknown';
  }

  /** Takes the request that an answer belongs to; counts the answer as dropped if there is none. */
  answered(answer: JSONRPCResponse): LedgerEntry | undefined {
    const entry = this.remove(answer.id);
    if (entry === undefined) {
      this.#dropped++;
    } else {
      entry.mark.certainty = 'answered';
      if ('error' in answer) entry.mark.serverError = answer.error;
    }
    return entry;
  }

  /** Takes a request out, however it ended. */
  remove(id: unknown): LedgerEntry | undefined {
    const entry = this.#entries.get(id);
    if (entry !== undefined) this.#entries.delete(id);
    return entry;
  }

  /** The requests that wait for a channel, in the order of their making. */
  waiting(): LedgerEntry[] {
    return this.#entries.values().filter(({ handedOver }) => !handedOver);
  }

  /** Takes all requests out. */
  removeAll(): LedgerEntry[] {
    const entries = this.#entries.values();
    this.#entries.clear();
    return entries;
  }
}
