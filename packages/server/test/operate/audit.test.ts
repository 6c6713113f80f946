import fastify, { type FastifyBaseLogger } from 'fastify';
import { createHash } from 'node:crypto';
import pino from 'pino';
import { expect, it } from 'vitest';
import { auditGate } from '../../src/operate/audit.ts';
import type { CallRecord } from '../../src/operate/call-record.ts';
import { sessionDigest } from '../../src/operate/log.ts';
import {
  CANCELLED,
  NO_SUCH_TOOL,
  OK,
  REFUSED,
  SESSION,
  TOOL_ERROR,
  callOf,
  pass,
} from './calls.ts';

function logTo(lines: string[], level = 'info'): FastifyBaseLogger {
  return pino({ level }, { write: (line: string) => void lines.push(line) }) as FastifyBaseLogger;
}

it('writes one line a call, with a digest in place of what is secret', () => {
  const lines: string[] = [];
  const given = { password: 'hunter2' };
  const call = callOf({
    id: 'seven',
    params: { name: 'echo', arguments: given },
    log: logTo(lines),
  });
  pass(auditGate({}), call, OK);
  expect(lines).toHaveLength(1);
  expect(JSON.parse(lines[0]!)).toMatchObject({
    level: 30,
    event: 'call',
    principal: 'ada',
    method: 'tools/call',
    target: 'echo',
    argumentsSha256: createHash('sha256').update(JSON.stringify(given)).digest('hex'),
    outcome: 'ok',
    durationMs: expect.any(Number),
    session: sessionDigest(SESSION),
    requestId: 'seven',
    transport: 'streamable-http',
  });
  expect(lines[0]).not.toContain('hunter2');
  expect(lines[0]).not.toContain(SESSION);
});

it.each([
  [OK, { outcome: 'ok' }],
  [TOOL_ERROR, { outcome: 'tool_error' }],
  [NO_SUCH_TOOL, { outcome: 'error', code: -32_602 }],
  [REFUSED, { outcome: 'refused', code: -32_000, status: 429 }],
  [CANCELLED, { outcome: 'cancelled' }],
])('%o is written as %o', (outcome, written) => {
  const records: CallRecord[] = [];
  pass(auditGate({ write: (record) => records.push(record) }), callOf(), outcome);
  const { outcome: kind, code, status } = records[0]!;
  expect({ outcome: kind, code, status }).toEqual({
    code: undefined,
    status: undefined,
    ...written,
  });
});

it('takes calls of tools, or every request', () => {
  const list = callOf({ method: 'tools/list', target: undefined, params: undefined });
  const written = (methods: 'tools' | 'all'): string[] => {
    const records: CallRecord[] = [];
    const gate = auditGate({ methods, write: (record) => records.push(record) });
    pass(gate, list, OK);
    pass(gate, callOf(), OK);
    return records.map(({ method }) => method);
  };
  expect(written('tools')).toEqual(['tools/call']);
  expect(written('all')).toEqual(['tools/list', 'tools/call']);
});

it('a line has an end, and none is made for a log that would drop it', () => {
  const lines: string[] = [];
  const long = 'x'.repeat(100_000);
  pass(auditGate({}), callOf({ id: long, target: long, log: logTo(lines) }), OK);
  expect(lines[0]!.length).toBeLessThan(2_000);
  const params = {
    name: 'echo',
    get arguments(): never {
      throw new Error('the arguments were read');
    },
  };
  for (const log of [logTo(lines, 'warn'), fastify({ logger: false }).log]) {
    pass(auditGate({}), callOf({ params: params as never, log }), OK);
  }
  expect(lines).toHaveLength(1);
});
