import type { JSONRPCMessage, JSONRPCNotification } from '@modelcontextprotocol/client';
import type { Resumption } from '../channels/channel.js';
import type { LongwireError } from '../errors.js';
import type { SendOptions } from '../http/send-options.js';
import type { DialedChannel } from './dialed-channel.js';
import { DrainingSessions, type DrainingSessionsOptions } from './draining-sessions.js';
import { lossOf } from './failures.js';
import type { Drain, LedgerEntry } from './ledger.js';
import { hasEndedEarly } from '../error-facts.js';
import { isRefusal } from './retry.js';

/** How often a stream may end before its first event, until the session counts as gone. */
const MAX_EARLY_ENDS = 3;

/** What is needed to handle a lost session. */
export type LostSessionOptions = Omit<DrainingSessionsOptions, 'onEnd'>;

/**
 * What is left of a session whose channel has ended: whether it can be resumed, and what happens to
 * its requests, and to the messages that wait for it.
 */
export class LostSession {
  /** Sessions that cannot be resumed, and still answer what they were sent. */
  readonly draining: DrainingSessions;
  readonly #options: LostSessionOptions;
  /** Channels that are being closed, and when they are. */
  readonly #closing = new Map<DialedChannel, Promise<void>>();
  /** While it is set, the outcome of the session's requests is open. */
  #resumption: Resumption | undefined;
  #lostBy: LongwireError | undefined;
  #deferred: { message: JSONRPCMessage; caller: SendOptions | undefined }[] = [];
  #earlyEnds = 0;

  constructor(options: LostSessionOptions) {
    this.#options = options;
    this.draining = new DrainingSessions({
      ...options,
      onEnd: (reason, drain) => {
        this.settle(reason, drain);
        options.outbound().sendWaiting();
      },
    });
  }

  /** What the next channel needs to resume the session; `undefined` if there is none to resume. */
  get resumption(): Resumption | undefined {
    return this.#resumption;
  }

  /**
   * Releases a channel. If another follows, the session may be resumed there. A channel that was
   * still connecting has no session, and leaves the one before as it was. A channel that may still bring
   * answers drains. Returns the cancellations of the server's requests, if the session is gone.
   */
  release(
    dialed: DialedChannel | undefined,
    { willReconnect }: { willReconnect: boolean },
  ): JSONRPCNotification[] {
    if (!willReconnect) this.#resumption = undefined;
    else if (dialed?.isStarted === true) this.#resumption = dialed.channel?.resumption;
    const isResumable = this.#resumption !== undefined;
    if (dialed !== undefined && (isResumable || !this.draining.take(dialed))) {
      const closed = (isResumable ? dialed.retire() : dialed.close())
        .catch((error: Error) => this.#options.port.report(error))
        .finally(() => this.#closing.delete(dialed));
      this.#closing.set(dialed, closed);
    }
    return isResumable ? [] : this.abandon();
  }

  /** Keeps a message until the session is resumed; false if there is no session to wait for. */
  defer(message: JSONRPCMessage, caller: SendOptions | undefined): boolean {
    if (this.#resumption === undefined) return false;
    this.#deferred.push({ message, caller });
    return true;
  }

  /**
   * Decides about every request of a session: of one that drained, or of the last one; while that may be
   * resumed, only about our own.
   */
  settle(reason: LongwireError, drain?: Drain): void {
    const { ledger } = this.#options;
    if (drain === undefined) this.#lostBy = reason;
    if (drain === undefined && this.#resumption !== undefined) {
      this.#fail(ledger.removeInternal(), reason);
      return;
    }
    // The same request would make the server break the connection again.
    const mayRetry = reason.code !== 'limit-exceeded' && reason.code !== 'protocol';
    this.#fail(ledger.lose(mayRetry, drain), reason);
  }

  /** A session is ready, the same or another: sends the messages that waited. */
  resume(dialed: DialedChannel): void {
    this.#resumption = undefined;
    this.#earlyEnds = 0;
    const deferred = this.#deferred;
    this.#deferred = [];
    for (const { message, caller } of deferred) {
      dialed.sendMessage(message, caller).catch((error: Error) => this.#options.port.report(error));
    }
  }

  /** Whether a dial that failed like this shows that the server does not resume the session. */
  isRefusedBy(error: LongwireError): boolean {
    if (this.#resumption === undefined) return false;
    const endsAgain = hasEndedEarly(error) && ++this.#earlyEnds >= MAX_EARLY_ENDS;
    return endsAgain || isRefusal(error);
  }

  /**
   * Fulfilled when the requests that the session was being sent have arrived, or were refused: of those
   * that were refused it is known that they did not run.
   */
  async flushed(): Promise<void> {
    await Promise.all(this.#closing.values());
  }

  /** The session is gone. Returns the cancellations of what its server had asked. */
  abandon(): JSONRPCNotification[] {
    const wasOpen = this.#resumption !== undefined;
    this.#resumption = undefined;
    this.#deferred = [];
    if (wasOpen && this.#lostBy !== undefined) this.settle(this.#lostBy);
    return this.#options.serverRequests.abandon();
  }

  /** Fails every request that needs a session. */
  failAll(reason: LongwireError): void {
    this.#fail(this.#options.ledger.removeNeedingSession(), reason);
  }

  /** Fulfilled when every channel is closed that does not drain. */
  async close(): Promise<void> {
    await Promise.all([...this.#closing.keys()].map((dialed) => dialed.close()));
  }

  /** Fulfilled when every channel is closed. */
  async closeAll(): Promise<void> {
    await Promise.all([this.close(), this.draining.close()]);
  }

  #fail(entries: LedgerEntry[], reason: LongwireError): void {
    for (const entry of entries) entry.waiter.failed(lossOf(entry, reason));
  }
}
