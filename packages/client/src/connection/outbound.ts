import { BrokenStreamError, type BrokenStream } from '../channels/channel.js';
import { HttpStatusError, LongwireError } from '../errors.js';
import { MAX_TIMER_MS } from '../options/checks.js';
import type { DialedChannel } from './dialed-channel.js';
import { failureOf, lossOf, sessionGone, unsendable } from './failures.js';
import type { InitializeReplay } from './initialize.js';
import type { Ledger, LedgerEntry } from './ledger.js';
import type { LocalAnswers } from './local-answers.js';
import {
  dialDelayMs,
  resendDecision,
  resendDelayMs,
  retryAfterOf,
  type RetryPolicy,
} from './retry.js';
import type { SessionCheck } from './session-check.js';
import { requestOnWire } from './wire.js';

/** What is needed to send requests. */
export interface OutboundOptions {
  ledger: Ledger;
  retry: RetryPolicy;
  localAnswers: LocalAnswers;
  check: SessionCheck;
  handshake: InitializeReplay;
  /** The channel that requests go out on now; `undefined` while there is none. */
  dialed: () => DialedChannel | undefined;
  /** Called when a request waits for a channel. */
  onWaiting: () => void;
}

/** A request whose stream broke off before its answer. */
interface Interrupted {
  /** Its id on the wire then. */
  readonly id: number;
  readonly broken: BrokenStream;
  readonly attempt: number;
  readonly timer: NodeJS.Timeout;
  /** The channel on which the stream is being resumed. */
  dialed?: DialedChannel;
}

/** A request that is sent again under its id, because its server then runs it once. */
interface Repeated {
  readonly id: number;
  readonly timer: NodeJS.Timeout;
  /** It waits for its delay, or for a channel. */
  isWaiting: boolean;
}

/** Sends requests, and resends those that certainly did not run, or may safely run twice. */
export class Outbound {
  readonly #options: OutboundOptions;
  /** Requests that wait for a delay before they are resent. */
  readonly #deferred = new Map<LedgerEntry, NodeJS.Timeout>();
  /** Requests whose answer can still come on a resumed stream. */
  readonly #interrupted = new Map<LedgerEntry, Interrupted>();
  readonly #repeated = new Map<LedgerEntry, Repeated>();

  constructor(options: OutboundOptions) {
    this.#options = options;
  }

