import type { SharedCallOptions } from '../client/call.js';
import type { CallToolOptions } from '../client/types.js';
import { waitInQueue } from '../client/wait-in-queue.js';
import { LongwireError } from '../errors.js';
import { WaitQueue } from '../wait-queue.js';

/** How many calls may wait: a program that never awaits its calls must not fill the memory. */
const MAX_WAITING = 10_000;

/** What a limit is made with. */
export interface InFlightLimitOptions {
  limit: number;
  /** The server it is for, for messages. */
  of: string;
  shared: SharedCallOptions;
}

/** Runs so many calls of a server at a time; the others wait in order. */
export class InFlightLimit {
  readonly #options: InFlightLimitOptions;
  readonly #queue = new WaitQueue<true, string>();
  #inFlight = 0;

  constructor(options: InFlightLimitOptions) {
    this.#options = options;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  get waiting(): number {
    return this.#queue.size;
  }

  /** Begins a call at once, if there is room and no other waits. */
  tryEnter(): boolean {
    if (this.#inFlight >= this.#options.limit) return false;
    this.#inFlight += 1;
    return true;
  }

  /**
   * Waits for room within the limits of a call, and gives the options that are left of it.
   *
   * @throws LongwireError `timeout`, `deadline`, `aborted`, `closed`, `queue-full`; all `not-sent`.
   */
  async enter(what: string, options: CallToolOptions): Promise<CallToolOptions> {
    if (this.#queue.size >= MAX_WAITING) throw queueFull(what);
    return waitInQueue({
      queue: this.#queue,
      waiter: this.#queue.enter(what),
      what,
      options,
      shared: this.#options.shared,
      onLeft: () => this.leave(),
      timedOut: (cause) => this.#timedOut(what, cause),
    });
  }

  /** A call has ended: the next one begins. */
  leave(): void {
    const next = this.#queue.shift();
    if (next === undefined) this.#inFlight -= 1;
    else next.give(true);
  }

  /** Fails all calls that wait, each with an error that says which it was. */
  failAll(errorOf: (what: string) => LongwireError): void {
    this.#queue.failAll(errorOf);
  }

  #timedOut(what: string, cause: LongwireError): LongwireError {
    const { of } = this.#options;
    return new LongwireError(
      `${what} timed out in the queue, behind ${this.#inFlight} calls of ${of}`,
      {
        code: cause.code,
        certainty: 'not-sent',
        hint: 'raise maxInFlight, or give it more time',
        cause,
      },
    );
  }
}

function queueFull(what: string): LongwireError {
  return new LongwireError(`${what} was not made: ${MAX_WAITING} calls wait already`, {
    code: 'queue-full',
    certainty: 'not-sent',
    hint: 'wait for some of them, or raise maxInFlight',
  });
}
