import type { Progress, RequestId } from '@modelcontextprotocol/client';
import type { CallMark } from '../connection/call-mark.js';
import type { Connection } from '../connection/connection.js';
import { LongwireError, type Certainty, type ErrorCode } from '../errors.js';
import type { OperationOptions } from './types.js';

/** Durations of an operation in milliseconds, where its options name none. */
export const OPERATION_DEFAULTS: { timeoutMs: number; deadlineMs: number } = {
  timeoutMs: 60_000,
  deadlineMs: 3_600_000,
};

/** A timer of more than this would fire at once. */
const MAX_TIMER_MS = 2_147_483_647;

/** What a call needs beside its options. */
export interface CallSetup {
  /** What is being done, for messages: `the call of echo`. */
  what: string;
  options: OperationOptions & { onProgress?: (progress: Progress) => void };
  /** Told of what `onProgress` throws. */
  onListenerError: (error: unknown) => void;
}

/**
 * One operation from its start to its end: its idle time, its hard cap and its signal. Whichever
 * comes first ends it, with what is certain at that moment. It is its own mark on the request.
 */
export class Call implements CallMark {
  certainty: Certainty = 'not-sent';
  id?: RequestId;
  answer?: 'result' | 'error';
  abandoned?: LongwireError;

  readonly #setup: CallSetup;
  readonly #timeoutMs: number;
  readonly #deadlineAt: number;
  readonly #onAbort: (() => void) | undefined;
  #connection: Connection | undefined;
  #onStopped: ((error: LongwireError) => void) | undefined;
  #idleSince: number;
  #timer: NodeJS.Timeout | undefined;

  constructor(setup: CallSetup) {
    this.#setup = setup;
    const { timeoutMs, deadlineMs, signal } = setup.options;
    this.#timeoutMs = timeoutMs ?? OPERATION_DEFAULTS.timeoutMs;
    this.#idleSince = performance.now();
    this.#deadlineAt = this.#idleSince + (deadlineMs ?? OPERATION_DEFAULTS.deadlineMs);
    this.#wait(this.#idleSince);
    if (signal === undefined) return;
    this.#onAbort = () => this.#stop('aborted', 'was aborted');
    signal.addEventListener('abort', this.#onAbort, { once: true });
    if (signal.aborted) this.#onAbort();
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
    clearTimeout(this.#timer);
    if (this.#onAbort !== undefined) {
      this.#setup.options.signal?.removeEventListener('abort', this.#onAbort);
    }
  }

  onProgress(progress: Progress): void {
    this.#idleSince = performance.now();
    try {
      this.#setup.options.onProgress?.(progress);
    } catch (error) {
      this.#setup.onListenerError(error);
    }
  }

  /** One timer for both limits; progress moves only a number. */
  #wait(now: number): void {
    const idleLeftMs = this.#idleSince + this.#timeoutMs - now;
    const capLeftMs = this.#deadlineAt - now;
    if (capLeftMs <= 0) {
      this.#stop('deadline', 'did not end by its deadline');
    } else if (idleLeftMs <= 0) {
      this.#stop('timeout', `gave no sign of life for ${this.#timeoutMs} ms`);
    } else {
      const ms = Math.ceil(Math.min(idleLeftMs, capLeftMs, MAX_TIMER_MS));
      this.#timer = setTimeout(() => this.#wait(performance.now()), ms);
    }
  }

  #stop(code: Extract<ErrorCode, 'aborted' | 'timeout' | 'deadline'>, how: string): void {
    const known =
      this.certainty === 'not-sent' ? 'it had not been sent' : 'whether it ran is not known';
    const error = new LongwireError(`${this.#setup.what} ${how}; ${known}`, {
      code,
      certainty: this.certainty,
      ...(code === 'aborted' && { cause: this.#setup.options.signal?.reason }),
    });
    this.abandoned = error;
    this.#connection?.cancel(this, error);
    this.#onStopped?.(error);
  }
}
