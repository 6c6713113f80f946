import fc from 'fast-check';
import type { RecordedLine } from '../../src/index.ts';

const text = fc.string({ maxLength: 8 });
const at = fc.double({ min: 0, max: 2e12, noNaN: true, noDefaultInfinity: true });
const few = fc.integer({ min: 0, max: 5 });
const json = fc.jsonValue({ maxDepth: 2 });
const error = fc.record(
  {
    code: text,
    certainty: fc.constantFrom('not-sent', 'refused', 'answered', 'outcome-unknown'),
    number: fc.integer(),
    message: text,
  },
  { requiredKeys: ['code', 'message'] },
);
const stamp = { at, server: fc.constantFrom('market', 'files', '__proto__', '') };
const required = ['type', 'at', 'server'] as const;

/** A line with all members of its type that are required, and some of the others. */
function line(type: RecordedLine['type'], own: object, requiredOwn: string[]) {
  const members = { type: fc.constant(type), ...stamp, ...own };
  const requiredKeys = [...required, ...requiredOwn] as (keyof typeof members)[];
  return fc.record(members, { requiredKeys });
}

/** Any line, of few servers and few calls, so that lines have to do with each other. */
export const anyLine = fc.oneof(
  line('server', { target: text, protocolVersion: text, removed: fc.boolean() }, []),
  line(
    'state',
    {
      state: fc.constantFrom('idle', 'connecting', 'ready', 'reconnecting', 'resting', 'closed'),
      attempt: few,
      connectMs: at,
      reason: error,
    },
    ['state'],
  ),
  line(
    'call',
    {
      call: few,
      method: fc.constantFrom('tools/call', 'prompts/get', 'resources/subscribe'),
      name: text,
      arguments: json,
      by: fc.oneof(fc.record({ call: few }), fc.record({ who: text })),
    },
    ['call', 'method'],
  ),
  line('attempt', { call: few, attempt: few, id: fc.oneof(few, text) }, ['call', 'attempt']),
  line('progress', { call: few, progress: at, total: at, message: text }, ['call', 'progress']),
  line(
    'end',
    {
      call: few,
      outcome: fc.constantFrom('result', 'tool-error', 'error'),
      durationMs: at,
      result: json,
      error,
    },
    ['call', 'outcome', 'durationMs'],
  ),
  line('notification', { method: text, params: json }, ['method']),
  line('error', { error }, ['error']),
  line(
    'catalogue',
    {
      kind: fc.constantFrom('tools', 'resources', 'templates', 'prompts'),
      items: fc.array(fc.dictionary(text, json), { maxLength: 3 }),
    },
    ['kind', 'items'],
  ),
  line(
    'health',
    {
      status: fc.constantFrom('healthy', 'degraded', 'down'),
      reason: text,
      latencyMs: at,
    },
    ['status'],
  ),
  line(
    'authorization',
    {
      status: fc.constantFrom(401, 403),
      durationMs: at,
      decision: fc.constantFrom('retry', 'fail'),
      error,
    },
    ['status', 'durationMs', 'decision'],
  ),
  fc.record({ type: fc.constant('gap'), at, count: few }),
) as unknown as fc.Arbitrary<RecordedLine>;