  /** Sends every request that waits for a channel, except those that wait for a delay. */
  sendWaiting(): void {
    for (const entry of this.#interrupted.keys()) this.#resume(entry);
    for (const entry of this.#repeated.keys()) this.#sendAgain(entry);
    for (const entry of this.#options.ledger.waiting()) {
      if (!this.#deferred.has(entry)) this.send(entry);
    }
  }

  /** Sends a request if there is a channel; otherwise it waits for `sendWaiting`. */
  send(entry: LedgerEntry): void {
    const { ledger, dialed, localAnswers } = this.#options;
    const open = dialed();
    if (open === undefined) {
      this.#options.onWaiting();
      return;
    }
    const { id, context } = entry;
    ledger.assign(entry);
    // In the legacy era the server answers every request, unless its answer came before.
    const isLocal = context.prior !== undefined || open.channel?.era === 'modern';
    if (isLocal && localAnswers.answer(entry)) return;
    const { headers, internal } = context;
    if (internal === true && headers !== undefined) open.setHeaders(headers);
    open
      .sendRequest(
        requestOnWire(entry, isLocal ? localAnswers.envelope : undefined),
        () => {
          if (entry.id === id) ledger.markSent(entry);
        },
        context,
      )
      .catch((error: unknown) => {
        // Otherwise it was answered, cancelled or resent meanwhile.
        if (entry.id === id && ledger.find(id) === entry) this.#failed(entry, error, open);
      });
  }

  /** Whether a request may have run, and waits until it is sent again under its id. */
  waits(entry: LedgerEntry): boolean {
    return this.#repeated.get(entry)?.isWaiting === true;
  }

  /** The request was settled elsewhere: its timers are not needed any more. */
  settled(entry: LedgerEntry): void {
    clearTimeout(this.#deferred.get(entry));
    clearTimeout(this.#interrupted.get(entry)?.timer);
    clearTimeout(this.#repeated.get(entry)?.timer);
    this.#deferred.delete(entry);
    this.#interrupted.delete(entry);
    this.#repeated.delete(entry);
  }

  /** As `settled`, for all requests that need a session. */
  allSettled(): void {
    for (const entries of [this.#deferred, this.#interrupted, this.#repeated]) {
      for (const entry of entries.keys()) if (entry.drain === undefined) this.settled(entry);
    }
  }

  /** Decides, by `retry.ts`, what happens to a request whose sending failed. */
  sendFailed(entry: LedgerEntry, error: LongwireError, dialed: DialedChannel): void {
    const { ledger, retry } = this.#options;
    const said = resendDecision(error);
    // What is refused now may have run when it was sent before.
    const mayHaveRun = entry.repeats > 0 && said.next !== 'fail';
    const decision = mayHaveRun ? ({ next: 'unknown' } as const) : said;
    const certainty = error.certainty === 'refused' ? 'refused' : 'not-sent';
    switch (decision.next) {
      case 'next-channel':
        // A request that every session refuses like this must fail at some time.
        if (certainty === 'refused' && entry.returns >= retry.maxAttempts) {
          this.#fail(entry, error);
          break;
        }
        ledger.requeue(entry, certainty);
        // If the next channel is open already, `sendWaiting` was called before.
        if (this.#options.dialed() !== dialed) this.send(entry);
        break;
      case 'later':
        ledger.requeue(entry, certainty);
        this.#sendLater(entry, error, resendDelayMs(retry, entry.returns, decision.askedMs));
        break;
      case 'unknown':
        // Another session does not know what this one was asked.
        if (dialed.drainsAfter === undefined && this.#repeatLater(entry, error)) break;
        // Closed by us while its session may resume: the answer may still come there.
        if (error.code === 'closed' && dialed.isRetired && !ledger.maySendAgain(entry)) break;
        if (!ledger.retry(entry)) entry.waiter.failed(failureOf(entry, unknownOf(entry, error)));
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

  #failed(entry: LedgerEntry, error: unknown, dialed: DialedChannel): void {
    if (!(error instanceof LongwireError)) {
      this.#fail(entry, unsendable(error));
      return;
    }
    if (entry.context.internal === true) {
      this.#fail(entry, error);
      return;
    }
    if (error instanceof BrokenStreamError && this.#resumeLater(entry, error.broken)) return;
    if (this.#options.check.mayBeGone(error, entry, dialed)) {
      void this.#checkSession(entry, error, dialed);
    } else {
      this.sendFailed(entry, error, dialed);
    }
  }

  /** The error does not say whether the session is gone: a ping of the session does. */
  async #checkSession(
    entry: LedgerEntry,
    error: LongwireError,
    dialed: DialedChannel,
  ): Promise<void> {
    const { ledger, check } = this.#options;
    const { id } = entry;
    const isRefused = error.certainty === 'refused' && entry.repeats === 0;
    ledger.hold(entry, isRefused ? 'refused' : 'unknown');
    const session = await check.of(dialed);
    if (session.is === 'gone' || (session.is === 'away' && ledger.owed().length === 0)) {
      dialed.abandon(session.reason, session.is);
    }
    if (entry.id !== id || ledger.find(id) !== entry) return;
    ledger.endHold(entry);
    this.sendFailed(entry, session.is === 'gone' ? sessionGone(error) : error, dialed);
  }

  /** False if resuming the stream has failed too often. */
  #resumeLater(entry: LedgerEntry, broken: BrokenStream): boolean {
    const { retry } = this.#options;
    const before = this.#interrupted.get(entry);
    const attempt = broken.madeProgress || before?.id !== entry.id ? 1 : before.attempt + 1;
    clearTimeout(before?.timer);
    this.#interrupted.delete(entry);
    if (attempt > retry.maxAttempts) return false;
    const delayMs = dialDelayMs(retry, attempt, broken.askedDelayMs);
    const timer = setTimeout(() => this.#resume(entry), delayMs);
    this.#interrupted.set(entry, { id: entry.id, broken, attempt, timer });
    return true;
  }

  /** Does nothing without a channel, or if the stream is being resumed on it already. */
  #resume(entry: LedgerEntry): void {
    const { ledger } = this.#options;
    const interrupted = this.#interrupted.get(entry);
    const dialed = this.#options.dialed();
    if (interrupted === undefined || dialed === undefined || interrupted.dialed === dialed) return;
    // Its stream is open, on the session before.
    if (entry.drain !== undefined) return;
    clearTimeout(interrupted.timer);
    const { id, broken } = interrupted;
    if (entry.id !== id || ledger.find(id) !== entry) {
      this.#interrupted.delete(entry);
      return;
    }
    interrupted.dialed = dialed;
    dialed.resume(broken, entry.context).then(
      () => this.#interrupted.delete(entry),
      (error: unknown) => {
        if (this.#interrupted.get(entry) === interrupted && ledger.find(id) === entry) {
          this.#failed(entry, error, dialed);
        }
      },
    );
  }

  /** False if the server may run it twice, or has not answered often enough. */
  #repeatLater(entry: LedgerEntry, error: LongwireError): boolean {
    const { handshake, ledger, retry } = this.#options;
    if (!handshake.repeatsIds || entry.repeats >= retry.maxAttempts) return false;
    ledger.repeat(entry);
    clearTimeout(this.#repeated.get(entry)?.timer);
    const delayMs = resendDelayMs(retry, entry.repeats, retryAfterOf(error));
    const timer = setTimeout(() => this.#sendAgain(entry), Math.min(delayMs, MAX_TIMER_MS));
    this.#repeated.set(entry, { id: entry.id, timer, isWaiting: true });
    return true;
  }

  /** On the same session: another one gives what is left of this one a new id, or fails it. */
  #sendAgain(entry: LedgerEntry): void {
    const { ledger, dialed } = this.#options;
    const repeated = this.#repeated.get(entry);
    if (repeated?.isWaiting !== true) return;
    if (entry.id !== repeated.id || ledger.find(repeated.id) !== entry) {
      clearTimeout(repeated.timer);
      this.#repeated.delete(entry);
    } else if (dialed() !== undefined) {
      clearTimeout(repeated.timer);
      repeated.isWaiting = false;
      this.send(entry);
    }
  }

  /** A request that would time out during the delay fails at once. */
  #sendLater(entry: LedgerEntry, error: LongwireError, ms: number): void {
    const { dueAt = Infinity } = entry.context;
    if (performance.now() + ms >= dueAt || ms > MAX_TIMER_MS) {
      this.#fail(entry, error);
      return;
    }
    const timer = setTimeout(() => {
      this.#deferred.delete(entry);
      if (this.#options.ledger.find(entry.id) === entry) this.send(entry);
    }, ms);
    this.#deferred.set(entry, timer);
    entry.context.onDeferred?.(error, ms);
  }

  #fail(entry: LedgerEntry, error: LongwireError): void {
    this.#options.ledger.remove(entry.id);
    entry.waiter.failed(failureOf(entry, error));
  }
}

/** What a request fails with that may have run: an HTTP error says more than a lost connection. */
function unknownOf(entry: LedgerEntry, error: LongwireError): LongwireError {
  return error instanceof HttpStatusError ? error : lossOf(entry, error);
}
