import type { Progress } from '@modelcontextprotocol/client';
import type { CallMark } from '../connection/call-mark.js';
import type { Connection } from '../connection/connection.js';
import { LongwireError, type ErrorCode } from '../errors.js';
import type { OperationOptions } from './types.js';

/** Durations of an operation in milliseconds, where its options name none. */
export const OPERATION_DEFAULTS: { timeoutMs: number; deadlineMs: number } = {
  timeoutMs: 60_000,
  deadlineMs: 3_600_000,
};

/** What a call needs beside its options. */
export interface CallSetup extends OperationOptions {
  /** What is being done, for messages: `the call of echo`. */
  what: string;
  onProgress?: ((progress: Progress) => void) | undefined;
  /** Told of what `onProgress` throws. */
  onListenerError: (error: unknown) => void;
}

/**
 * One operation from its start to its end: its idle time, its hard cap and its signal. Whichever
 * comes first ends it, with what is certain at that moment.
 */
export class Call {
  readonly mark: CallMark;
  /** Rejected when the call ends early. */
  readonly ended: Promise<never>;
  readonly #setup: CallSetup;
  readonly #timeoutMs: number;
  readonly #deadlineAt: number;
  readonly #onAbort: (() => void) | undefined;
  #connection: Connection | undefined;
  #idleSince: number;
  #timer: NodeJS.Timeout | undefined;
  #end!: (error: LongwireError) => void;

  constructor(setup: CallSetup) {
    this.#setup = setup;
    this.#timeoutMs = setup.timeoutMs ?? OPERATION_DEFAULTS.timeoutMs;
    this.#idleSince = performance.now();
    this.#deadlineAt = this.#idleSince + (setup.deadlineMs ?? OPERATION_DEFAULTS.deadlineMs);
    this.mark = { certainty: 'not-sent', onProgress: (progress) => this.#progressed(progress) };
    this.ended = new Promise((_resolve, reject) => (this.#end = reject));
    this.ended.catch(() => {});
    const { signal } = setup;
    if (signal !== undefined) {
      this.#onAbort = () => this.#stop('aborted', 'was aborted');
      signal.addEventListener('abort', this.#onAbort, { once: true });
      if (signal.aborted) this.#onAbort();
    }
    this.#wait();
  }

  /** From here on, ending early means to settle the request on this connection. */
  sendOn(connection: Connection): void {
    this.#connection = connection;
  }

  /** The call has settled. */
  done(): void {
    clearTimeout(this.#timer);
    if (this.#onAbort !== undefined) {
      this.#setup.signal?.removeEventListener('abort', this.#onAbort);
    }
  }

  #progressed(progress: Progress): void {
    this.#idleSince = performance.now();
    try {
      this.#setup.onProgress?.(progress);
    } catch (error) {
      this.#setup.onListenerError(error);
    }
  }

  /** One timer for both limits; progress moves only a number. */
  #wait(): void {
    const now = performance.now();
    const idleLeftMs = this.#idleSince + this.#timeoutMs - now;
    const capLeftMs = this.#deadlineAt - now;
    if (capLeftMs <= 0) this.#stop('deadline', 'did not end by its deadline');
    else if (idleLeftMs <= 0) {
      this.#stop('timeout', `gave no sign of life for ${this.#timeoutMs} ms`);
    } else {
      // A timer of more than 2^31-1 ms would fire at once.
      const ms = Math.min(idleLeftMs, capLeftMs, 2_147_483_647);
      this.#timer = setTimeout(() => this.#wait(), Math.ceil(ms));
    }
  }

  #stop(code: Extract<ErrorCode, 'aborted' | 'timeout' | 'deadline'>, how: string): void {
    const { certainty } = this.mark;
    const known = certainty === 'not-sent' ? 'it had not been sent' : 'whether it ran is not known';
    const error = new LongwireError(`${this.#setup.what} ${how}; ${known}`, {
      code,
      certainty,
      ...(code === 'aborted' && { cause: this.#setup.signal?.reason }),
    });
    this.mark.abandoned = error;
    this.#connection?.cancel(this.mark, error);
    this.#end(error);
  }
}
