import type { JSONRPCMessage, JSONRPCNotification } from '@modelcontextprotocol/client';
import type { Resumption, SendOptions } from '../channels/channel.js';
import type { LongwireError } from '../errors.js';
import { lossOf } from './failures.js';
import type { Ledger, LedgerEntry } from './ledger.js';
import type { Link } from './link.js';
import type { ServerRequests } from './server-requests.js';

/** What an aftermath deals with. */
export interface AftermathOptions {
  ledger: Ledger;
  serverRequests: ServerRequests;
  /** Takes what is wrong, and nobody waits for. */
  report: (error: Error) => void;
}

/**
 * What is left of a session whose link is gone: whether it may go on, and what becomes of its
 * requests, of what was to be said on it, and of what is on its way to the server.
 */
export class Aftermath {
  readonly #options: AftermathOptions;
  /** Links that were let go of, until nothing of them is left open. */
  readonly #retiring = new Set<Link>();
  /** While it is here, nothing is certain of the session's requests. */
  #resumption: Resumption | undefined;
  #lostBy: LongwireError | undefined;
  #unsaid: { message: JSONRPCMessage; caller: SendOptions | undefined }[] = [];

  constructor(options: AftermathOptions) {
    this.#options = options;
  }

  /** How the session that was lost may go on; `undefined` if it cannot, or none was lost. */
  get resumption(): Resumption | undefined {
    return this.#resumption;
  }

  /**
   * Lets go of a link. If another is to follow, the session may go on there; one that
   * was still being made has nothing to go on with, but does not hinder the one before it.
   * Returns the cancellations of what the session had asked, if it is over.
   */
  letGo(link: Link | undefined, { comesBack }: { comesBack: boolean }): JSONRPCNotification[] {
    if (!comesBack) this.#resumption = undefined;
    else if (link?.isStarted === true) this.#resumption = link.channel?.resumption;
    if (link !== undefined) {
      this.#retiring.add(link);
      (this.#resumption !== undefined ? link.retire() : link.close())
        .catch((error: Error) => this.#options.report(error))
        .finally(() => this.#retiring.delete(link));
    }
    return this.#resumption === undefined ? this.giveUp() : [];
  }

  /** Keeps what is to be said on the session; false if there is none to say it on. */
  keep(message: JSONRPCMessage, caller: SendOptions | undefined): boolean {
    if (this.#resumption === undefined) return false;
    this.#unsaid.push({ message, caller });
    return true;
  }

  /** Decides what becomes of the requests that were under way, if that is not open. */
  sortOut(reason: LongwireError): void {
    this.#lostBy = reason;
    if (this.#resumption !== undefined) {
      this.#fail(this.#options.ledger.removeInternal(), reason);
      return;
    }
    // What the server sent to spoil the link, it would send again.
    const mayRetry = reason.code !== 'limit-exceeded' && reason.code !== 'protocol';
    this.#fail(this.#options.ledger.lose(mayRetry), reason);
  }

  /** The session goes on: what was to be said on it is said. */
  goOn(link: Link): void {
    this.#resumption = undefined;
    const unsaid = this.#unsaid;
    this.#unsaid = [];
    for (const { message, caller } of unsaid) {
      link.say(message, caller).catch(this.#options.report);
    }
  }

  /**
   * The session does not go on: nothing that belonged to it will. Returns the cancellations of
   * what it had asked.
   */
  giveUp(): JSONRPCNotification[] {
    const wasOpen = this.#resumption !== undefined;
    this.#resumption = undefined;
    this.#unsaid = [];
    if (wasOpen && this.#lostBy !== undefined) this.sortOut(this.#lostBy);
    return this.#options.serverRequests.abandon();
  }

  /** Fails every request. */
  failAll(reason: LongwireError): void {
    this.#fail(this.#options.ledger.removeAll(), reason);
  }

  /** Waits for nothing any more; fulfilled when no link is left open. */
  async close(): Promise<void> {
    await Promise.all([...this.#retiring].map((link) => link.close()));
  }

  #fail(entries: LedgerEntry[], reason: LongwireError): void {
    for (const entry of entries) entry.waiter.failed(lossOf(entry, reason));
  }
}
