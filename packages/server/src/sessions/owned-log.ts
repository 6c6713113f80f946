import { setTimeout as sleep } from 'node:timers/promises';
import { isSessionLost } from '../cluster/cluster.js';
import type { EventLog, LoggedEvent } from '../events/event-log.js';

/** How long a message waits to be kept while the store is away, at most. */
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
  readonly endsAt: number;
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
  keep(event: LoggedEvent, isSent = false): Promise<void> {
    if (this.#isLost) return Promise.resolve();
    this.#pending++;
    const endsAt = performance.now() + MAX_WAIT_MS;
    const keeping =
      this.#waiting === undefined
        ? this.#append(event, isSent).catch((error: unknown) => this.#failed(event, endsAt, error))
        : this.#later(event, endsAt);
    return keeping.then(() => {
      this.#pending--;
      if (this.#pending === 0) this.#options.onKept();
    });
  }

  async #append(event: LoggedEvent, isSent = false): Promise<void> {
    await this.#options.events.append(this.#options.sessionId, event, isSent);
  }

  #failed(event: LoggedEvent, endsAt: number, error: unknown): Promise<void> | undefined {
    return this.#isHopeless(endsAt, error) ? undefined : this.#later(event, endsAt);
  }

  /** Whether it is lost, or has waited for too long, which loses the session. */
  #isHopeless(endsAt: number, error: unknown): boolean {
    if (isSessionLost(error) || performance.now() > endsAt) this.#lose(error);
    return this.#isLost;
  }

  #later(event: LoggedEvent, endsAt: number): Promise<void> {
    return new Promise((kept) => {
      const isFirst = this.#waiting === undefined;
      const waiting = (this.#waiting ??= []);
      waiting.push({ event, endsAt, kept });
      waiting.sort((a, b) => a.event.seq - b.event.seq);
      if (isFirst) void this.#retry(waiting);
    });
  }

  async #retry(waiting: Waiting[]): Promise<void> {
    while (!this.#isLost && waiting.length > 0) {
      await sleep(RETRY_MS, undefined, { ref: false });
      await this.#keepFirst(waiting);
    }
    this.#waiting = undefined;
    for (const { kept } of waiting) kept();
  }

  /** Keeps what waits, up to the first one that fails. */
  async #keepFirst(waiting: Waiting[]): Promise<void> {
    for (;;) {
      // One that comes before it may have failed meanwhile.
      const [first] = waiting;
      if (first === undefined) return;
      try {
        await this.#append(first.event);
      } catch (error) {
        this.#isHopeless(first.endsAt, error);
        return;
      }
      waiting.splice(waiting.indexOf(first), 1);
      first.kept();
    }
  }

  #lose(error: unknown): void {
    if (this.#isLost) return;
    this.#isLost = true;
    this.#options.onLost(error);
  }
}
