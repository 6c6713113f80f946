import { INTERNAL_ERROR } from '@modelcontextprotocol/server';
import type { MaybePromise } from '../principal.js';
import type { Refusal } from '../refusal.js';
import type { Call, CallGate, CallOutcome } from './call.js';

const GATE_FAILED: Refusal = {
  status: 500,
  code: INTERNAL_ERROR,
  message: 'The server failed before it could run this: its log says why',
};

/** What becomes of a call that the gates were asked about. */
interface Ways {
  readonly deliver: () => void;
  readonly refuse: (refusal: Refusal) => void;
}

/** A call that knows whether the gates were told of its end. */
interface EndingCall extends Call {
  isOver?: boolean;
}

type Asked = (call: Call) => MaybePromise<Refusal | undefined>;

/** All gates of a mount, as one. */
export class CallGates {
  readonly #admit: readonly Asked[];
  readonly #hold: readonly Asked[];
  readonly #around: readonly NonNullable<CallGate['around']>[];
  readonly #leave: readonly NonNullable<CallGate['leave']>[];

  constructor(gates: readonly CallGate[]) {
    this.#admit = gates.flatMap((gate) => gate.admit?.bind(gate) ?? []);
    this.#hold = gates.flatMap((gate) => gate.hold?.bind(gate) ?? []);
    this.#around = gates.flatMap((gate) => gate.around?.bind(gate) ?? []);
    this.#leave = gates.flatMap((gate) => gate.leave?.bind(gate) ?? []).reverse();
  }

  /** Whether a request may be accepted; the refusal is an HTTP answer. */
  admit(call: Call): MaybePromise<Refusal | undefined> {
    return ask(this.#admit, call, 0);
  }

  /** Hands an accepted call to the server, now or when the gates let it pass, or refuses it. */
  pass(call: Call, deliver: () => void, refuse: (refusal: Refusal) => void): void {
    const held = ask(this.#hold, call, 0);
    if (held === undefined) this.#tryDeliver(call, deliver, refuse);
    else if (held instanceof Promise) void this.#passLater(call, held, { deliver, refuse });
    else refuse(held);
  }

  /** Tells all gates how a call ended; only the first time. */
  leave(call: EndingCall, outcome: CallOutcome): void {
    if (call.isOver === true) return;
    call.isOver = true;
    for (const leave of this.#leave) {
      try {
        leave(call, outcome);
      } catch (error) {
        call.log.error(error, 'a gate failed after a call');
      }
    }
  }

  async #passLater(
    call: Call,
    held: Promise<Refusal | undefined>,
    { deliver, refuse }: Ways,
  ): Promise<void> {
    const refusal = await held;
    if (refusal === undefined) this.#tryDeliver(call, deliver, refuse);
    else refuse(refusal);
  }

  #tryDeliver(call: Call, deliver: () => void, refuse: (refusal: Refusal) => void): void {
    try {
      this.#deliver(call, { deliver, refuse }, 0);
    } catch (error) {
      refuse(failed(call, error));
    }
  }

  #deliver(call: Call, ways: Ways, from: number): void {
    const around = this.#around[from];
    if (around === undefined) ways.deliver();
    else around(call, () => this.#deliver(call, ways, from + 1), ways.refuse);
  }
}

/** Asks one after the other, without a promise where none of them needs one. */
function ask(gates: readonly Asked[], call: Call, from: number): MaybePromise<Refusal | undefined> {
  try {
    for (let at = from; at < gates.length; at++) {
      const answer = gates[at]?.(call);
      if (answer instanceof Promise) return askLater(gates, call, { answer, next: at + 1 });
      if (answer !== undefined) return answer;
    }
    return undefined;
  } catch (error) {
    return failed(call, error);
  }
}

async function askLater(
  gates: readonly Asked[],
  call: Call,
  { answer, next }: { answer: Promise<Refusal | undefined>; next: number },
): Promise<Refusal | undefined> {
  try {
    return (await answer) ?? (await ask(gates, call, next));
  } catch (error) {
    return failed(call, error);
  }
}

function failed(call: Call, error: unknown): Refusal {
  call.log.error(error, 'a gate failed');
  return GATE_FAILED;
}
