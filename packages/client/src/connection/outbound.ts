import { BrokenStreamError, type BrokenStream } from '../channels/channel.js';
import { HttpStatusError, LongwireError } from '../errors.js';
import { failureOf, lossOf, sessionGone, unsendable } from './failures.js';
import type { Ledger, LedgerEntry } from './ledger.js';
import type { Link } from './link.js';
import { MAX_TIMER_MS } from './options.js';
import { dialDelayMs, judgeSend, resendDelayMs, retryAfterOf, type RetryPolicy } from './retry.js';
import type { SessionCheck } from './session-check.js';
import { requestOnWire, type Envelope } from './wire.js';

/** Who sends what the program asks. */
export interface OutboundOptions {
  ledger: Ledger;
  retry: RetryPolicy;
  /** The link that requests go out on now; `undefined` while there is none. */
  link: () => Link | undefined;
  /** What every request says on the session of now. */
  envelope: () => Envelope | undefined;
  /** Answers a request that means nothing to the server of now; false if it is to be sent. */
  answerHere: (entry: LedgerEntry) => boolean;
  /** Asks the session whether it is gone. */
  check: SessionCheck;
}

/** A request whose stream broke off. */
interface Interrupted {
  /** What it was on the wire. */
  readonly id: number;
  readonly broken: BrokenStream;
  readonly attempt: number;
  readonly timer: NodeJS.Timeout;
  /** On which link it is being gone on with. */
  link?: Link;
}

/** Sends requests, and sends again what is certain not to have run or does no harm twice. */
export class Outbound {
  readonly #options: OutboundOptions;
  /** Requests that the server put off, until their time comes. */
  readonly #putOff = new Map<LedgerEntry, NodeJS.Timeout>();
  /** Requests whose answer is to be had from a stream that broke off. */
  readonly #broken = new Map<LedgerEntry, Interrupted>();

  constructor(options: OutboundOptions) {
    this.#options = options;
  }

  /** Sends what waits for a channel, but for what waits for its time. */
  release(): void {
    for (const entry of this.#broken.keys()) this.#goOn(entry);
    for (const entry of this.#options.ledger.waiting()) {
      if (!this.#putOff.has(entry)) this.send(entry);
    }
  }

  /** Sends a request if there is a link; else it waits for `release`. */
  send(entry: LedgerEntry): void {
    const { ledger, link, envelope, answerHere } = this.#options;
    const open = link();
    if (open === undefined) return;
    const { id } = entry;
    ledger.handOver(entry);
    if (answerHere(entry)) return;
    const { headers, internal } = entry.mark;
    if (internal === true && headers !== undefined) open.carry(headers);
    open
      .ask(
        requestOnWire(entry, envelope()),
        () => {
          if (entry.id === id) ledger.markSent(entry);
        },
        entry.mark,
      )
      .catch((error: unknown) => {
        // Settled or sent again meanwhile: it was answered, given up, or its channel went away.
        if (entry.id === id && ledger.find(id) === entry) this.#failed(entry, error, open);
      });
  }

  /** The request was settled otherwise; its time need not come. */
  settled(entry: LedgerEntry): void {
    clearTimeout(this.#putOff.get(entry));
    clearTimeout(this.#broken.get(entry)?.timer);
    this.#putOff.delete(entry);
    this.#broken.delete(entry);
  }

  /** As `settled`, for all. */
  allSettled(): void {
    for (const timer of this.#putOff.values()) clearTimeout(timer);
    for (const { timer } of this.#broken.values()) clearTimeout(timer);
    this.#putOff.clear();
    this.#broken.clear();
  }

  #failed(entry: LedgerEntry, error: unknown, link: Link): void {
    if (!(error instanceof LongwireError)) {
      this.#fail(entry, unsendable(error));
      return;
    }
    if (entry.mark.internal === true) {
      this.#fail(entry, error);
      return;
    }
    if (error instanceof BrokenStreamError && this.#goOnLater(entry, error.broken)) return;
    if (this.#options.check.mayBeGone(error, entry, link)) void this.#ask(entry, error, link);
    else this.judge(entry, error, link);
  }

  /** A refusal that says nothing certain: the session itself says what it means. */
  async #ask(entry: LedgerEntry, error: LongwireError, link: Link): Promise<void> {
    const { ledger, check } = this.#options;
    const { id } = entry;
    ledger.hold(entry, error.certainty === 'refused' ? 'refused' : 'unknown');
    const verdict = await check.of(link);
    if (verdict.is === 'gone' || (verdict.is === 'away' && !ledger.isOwed)) {
      link.abandon(verdict.reason, verdict.is);
    }
    if (entry.id !== id || ledger.find(id) !== entry) return;
    ledger.letGo(entry);
    this.judge(entry, verdict.is === 'gone' ? sessionGone(error) : error, link);
  }

  /** Decides what becomes of a request that met an error. */
  judge(entry: LedgerEntry, error: LongwireError, link: Link): void {
    const { ledger, retry } = this.#options;
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
        if (!ledger.retry(entry)) entry.waiter.failed(unknownOf(entry, error));
        else {
          const delayMs = resendDelayMs(retry, entry.losses, retryAfterOf(error));
          this.#sendLater(entry, unknownOf(entry, error), delayMs);
        }
        break;
      case 'fail':
        this.#fail(entry, error);
        break;
    }
  }

  /** False if the stream has been gone on with in vain too often. */
  #goOnLater(entry: LedgerEntry, broken: BrokenStream): boolean {
    const { retry } = this.#options;
    const before = this.#broken.get(entry);
    const attempt = broken.gotOn || before?.id !== entry.id ? 1 : before.attempt + 1;
    clearTimeout(before?.timer);
    this.#broken.delete(entry);
    if (attempt > retry.maxAttempts) return false;
    const delayMs = dialDelayMs(retry, attempt, broken.askedDelayMs);
    const timer = setTimeout(() => this.#goOn(entry), delayMs);
    this.#broken.set(entry, { id: entry.id, broken, attempt, timer });
    return true;
  }

  /** Without a link, or while it is being gone on with, there is nothing to be done. */
  #goOn(entry: LedgerEntry): void {
    const { ledger } = this.#options;
    const interrupted = this.#broken.get(entry);
    const link = this.#options.link();
    if (interrupted === undefined || link === undefined || interrupted.link === link) return;
    clearTimeout(interrupted.timer);
    const { id, broken } = interrupted;
    if (entry.id !== id || ledger.find(id) !== entry) {
      this.#broken.delete(entry);
      return;
    }
    interrupted.link = link;
    link.goOn(broken, entry.mark).then(
      () => this.#broken.delete(entry),
      (error: unknown) => {
        if (this.#broken.get(entry) === interrupted && ledger.find(id) === entry) {
          this.#failed(entry, error, link);
        }
      },
    );
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
    entry.mark.onPutOff?.(error);
  }

  #fail(entry: LedgerEntry, error: LongwireError): void {
    this.#options.ledger.remove(entry.id);
    entry.waiter.failed(failureOf(entry, error));
  }
}

/** What a request fails with that may have run: an HTTP error says more than that. */
function unknownOf(entry: LedgerEntry, error: LongwireError): LongwireError {
  return error instanceof HttpStatusError ? error : lossOf(entry, error);
}
