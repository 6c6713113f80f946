import { LongwireError } from '../errors.js';
import { checkOptionNames, checkPositive } from '../options/checks.js';

/** Options of `once`. */
export interface OnceOptions {
  /** Ends the waiting, with code `aborted`. */
  signal?: AbortSignal;
  /** How long to wait, in milliseconds; then the code is `timeout`. Default: as long as it takes. */
  timeoutMs?: number;
}

/** Promises of the next event, which are rejected when nothing can come any more. */
export class NextEvents {
  readonly #waiting = new Set<(error: LongwireError) => void>();

  /**
   * Waits for the next event; `listen` adds a listener, and returns what removes it.
   *
   * @throws LongwireError `aborted`, `timeout`, `closed`; TypeError for an option that is wrong.
   */
  async next<Payload>(
    event: string,
    listen: (listener: (payload: Payload) => void) => () => void,
    options: OnceOptions = {},
  ): Promise<Payload> {
    checkOnceOptions(options);
    const { signal, timeoutMs = Infinity } = options;
    if (signal?.aborted === true) throw aborted(event, signal);
    let stop = (): void => {};
    try {
      return await new Promise<Payload>((resolve, reject) => {
        const stopListening = listen(resolve);
        const onAbort = (): void => reject(aborted(event, signal));
        signal?.addEventListener('abort', onAbort, { once: true });
        const timer =
          timeoutMs === Infinity
            ? undefined
            : setTimeout(() => reject(noEvent(event, timeoutMs)), timeoutMs);
        this.#waiting.add(reject);
        stop = () => {
          stopListening();
          signal?.removeEventListener('abort', onAbort);
          clearTimeout(timer);
          this.#waiting.delete(reject);
        };
      });
    } finally {
      stop();
    }
  }

  /** Ends all waiting. */
  failAll(error: LongwireError): void {
    for (const fail of this.#waiting) fail(error);
  }
}

function aborted(event: string, signal: AbortSignal | undefined): LongwireError {
  return new LongwireError(`waiting for the event ${event} was aborted`, {
    code: 'aborted',
    certainty: 'not-sent',
    cause: signal?.reason,
  });
}

function noEvent(event: string, timeoutMs: number): LongwireError {
  return new LongwireError(`the event ${event} did not come within ${timeoutMs} ms`, {
    code: 'timeout',
    certainty: 'not-sent',
  });
}

function checkOnceOptions(options: OnceOptions): void {
  if (typeof options !== 'object' || options === null)
    throw new TypeError('options: not an object');
  checkOptionNames(options, ['signal', 'timeoutMs']);
  checkPositive('timeoutMs', options.timeoutMs);
  if (options.signal !== undefined && typeof options.signal?.addEventListener !== 'function') {
    throw new TypeError('signal: not an AbortSignal');
  }
}
