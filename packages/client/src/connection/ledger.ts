import type { JSONRPCRequest, RequestId } from '@modelcontextprotocol/client';
import type { Certainty } from '../errors.js';
import { callMark, type CallMark } from './call-mark.js';

/** One request whose answer is awaited. */
export interface LedgerEntry<Waiter> {
  readonly request: JSONRPCRequest;
  /** Who waits for the request to settle. */
  readonly waiter: Waiter;
  /** What the maker of the call wants to know of it; how far it came stands here. */
  readonly mark: CallMark;
}

/**
 * Every request in flight, and what is certain about it. Pure bookkeeping: it sends nothing and
 * settles nobody.
 */
export class Ledger<Waiter> {
  readonly #entries = new Map<RequestId, LedgerEntry<Waiter>>();
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
  enter(request: JSONRPCRequest, waiter: Waiter): LedgerEntry<Waiter> {
    const params = request.params as { [callMark]?: CallMark } | undefined;
    const mark = params?.[callMark] ?? { certainty: 'not-sent' };
    mark.id = request.id;
    const entry = { request, waiter, mark };
    this.#entries.set(request.id, entry);
    return entry;
  }

  /** The request of an id, compared exactly: `"1"` is not 1. */
  find(id: RequestId | undefined): LedgerEntry<Waiter> | undefined {
    return id === undefined ? undefined : this.#entries.get(id);
  }

  /** Notes that the request is on its way; from here on only the server knows. */
  markSent(entry: LedgerEntry<Waiter>): void {
    this.#note(entry, 'outcome-unknown');
  }

  /** Takes the request that an answer belongs to; counts the answer as dropped if there is none. */
  answered(id: RequestId, how: 'result' | 'error'): LedgerEntry<Waiter> | undefined {
    const entry = this.remove(id);
    if (entry === undefined) {
      this.#dropped++;
    } else {
      this.#note(entry, 'answered');
      entry.mark.answer = how;
    }
    return entry;
  }

  /** Takes a request out, however it ended. */
  remove(id: RequestId): LedgerEntry<Waiter> | undefined {
    const entry = this.#entries.get(id);
    if (entry !== undefined) this.#entries.delete(id);
    return entry;
  }

  /** The requests that have not left yet, in the order of their making. */
  unsent(): LedgerEntry<Waiter>[] {
    return [...this.#entries.values()].filter(({ mark }) => mark.certainty === 'not-sent');
  }

  /** Takes all requests out. */
  removeAll(): LedgerEntry<Waiter>[] {
    const entries = [...this.#entries.values()];
    this.#entries.clear();
    return entries;
  }

  #note({ mark }: LedgerEntry<Waiter>, certainty: Certainty): void {
    mark.certainty = certainty;
  }
}
