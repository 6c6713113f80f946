import { LongwireError } from '../errors.js';
import { failureOf, lossOf, unsendable } from './failures.js';
import type { Ledger, LedgerEntry } from './ledger.js';
import type { Link } from './link.js';
import { MAX_TIMER_MS } from './options.js';
import { judgeSend, resendDelayMs, type RetryPolicy } from './retry.js';
import { requestOnWire } from './wire.js';

/** Who sends what the program asks. */
export interface OutboundOptions {
  ledger: Ledger;
  retry: RetryPolicy;
  /** The link that requests go out on now; `undefined` while there is none. */
  link: () => Link | undefined;
}

/** Sends requests, and sends again what is certain not to have run or does no harm twice. */
export class Outbound {
  readonly #options: OutboundOptions;
  /** Requests that the server put off, until their time comes. */
  readonly #putOff = new Map<LedgerEntry, NodeJS.Timeout>();

  constructor(options: OutboundOptions) {
    this.#options = options;
  }

  /** Sends what waits for a channel, but for what waits for its time. */
  release(): void {
    for (const entry of this.#options.ledger.waiting()) {
      if (!this.#putOff.has(entry)) this.send(entry);
    }
  }

  /** Sends a request if there is a link; else it waits for `release`. */
  send(entry: LedgerEntry): void {
    const { ledger, link } = this.#options;
    const open = link();
    if (open === undefined) return;
    const { id } = entry;
    ledger.handOver(entry);
    open
      .ask(requestOnWire(entry), () => {
        if (entry.id === id) ledger.markSent(entry);
      })
      .catch((error: unknown) => {
        // Settled or sent again meanwhile: it was answered, given up, or its channel went away.
        if (entry.id === id && ledger.find(id) === entry) this.#failed(entry, error, open);
      });
  }

  /** The request was settled otherwise; its time need not come. */
  settled(entry: LedgerEntry): void {
    clearTimeout(this.#putOff.get(entry));
    this.#putOff.delete(entry);
  }

  /** As `settled`, for all. */
  allSettled(): void {
    for (const timer of this.#putOff.values()) clearTimeout(timer);
    this.#putOff.clear();
  }

  #failed(entry: LedgerEntry, error: unknown, link: Link): void {
    const { ledger, retry } = this.#options;
    if (!(error instanceof LongwireError)) {
      this.#fail(entry, unsendable(error));
      return;
    }
    if (entry.mark.internal === true) {
      this.#fail(entry, error);
      return;
    }
    const verdict = judgeSend(error);
    const certainty = error.certainty === 'refused' ? 'refused' : 'not-sent';
    switch (verdict.next) {
      case 'next-channel':
        // One that is refused like this on every session is not waited for forever.
        if (certainty === 'refused' && entry.returns >= retry.maxAttempts) {
          this.#fail(entry, error);
          break;
        }
        ledger.putBack(entry, certainty);
        // Where the next link is there already, nobody will release it.
        if (this.#options.link() !== link) this.send(entry);
        break;
      case 'later':
        ledger.putBack(entry, certainty);
        this.#sendLater(entry, error, resendDelayMs(retry, entry.returns, verdict.askedMs));
        break;
      case 'unknown':
        // Given up from this side, while its session may go on and answer it.
        if (error.code === 'closed' && link.isRetired && !ledger.maySendAgain(entry)) break;
        if (!ledger.retry(entry)) entry.waiter.failed(lossOf(entry, error));
        else this.#sendLater(entry, lossOf(entry, error), resendDelayMs(retry, entry.losses));
        break;
      case 'fail':
        this.#fail(entry, error);
        break;
    }
  }

  /** A request that would run out of time before it may be sent again fails at once. */
  #sendLater(entry: LedgerEntry, error: LongwireError, ms: number): void {
    const { dueAt = Infinity } = entry.mark;
    if (performance.now() + ms >= dueAt || ms > MAX_TIMER_MS) {
      this.#fail(entry, error);
      return;
    }
    const timer = setTimeout(() => {
      this.#putOff.delete(entry);
      if (this.#options.ledger.find(entry.id) === entry) this.send(entry);
    }, ms);
    this.#putOff.set(entry, timer);
  }

  #fail(entry: LedgerEntry, error: LongwireError): void {
    this.#options.ledger.remove(entry.id);
    entry.waiter.failed(failureOf(entry, error));
  }
}
