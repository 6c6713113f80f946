import { setTimeout as sleep } from 'node:timers/promises';
import { SessionLostError } from '../cluster/cluster.js';
import type { EventLog, LoggedEvent } from '../events/event-log.js';

/** How long a message waits to be kept while the store is away. */
const MAX_WAIT_MS = 30_000;
/** How long it is waited before a message is tried again. */
const RETRY_MS = 100;

/** What keeps the messages of one session of a cluster. */
export interface OwnedLogOptions {
  readonly sessionId: string;
  readonly events: Pick<EventLog, 'append'>;
  /** Another node has the session, or the store was away for too long: nothing more is said here. */
  readonly onLost: (error: unknown) => void;
  /** Everything that was said is kept. */
  readonly onKept: () => void;
}

/** A message that could not be kept at once. */
interface Waiting {
  readonly event: LoggedEvent;
  readonly kept: () => void;
}

/**
 * Keeps what a session says where a next owner finds it, in order. While the store is away messages wait;
 * one that was kept although its reply was lost is recognised by its place.
 */
export class OwnedLog {
  readonly #options: OwnedLogOptions;
  /** In the order of their places; missing while the store takes them at once. */
  #waiting: Waiting[] | undefined;
  #pending = 0;
  #isLost = false;

  constructor(options: OwnedLogOptions) {
    this.#options = options;
  }

  /** Whether everything that was said is kept. */
  get isKept(): boolean {
    return this.#pending === 0;
  }

  /** Keeps a message; fulfilled when it is kept, or never will be. */
  keep(event: LoggedEvent): Promise<void> {
    if (this.#isLost) return Promise.resolve();
    this.#pending++;
    const keeping =
      this.#waiting === undefined
        ? this.#append(event).catch((error: unknown) => this.#failed(event, error))
        : this.#later(event);
    return keeping.then(() => {
      this.#pending--;
      if (this.#pending === 0) this.#options.onKept();
    });
  }

  async #append(event: LoggedEvent): Promise<void> {
    await this.#options.events.append(this.#options.sessionId, event);
  }

  #failed(event: LoggedEvent, error: unknown): Promise<void> | undefined {
    if (this.#isLost) return undefined;
    if (error instanceof SessionLostError) {
      this.#lose(error);
      return undefined;
    }
    return this.#later(event);
  }

  #later(event: LoggedEvent): Promise<void> {
    return new Promise((kept) => {
      const isFirst = this.#waiting === undefined;
      const waiting = (this.#waiting ??= []);
      waiting.push({ event, kept });
      waiting.sort((a, b) => a.event.seq - b.event.seq);
      if (isFirst) void this.#retry(waiting);
    });
  }

  async #retry(waiting: Waiting[]): Promise<void> {
    const endsAt = performance.now() + MAX_WAIT_MS;
    let first: Waiting | undefined;
    while (!this.#isLost) {
      await sleep(RETRY_MS, undefined, { ref: false });
      // Others may have failed meanwhile, which come before it.
      while ((first = waiting[0]) !== undefined) {
        try {
          await this.#append(first.event);
        } catch (error) {
          if (error instanceof SessionLostError || performance.now() > endsAt) this.#lose(error);
          break;
        }
        waiting.splice(waiting.indexOf(first), 1);
        first.kept();
      }
      if (waiting.length === 0) break;
    }
    this.#waiting = undefined;
    for (const { kept } of waiting) kept();
  }

  #lose(error: unknown): void {
    if (this.#isLost) return;
    this.#isLost = true;
    this.#options.onLost(error);
  }
}
