import fastify, { type FastifyBaseLogger } from 'fastify';
import type { Call } from '../../src/calls/call.ts';

/** A log that nobody reads. */
export const SILENT: FastifyBaseLogger = fastify({ logger: false }).log;

/** A call, and what its client is told and does. */
export interface SampleCall extends Call {
  /** What the client was told. */
  readonly told: (readonly [progress: number, message: string])[];
  cancel(): void;
}

let lastId = 0;

/** A call of a tool, unless told otherwise. */
export function sampleCall(
  given: Partial<Omit<Call, 'principal'>> & { readonly principal?: string } = {},
): SampleCall {
  const ending = new AbortController();
  const told: (readonly [number, string])[] = [];
  const { principal = 'ada', ...rest } = given;
  return {
    id: ++lastId,
    method: 'tools/call',
    target: 'render',
    params: undefined,
    transport: 'sse',
    sessionId: 'session',
    protocolVersion: '2025-11-25',
    headers: {},
    receivedAt: performance.now(),
    signal: ending.signal,
    log: SILENT,
    progress: (progress, message) => told.push([progress, message]),
    ...rest,
    principal: { id: principal },
    told,
    cancel: () => ending.abort(),
  };
}
