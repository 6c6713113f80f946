import pino from 'pino';
import type { FastifyBaseLogger } from 'fastify';
import type { Call, CallGate, CallOutcome } from '../../src/calls/call.ts';

const SILENT = pino({ enabled: false }) as FastifyBaseLogger;

/** A call as the pipeline makes them. */
export function callOf(part: Partial<Call> = {}): Call {
  return {
    id: 1,
    method: 'tools/call',
    target: 'echo',
    params: { name: 'echo', arguments: { message: 'x' } },
    principal: { id: 'ada' },
    transport: 'streamable-http',
    sessionId: SESSION,
    protocolVersion: '2025-11-25',
    headers: {},
    receivedAt: performance.now(),
    signal: new AbortController().signal,
    log: SILENT,
    progress: () => {},
    ...part,
  };
}

export const SESSION = 'a-secret-that-is-the-id-of-a-session';

export const OK: CallOutcome = { kind: 'result', result: { content: [] } };
export const TOOL_ERROR: CallOutcome = { kind: 'result', result: { content: [], isError: true } };
export const NO_SUCH_TOOL: CallOutcome = {
  kind: 'error',
  error: { code: -32_602, message: 'Tool nothing not found' },
};
export const FAULT: CallOutcome = {
  kind: 'error',
  error: { code: -32_603, message: 'broken' },
};
export const REFUSED: CallOutcome = {
  kind: 'refused',
  refusal: { status: 429, code: -32_000, message: 'Too many', reason: 'rate-limited' },
};
export const CANCELLED: CallOutcome = { kind: 'cancelled' };

/** What a server answers to `tools/list`. */
export function listed(...names: string[]): CallOutcome {
  return { kind: 'result', result: { tools: names.map((name) => ({ name })) } };
}

/** Takes a call through a gate, as the pipeline does. */
export function pass(
  gate: CallGate,
  call: Call,
  outcome: CallOutcome,
  deliver = (): void => {},
): void {
  expectNothing(gate.admit?.(call));
  if (gate.around === undefined) deliver();
  else gate.around(call, deliver, () => {});
  gate.leave?.(call, outcome);
}

function expectNothing(refusal: unknown): void {
  if (refusal !== undefined) throw new Error('the gate refused');
}
