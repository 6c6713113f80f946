import type { ConnectionState } from '../connection/state.js';
import { dialDelayMs, isAway, type RetryPolicy } from '../connection/retry.js';
import { CERTAINTY_TEXT } from '../certainty-text.js';
import {
  ConnectError,
  ConnectionLostError,
  type Certainty,
  type LongwireError,
} from '../errors.js';

/** Since when and why a server is away. */
export interface Absence {
  /** Why: what failed last. */
  reason: LongwireError;
  /** Since when, in milliseconds since 1970. */
  since: number;
  /** When it is tried again, in milliseconds since 1970; `undefined`: it is being tried. */
  nextTryAt: number | undefined;
  /** It was there before. */
  known: boolean;
}

/** A call that may wait for a server. */
export interface AwaitingCall {
  /** The server is away; `isLost`: its connection was lost just now, and it was not tried again yet. */
  meets(absence: Absence, isLost: boolean): void;
  /** The server is there again. */
  returned(): void;
}

/** What {@link Away} is made with. */
export interface AwayOptions<Call> {
  retry: RetryPolicy;
  /** The calls that are under way. */
  calls: () => readonly Call[];
  /** Whether one of them waits for the connection: it has not settled there. */
  isWaiting: (call: Call) => boolean;
}

/** Knows whether the server of a connection is away, and tells the calls that wait for it. */
export class Away<Call extends AwaitingCall> {
  readonly #retry: RetryPolicy;
  readonly #isWaiting: (call: Call) => boolean;
  readonly #calls: () => readonly Call[];
  #absence: Absence | undefined;
  #wasReady = false;
  /** First dials that failed, one after the other. */
  #failedDials = 0;

  constructor({ retry, calls, isWaiting }: AwayOptions<Call>) {
    this.#retry = retry;
    this.#calls = calls;
    this.#isWaiting = isWaiting;
  }

  /** Why and since when, while it is. */
  get absence(): Absence | undefined {
    return this.#absence;
  }

  /** A call begins; it is told at once if the server is away. */
  enter(call: Call): void {
    if (this.#absence !== undefined) call.meets(this.#absence, false);
  }

  /** The connection is in another state. */
  entered(state: ConnectionState): void {
    const { name } = state;
    const wasReady = this.#wasReady;
    this.#wasReady = name === 'ready';
    if (name === 'ready') this.returned();
    else if (name === 'connecting' && this.#absence !== undefined) {
      this.#absence = { ...this.#absence, nextTryAt: undefined };
    } else if (name === 'reconnecting') {
      this.#failed(state.reason, Date.now() + state.nextDelayMs, state.known);
      const absence = this.#absence;
      if (absence === undefined) return;
      for (const call of this.#calls()) {
        if (this.#isWaiting(call)) call.meets(absence, wasReady);
      }
    } else if (name === 'resting') {
      this.#failed(state.reason, Date.now(), state.known);
    }
  }

  /** A client could not connect at all: whoever dials then makes a new connection. */
  dialFailed(reason: LongwireError): void {
    const delayMs = dialDelayMs(this.#retry, ++this.#failedDials);
    this.#failed(reason, Date.now() + delayMs, this.#absence?.known === true);
  }

  /** The server is there, or nobody wants to know any more. */
  returned(): void {
    if (this.#absence !== undefined) for (const call of this.#calls()) call.returned();
    this.#absence = undefined;
    this.#failedDials = 0;
  }

  /** A server that refuses is not away. */
  #failed(reason: LongwireError, nextTryAt: number, known: boolean): void {
    const since = this.#absence?.since ?? Date.now();
    this.#absence = isAway(reason) ? { reason, since, nextTryAt, known } : undefined;
  }
}

/** What a call fails with that is not to wait for its server. */
export function awayError(
  { what, server, certainty }: { what: string; server: string; certainty: Certainty },
  { reason, since, nextTryAt, known }: Absence,
): LongwireError {
  const ageMs = Date.now() - since;
  const age = ageMs < 1000 ? '' : ` for ${Math.round(ageMs / 1000)} s`;
  const message =
    `${what} was given up: ${server} is away${age}, ${nextTryText(nextTryAt)}; ` +
    `${CERTAINTY_TEXT[certainty]}: ${reason.summary}`;
  const hint = "call again later, or wait for it with whenAway: 'wait' or { waitMs }";
  if (certainty !== 'not-sent' || known) {
    return new ConnectionLostError(message, { certainty, hint, cause: reason });
  }
  const tried = reason instanceof ConnectError ? reason.tried : [];
  return new ConnectError(message, { code: reason.code, hint, cause: reason, tried });
}

function nextTryText(nextTryAt: number | undefined): string {
  const ms = nextTryAt === undefined ? 0 : nextTryAt - Date.now();
  return ms <= 0 ? 'and is being tried' : `and is tried again in ${Math.ceil(ms / 1000)} s`;
}
