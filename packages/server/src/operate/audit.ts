import type { FastifyBaseLogger } from 'fastify';
import { hash } from 'node:crypto';
import type { Call, CallGate, CallOutcome } from '../calls/call.js';
import type { CallRecord } from './call-record.js';
import { sessionDigest } from './log.js';
import type { AuditOptions } from './options.js';

/** The gate that writes down every call, once it has ended. */
export function auditGate({ methods = 'tools', write }: AuditOptions): CallGate {
  return {
    leave(call, outcome) {
      if (methods === 'tools' && call.method !== 'tools/call') return;
      if (write !== undefined) write(recordOf(call, outcome));
      else if (isLogged(call.log)) call.log.info(recordOf(call, outcome), 'call');
    },
  };
}

/**
 * A record costs the digest of the arguments, so it is not made for nobody. The log of a Fastify without
 * a logger has one function for all levels.
 */
function isLogged(
  log: FastifyBaseLogger & { isLevelEnabled?: (level: string) => boolean },
): boolean {
  return log.isLevelEnabled?.('info') ?? (log.level !== 'silent' && log.info !== log.trace);
}

function recordOf(call: Call, outcome: CallOutcome): CallRecord {
  const { id, method, target, params, principal, sessionId, transport } = call;
  const given = params?.['arguments'];
  return {
    event: 'call',
    principal: principal.id,
    method,
    ...(target !== undefined && { target: target.slice(0, MAX_TEXT) }),
    ...(given !== undefined && {
      argumentsSha256: hash('sha256', JSON.stringify(given), 'hex'),
    }),
    ...outcomeOf(outcome),
    durationMs: Math.round((performance.now() - call.receivedAt) * 1000) / 1000,
    ...(sessionId !== undefined && { session: sessionDigest(sessionId) }),
    requestId: typeof id === 'string' ? id.slice(0, MAX_TEXT) : id,
    transport,
  };
}

/** A client chooses these: a line of the log has an end. */
const MAX_TEXT = 256;

function outcomeOf(outcome: CallOutcome): Pick<CallRecord, 'outcome' | 'code' | 'status'> {
  switch (outcome.kind) {
    case 'result':
      return { outcome: outcome.result['isError'] === true ? 'tool_error' : 'ok' };
    case 'error':
      return { outcome: 'error', code: outcome.error.code };
    case 'refused':
      return { outcome: 'refused', code: outcome.refusal.code, status: outcome.refusal.status };
    case 'cancelled':
      return { outcome: 'cancelled' };
  }
}
