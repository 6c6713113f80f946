import { expect, it } from 'vitest';
import { checksOf, parseChecks } from '../src/index.ts';
import { linesOf, type ShortLine } from './support/picture-of.ts';

it('reads a file of checks', () => {
  const check = {
    server: 'market',
    tool: 'search',
    arguments: { text: 'shoes' },
    expect: { contains: 'shoes', has: { total: 1 } },
  };
  expect(parseChecks({ checks: [check, { server: 's', tool: 't' }] })).toEqual([
    check,
    { server: 's', tool: 't' },
  ]);
});

it.each<[unknown, string]>([
  [[], 'the file is no object'],
  [{}, '"checks" is missing, or is no list'],
  [{ checks: [], more: 1 }, 'the file has a member "more"; there are checks'],
  [{ checks: [1] }, 'checks[0] is no object'],
  [{ checks: [{ tool: 't' }] }, 'checks[0].server is a text, and has to be there'],
  [{ checks: [{ server: 's', tool: '' }] }, 'checks[0].tool is a text, and has to be there'],
  [{ checks: [{ server: 's', tool: 't', arguments: [] }] }, 'checks[0].arguments is no object'],
  [
    { checks: [{ server: 's', tool: 't', expect: { contain: 'x' } }] },
    'checks[0].expect has a member "contain"; there are error, contains, equals, has',
  ],
  [
    { checks: [{ server: 's', tool: 't', expect: { error: 'no' } }] },
    'checks[0].expect.error is true or false',
  ],
  [
    { checks: [{ server: 's', tool: 't', expect: { contains: 1 } }] },
    'checks[0].expect.contains is a text',
  ],
])('refuses %j: %s', (value, message) => {
  expect(() => parseChecks(value)).toThrow(message);
});

it('makes checks of a recording', () => {
  let number = 0;
  const call = (args: unknown, end: object, name = 'search'): ShortLine[] => {
    const call = ++number;
    return [
      { type: 'call', call, method: 'tools/call', name, arguments: args },
      { type: 'end', call, durationMs: 1, outcome: 'result', ...end },
    ];
  };
  const result = (text: string): object => ({ result: { content: [{ type: 'text', text }] } });
  const error = (certainty: 'answered' | 'outcome-unknown'): object => ({
    outcome: 'error',
    error: { code: 'server-error', certainty, message: 'no' },
  });
  const lines = linesOf([
    ...call({ a: 1 }, result('before')),
    ...call({ a: 1 }, result('after')),
    ...call({ b: 1 }, { result: { content: [], structuredContent: [1] } }),
    ...call({ c: 1 }, { outcome: 'tool-error', result: { isError: true, content: [] } }),
    ...call({ d: 1 }, error('answered')),
    ...call({ e: 1 }, error('outcome-unknown')),
    ...call({ f: 1 }, { result: { cut: '{', bytes: 2e6 } }),
    ...call({ token: '***' }, result('x')),
    { type: 'call', call: 100, method: 'tools/call', name: 'slow' },
    { type: 'call', call: 101, method: 'tools/list' },
    { type: 'end', call: 101, durationMs: 1, outcome: 'result', result: {} },
  ]);
  const of = { server: 'market', tool: 'search' };
  expect(checksOf(lines)).toEqual({
    checks: [
      { ...of, arguments: { a: 1 }, expect: { contains: 'after' } },
      { ...of, arguments: { b: 1 }, expect: { equals: [1] } },
      { ...of, arguments: { c: 1 }, expect: { error: true } },
      { ...of, arguments: { d: 1 }, expect: { error: true } },
    ],
    leftOut: 4,
  });
});
