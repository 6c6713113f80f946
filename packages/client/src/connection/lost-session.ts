import type { JSONRPCMessage, JSONRPCNotification } from '@modelcontextprotocol/client';
import type { Resumption } from '../channels/channel.js';
import type { LongwireError } from '../errors.js';
import type { SendOptions } from '../http/send-options.js';
import type { DialedChannel } from './dialed-channel.js';
import { lossOf } from './failures.js';
import type { Ledger, LedgerEntry } from './ledger.js';
import type { Port } from './port.js';
import { hasEndedEarly } from '../error-facts.js';
import { isRefusal } from './retry.js';
import type { ServerRequests } from './server-requests.js';

/** How often a stream may end before its first event, until the session counts as gone. */
const MAX_EARLY_ENDS = 3;

/** What is needed to handle a lost session. */
export interface LostSessionOptions {
  ledger: Ledger;
  serverRequests: ServerRequests;
  port: Port;
}

/**
 * What is left of a session whose channel has ended: whether it can be resumed, and what happens to
 * its requests, and to the messages that wait for it.
 */
export class LostSession {
  readonly #options: LostSessionOptions;
  /** Channels that are being closed. */
  readonly #closing = new Set<DialedChannel>();
  /** While it is set, the outcome of the session's requests is open. */
  #resumption: Resumption | undefined;
  #lostBy: LongwireError | undefined;
  #deferred: { message: JSONRPCMessage; caller: SendOptions | undefined }[] = [];
  #earlyEnds = 0;

  constructor(options: LostSessionOptions) {
    this.#options = options;
  }

  /** What the next channel needs to resume the session; `undefined` if there is none to resume. */
  get resumption(): Resumption | undefined {
    return this.#resumption;
  }

  /**
   * Releases a channel. If another follows, the session may be resumed there. A channel that was
   * still connecting has no session, and leaves the one before as it was. Returns the cancellations
   * of the server's requests, if the session is gone.
   */
  release(
    dialed: DialedChannel | undefined,
    { willReconnect }: { willReconnect: boolean },
  ): JSONRPCNotification[] {
    if (!willReconnect) this.#resumption = undefined;
    else if (dialed?.isStarted === true) this.#resumption = dialed.channel?.resumption;
    if (dialed !== undefined) {
      this.#closing.add(dialed);
      (this.#resumption !== undefined ? dialed.retire() : dialed.close())
        .catch((error: Error) => this.#options.port.report(error))
        .finally(() => this.#closing.delete(dialed));
    }
    return this.#resumption === undefined ? this.abandon() : [];
  }

  /** Keeps a message until the session is resumed; false if there is no session to wait for. */
  defer(message: JSONRPCMessage, caller: SendOptions | undefined): boolean {
    if (this.#resumption === undefined) return false;
    this.#deferred.push({ message, caller });
    return true;
  }

  /** Decides about every request of the session; while it may be resumed, only about our own. */
  settle(reason: LongwireError): void {
    this.#lostBy = reason;
    if (this.#resumption !== undefined) {
      this.#fail(this.#options.ledger.removeInternal(), reason);
      return;
    }
    // The same request would make the server break the connection again.
    const mayRetry = reason.code !== 'limit-exceeded' && reason.code !== 'protocol';
    this.#fail(this.#options.ledger.lose(mayRetry), reason);
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

  /** The session is gone. Returns the cancellations of what its server had asked. */
  abandon(): JSONRPCNotification[] {
    const wasOpen = this.#resumption !== undefined;
    this.#resumption = undefined;
    this.#deferred = [];
    if (wasOpen && this.#lostBy !== undefined) this.settle(this.#lostBy);
    return this.#options.serverRequests.abandon();
  }

  /** Fails every request. */
  failAll(reason: LongwireError): void {
    this.#fail(this.#options.ledger.removeAll(), reason);
  }

  /** Fulfilled when every channel is closed. */
  async close(): Promise<void> {
    await Promise.all([...this.#closing].map((dialed) => dialed.close()));
  }

  #fail(entries: LedgerEntry[], reason: LongwireError): void {
    for (const entry of entries) entry.waiter.failed(lossOf(entry, reason));
  }
}
