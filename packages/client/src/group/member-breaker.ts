import type { CallToolResult } from '@modelcontextprotocol/client';
import { callObserver } from '../client/call.js';
import { GivenCall } from '../client/given-call.js';
import type { CallToolOptions } from '../client/types.js';
import type { LongwireError } from '../errors.js';
import { BreakerGate, type BreakerGateOptions } from '../health/breaker-gate.js';
import type { BreakerStatus } from '../health/breaker.js';

/** The circuit breaker of one server of a group. */
export class MemberBreaker {
  readonly #gate: BreakerGate;
  /** Calls that the server's client has now. */
  readonly #given = new Set<GivenCall>();

  /** `onOpen` is called when it opens, for the calls in the queue; it fails all others that are not sent. */
  constructor(options: BreakerGateOptions) {
    this.#gate = new BreakerGate({
      ...options,
      onOpen: (errorOf) => {
        options.onOpen(errorOf);
        for (const call of this.#given) call.refuse(errorOf(call.what));
      },
    });
  }

  get status(): BreakerStatus {
    return this.#gate.status;
  }

  /**
   * Whether a call may wait for its turn.
   *
   * @throws ConnectionLostError, certainly not sent.
   */
  check(what: string): void {
    this.#gate.check(what);
  }

  /** The connection was lost, or a dial failed. */
  lost(reason: LongwireError): void {
    this.#gate.lost(reason);
  }

  /**
   * Does what a call needs before it, if the server may be asked. `limits` are those of the call.
   *
   * @throws ConnectionLostError, certainly not sent, where it may not.
   */
  ask<T>(what: string, limits: CallToolOptions, make: () => Promise<T>): Promise<T> {
    return this.#gate.run(what, limits, make);
  }

  /**
   * Makes a call, if it may be made. `make` is given the options by which it can be ended while it is
   * not sent; `given` are those of the program, whose limits are its own.
   *
   * @throws ConnectionLostError, certainly not sent, where the call is not made.
   */
  run(
    what: string,
    { given, passed }: { given: CallToolOptions; passed: CallToolOptions },
    make: (options: CallToolOptions) => Promise<CallToolResult>,
  ): Promise<CallToolResult> {
    return this.#gate.run(what, given, async () => {
      const call = new GivenCall(what);
      this.#given.add(call);
      try {
        return await make({ ...passed, [callObserver]: call } as CallToolOptions);
      } finally {
        this.#given.delete(call);
      }
    });
  }
}
