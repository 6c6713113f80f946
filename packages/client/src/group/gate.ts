import { Call, OPERATION_DEFAULTS, type CallSurroundings } from '../client/call.js';
import type { CallToolOptions } from '../client/types.js';
import { LongwireError } from '../errors.js';

/** How many may wait: a program that never waits for its calls shall not fill the memory. */
const MAX_WAITING = 10_000;

/** What a gate is made of. */
export interface GateOptions {
  limit: number;
  /** Whose it is, for messages. */
  of: string;
  surroundings: CallSurroundings;
}

const nothing = (): void => {};

interface Waiter {
  admit: () => void;
  refuse: (error: LongwireError) => void;
}

/** Lets so many in at a time, and the others in order. */
export class Gate {
  readonly #options: GateOptions;
  readonly #waiting = new Set<Waiter>();
  #inside = 0;

  constructor(options: GateOptions) {
    this.#options = options;
  }

  get inside(): number {
    return this.#inside;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  /** Goes in, if there is room and nobody waits. */
  tryEnter(): boolean {
    if (this.#inside >= this.#options.limit) return false;
    this.#inside += 1;
    return true;
  }

  /**
   * Waits for its turn within the limits of a call, and gives the options that are left of it.
   *
   * @throws LongwireError `timeout`, `deadline`, `aborted`, `closed`, `queue-full`; all `not-sent`.
   */
  async enter(what: string, options: CallToolOptions): Promise<CallToolOptions> {
    if (this.#waiting.size >= MAX_WAITING) throw queueFull(what);
    const startedAt = performance.now();
    const call = new Call(what, options, this.#options.surroundings);
    const waiter: Waiter = { admit: nothing, refuse: nothing };
    const turn = new Promise<void>((resolve, reject) => {
      waiter.admit = resolve;
      waiter.refuse = reject;
    });
    this.#waiting.add(waiter);
    try {
      await call.before(turn);
    } catch (error) {
      // Its turn may have come in the same moment.
      if (!this.#waiting.delete(waiter)) turn.then(() => this.leave()).catch(() => {});
      const { abandoned } = call;
      if (abandoned === undefined || abandoned.code === 'aborted') throw error;
      throw this.#waitedInVain(what, abandoned);
    } finally {
      call.done();
    }
    const { deadlineMs = OPERATION_DEFAULTS.deadlineMs } = options;
    return { ...options, deadlineMs: Math.max(1, deadlineMs - (performance.now() - startedAt)) };
  }

  /** Makes room for the next. */
  leave(): void {
    const [next] = this.#waiting;
    if (next === undefined) {
      this.#inside -= 1;
      return;
    }
    this.#waiting.delete(next);
    next.admit();
  }

  /** Sends away all that wait. */
  refuseAll(error: LongwireError): void {
    const all = [...this.#waiting];
    this.#waiting.clear();
    for (const { refuse } of all) refuse(error);
  }

  #waitedInVain(what: string, cause: LongwireError): LongwireError {
    const { of } = this.#options;
    return new LongwireError(
      `${what} waited in vain for its turn, behind ${this.#inside} calls of ${of}`,
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
