import type { CallGate } from '../calls/call.js';
import type { NotReady } from './health.js';
import type { MaybePromise } from '../principal.js';
import type { KitStats, SessionEnd } from './observer.js';
import type { Stoppable } from './stop.js';

/** A mount, as far as its stop needs it. */
export interface Drainable {
  stats(): KitStats;
  readonly sessions: {
    all(): Iterable<DrainableSession>;
    /** Lets other nodes have those in which nothing runs, if there are other nodes. */
    leave(): void;
    /** Takes none over from other nodes any more. */
    takeNoMore(): void;
  };
  readonly stateless: {
    /** Ends streams that have no last answer to wait for, and takes no more. */
    endSubscriptions(): void;
    /** Answers what runs with an error, and aborts it. */
    cancelAll(): void;
  };
  /** Sessions of other nodes, as far as they are read here. */
  readonly handles: {
    /** How many requests of clients wait for other nodes. */
    readonly waiting: number;
    closeStreams(): void;
    close(): void;
  };
  /** Missing where no tool has tasks. */
  readonly tasks?: { cancelAll(): Promise<void> } | undefined;
}

/** A session, as far as its stop needs it. */
export interface DrainableSession {
  readonly requests: { readonly running: number };
  readonly streams: { closeAll(): void };
  /** Answers what runs with an error. */
  cutCalls(): void;
  end(reason: SessionEnd): Promise<void>;
}

/**
 * How long a stream stays after its last answer. A client with more to ask does so as soon as it has the
 * answer, and learns from another node that it did not run; if its stream ended before that, it could not
 * know.
 */
const LINGER_MS = 250;

/**
 * What stops the mounts of one application: streams of sessions without a request are closed, those of
 * the others once their last request is answered. It is a gate of each mount, and learns by that how
 * calls end.
 */
export class Drain implements Stoppable, CallGate {
  /** Whether a session may be opened. */
  takesSessions = true;
  readonly #closeApp: () => Promise<void>;
  readonly #mounts = new Set<Drainable>();
  /** What ends the page of a mount. */
  readonly #pages = new Set<() => MaybePromise<void>>();
  #isReady = true;
  #isEnding = false;
  #isChecking = false;
  #onIdle: (() => void) | undefined;

  constructor(closeApp: () => Promise<void>) {
    this.#closeApp = closeApp;
  }

  /** What the readiness of the application is asked of. */
  readonly isReady = (): true | NotReady => this.#isReady || 'stopping';

  add(mount: Drainable): void {
    this.#mounts.add(mount);
  }

  addPage(end: () => MaybePromise<void>): void {
    this.#pages.add(end);
  }

  leave(): void {
    if (!this.#isEnding || this.#isChecking) return;
    this.#isChecking = true;
    setTimeout(() => {
      this.#isChecking = false;
      this.#endIdleStreams();
      if (this.callsInFlight() === 0) this.#onIdle?.();
    }, LINGER_MS);
  }

  setReady(isReady: false): void {
    this.#isReady = isReady;
  }

  refuseNewSessions(): void {
    this.takesSessions = false;
    for (const { sessions } of this.#mounts) sessions.leave();
  }

  endStreams(): void {
    this.#isEnding = true;
    for (const { stateless, handles } of this.#mounts) {
      stateless.endSubscriptions();
      handles.closeStreams();
    }
    this.#endIdleStreams();
  }

  callsInFlight(): number {
    let calls = 0;
    for (const mount of this.#mounts) {
      calls += mount.stats().callsInFlight + mount.handles.waiting;
    }
    return calls;
  }

  whenIdle(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal.aborted || this.callsInFlight() === 0) {
        resolve();
        return;
      }
      // Gates are not told of calls that other nodes answer.
      const looking = setInterval(() => {
        if (this.callsInFlight() === 0) this.#onIdle?.();
      }, LINGER_MS);
      this.#onIdle = () => {
        clearInterval(looking);
        resolve();
      };
      signal.addEventListener('abort', this.#onIdle, { once: true });
    });
  }

  cancelAll(): void {
    for (const { sessions, stateless, tasks, handles } of this.#mounts) {
      // What has waited for a session that is cut below must not begin here.
      sessions.takeNoMore();
      stateless.cancelAll();
      handles.close();
      // Closing the application waits for them.
      void tasks?.cancelAll();
    }
    for (const session of this.#sessions()) {
      if (session.requests.running === 0) continue;
      session.cutCalls();
      void session.end('shutting-down');
    }
  }

  async endPages(): Promise<void> {
    await Promise.all([...this.#pages].map(async (end) => end()));
  }

  closeApp(): Promise<void> {
    return this.#closeApp();
  }

  #endIdleStreams(): void {
    for (const { requests, streams } of this.#sessions()) {
      if (requests.running === 0) streams.closeAll();
    }
  }

  *#sessions(): Iterable<DrainableSession> {
    for (const { sessions } of this.#mounts) yield* sessions.all();
  }
}
