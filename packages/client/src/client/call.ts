import { AsyncResource } from 'node:async_hooks';
import { setMaxListeners } from 'node:events';
import type {
  JSONRPCErrorResponse,
  JSONRPCResponse,
  Progress,
  RequestId,
  Result,
} from '@modelcontextprotocol/client';
import { checkHeaders } from '../channels/headers.js';
import type { CallMark } from '../connection/call-mark.js';
import type { Connection } from '../connection/connection.js';
import { KNOWN } from '../connection/failures.js';
import { LongwireError, type Certainty, type ErrorCode } from '../errors.js';
import type { CallClock, Timed } from './call-clock.js';
import type { Idle } from './idle.js';
import type { CallToolOptions } from './types.js';

/** Durations of an operation in milliseconds, where its options name none. */
export const OPERATION_DEFAULTS: { timeoutMs: number; deadlineMs: number } = {
  timeoutMs: 60_000,
  deadlineMs: 3_600_000,
};

/** What a pool and the connection that it chose know of one call. */
export interface Ticket {
  /** When the program made the call, on the clock of `performance.now()`: its time runs from then. */
  readonly madeAt: number;
  /** The call, once it was given to a connection. */
  call?: Call | undefined;
  /** Told that the call could not be sent for this reason, and will be later. */
  onPutOff?: ((error: LongwireError) => void) | undefined;
}

/** Under this key a pool puts its ticket into the options of an operation. */
export const ticketKey: unique symbol = Symbol('longwire.ticket');

/** What the calls of one client share. */
export interface CallSurroundings {
  clock: CallClock;
  /** Told when a call begins and ends, if that matters. */
  idle?: Idle | undefined;
  /** Told of what a call's `onProgress` throws. */
  onListenerError: (error: unknown) => void;
}

/**
 * One operation from its start to its end: its idle time, its hard cap and its signal. Whichever
 * comes first ends it, with what is certain at that moment. It is its own mark on the request.
 */
export class Call implements CallMark, Timed {
  certainty: Certainty = 'not-sent';
  id: number = -1;
  serverError?: JSONRPCErrorResponse['error'];
  result?: Result;
  abandoned?: LongwireError;
  /** When it began, on the clock of `performance.now()`. */
  readonly startedAt: number;
  dueAt: number;
  headers: Readonly<Record<string, string>> | undefined;
  idempotent: boolean | undefined;
  prior?: JSONRPCResponse | undefined;
  programId?: RequestId;
  scope?: AsyncResource | undefined;

  readonly #what: string;
  readonly #options: CallToolOptions & { [ticketKey]?: Ticket };
  readonly #surroundings: CallSurroundings;
  readonly #timeoutMs: number;
  readonly #deadlineAt: number;
  readonly #onAbort: (() => void) | undefined;
  /** Where progress is told: it comes of a socket's event, in the context of anybody. */
  readonly #progressScope: AsyncResource | undefined;
  #connection: Connection | undefined;
  #onStopped: ((error: LongwireError) => void) | undefined;

  /** `what` is being done, for messages: `the call of echo`. */
  constructor(
    what: string,
    options: CallToolOptions & { [ticketKey]?: Ticket },
    surroundings: CallSurroundings,
  ) {
    this.#what = what;
    this.idempotent = options.idempotent;
    this.headers = options.headers && checkHeaders(options.headers);
    this.#options = options;
    this.#surroundings = surroundings;
    const ticket = options[ticketKey];
    if (ticket !== undefined) ticket.call = this;
    const now = ticket?.madeAt ?? performance.now();
    this.startedAt = now;
    this.#timeoutMs = options.timeoutMs ?? OPERATION_DEFAULTS.timeoutMs;
    this.#deadlineAt = now + (options.deadlineMs ?? OPERATION_DEFAULTS.deadlineMs);
    this.dueAt = Math.min(now + this.#timeoutMs, this.#deadlineAt);
    surroundings.clock.add(this);
    surroundings.idle?.begin();
    const { signal, onProgress } = options;
    if (onProgress !== undefined) this.#progressScope = new AsyncResource('longwire.progress');
    if (signal !== undefined) {
      this.#onAbort = () => this.#stop('aborted', 'was aborted');
      // One signal may well stand for many calls.
      setMaxListeners(0, signal);
      signal.addEventListener('abort', this.#onAbort, { once: true });
      if (signal.aborted) this.#onAbort();
    }
  }

  /** What comes before the request can be sent: rejected if the call ends earlier. */
  async before<T>(preparation: Promise<T>): Promise<T> {
    const stopped = new Promise<never>((_resolve, reject) => {
      if (this.abandoned === undefined) this.#onStopped = reject;
      else reject(this.abandoned);
    });
    return Promise.race([preparation, stopped]);
  }

  /** From here on, ending early means to settle the request on this connection. */
  sendOn(connection: Connection): void {
    this.#connection = connection;
  }

  /** The call has settled. */
  done(): void {
    this.#surroundings.clock.delete(this);
    this.#surroundings.idle?.end();
    if (this.#onAbort !== undefined) {
      this.#options.signal?.removeEventListener('abort', this.#onAbort);
    }
  }

  /** Ends the call, if the server certainly has not run it, so that another may; true if it has ended. */
  withdraw(): boolean {
    const hasNotRun = this.certainty === 'not-sent' || this.certainty === 'refused';
    const isFree = hasNotRun && this.abandoned === undefined;
    if (isFree) this.#stop('aborted', 'was withdrawn');
    return isFree;
  }

  /** A sign of life: the idle time starts anew. */
  onProgress(progress: Progress): void {
    this.dueAt = Math.min(performance.now() + this.#timeoutMs, this.#deadlineAt);
    try {
      this.#progressScope?.runInAsyncScope(() => this.#options.onProgress?.(progress));
    } catch (error) {
      this.#surroundings.onListenerError(error);
    }
  }

  onPutOff(error: LongwireError): void {
    this.#options[ticketKey]?.onPutOff?.(error);
  }

  expire(): void {
    if (this.dueAt >= this.#deadlineAt) this.#stop('deadline', 'did not end by its deadline');
    else this.#stop('timeout', `gave no sign of life for ${this.#timeoutMs} ms`);
  }

  #stop(code: Extract<ErrorCode, 'aborted' | 'timeout' | 'deadline'>, how: string): void {
    const { certainty } = this;
    const obstacle = this.#connection === undefined ? undefined : obstacleOf(this.#connection);
    const why = obstacle === undefined ? '' : `: ${obstacle.summary}`;
    const error = new LongwireError(`${this.#what} ${how}; ${KNOWN[certainty]}${why}`, {
      code,
      certainty,
      ...(code === 'aborted' && { cause: this.#options.signal?.reason }),
      ...(code !== 'aborted' && obstacle !== undefined && { cause: obstacle }),
    });
    this.abandoned = error;
    this.#connection?.cancel(this, error);
    this.#onStopped?.(error);
  }
}

/** Why a connection has no session now, while it tries to get one. */
function obstacleOf({ state }: Connection): LongwireError | undefined {
  return 'reason' in state ? state.reason : undefined;
}
