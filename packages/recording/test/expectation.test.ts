import { expect, it } from 'vitest';
import { expectationOf, verdictOf, type Ended, type Expectation } from '../src/index.ts';

const text = (...texts: string[]): Ended => ({
  outcome: 'result',
  result: { content: texts.map((one) => ({ type: 'text', text: one })) },
});
const structured = (structuredContent: unknown): Ended => ({
  outcome: 'result',
  result: { content: [], structuredContent },
});
const toolError: Ended = {
  outcome: 'tool-error',
  result: { isError: true, content: [{ type: 'text', text: 'no such file' }] },
};
const serverError: Ended = {
  outcome: 'error',
  error: { code: 'server-error', certainty: 'answered', message: 'Unknown tool: x' },
};
const lost: Ended = {
  outcome: 'error',
  error: { code: 'connection-lost', certainty: 'outcome-unknown', message: 'it was lost' },
};

const found = { items: [{ name: 'a', tags: ['x'] }], total: 1 };

it.each<[what: string, Expectation, Ended]>([
  ['no error', {}, text('hi')],
  ['an error of the tool', { error: true }, toolError],
  ['an error of the server', { error: true }, serverError],
  ['the text of an error', { error: true, contains: 'no such' }, toolError],
  ['the message of an error', { error: true, contains: 'Unknown tool' }, serverError],
  ['a text in any part', { contains: 'b\nc' }, text('a', 'b', 'c')],
  [
    'the text of a resource',
    { contains: 'inside' },
    {
      outcome: 'result',
      result: { content: [{ type: 'resource', resource: { text: 'inside' } }] },
    },
  ],
  ['members in another order', { equals: { total: 1, items: found.items } }, structured(found)],
  ['some members', { has: { items: [{ name: 'a' }] } }, structured(found)],
  ['text that is JSON', { equals: found }, text(JSON.stringify(found))],
  ['null', { equals: null }, text('null')],
  [
    'an integer of any size',
    { equals: { id: '9007199254740993' } },
    structured({ id: 9007199254740993n }),
  ],
])('holds: %s', (_what, expectation, ended) => {
  expect(verdictOf(expectation, ended)).toEqual({ outcome: 'held' });
});

it.each<[Expectation, Ended, string[]]>([
  [{}, toolError, ['it is an error: "no such file"']],
  [{}, serverError, ['it is an error: "Unknown tool: x"']],
  [{ error: true }, text('hi'), ['it is no error']],
  [{ contains: 'x' }, text('hi'), ['its text is "hi", without "x"']],
  [{ error: true, contains: 'x' }, text('hi'), ['it is no error', 'its text is "hi", without "x"']],
  [{ equals: 1 }, text('one'), ['it has no structured result']],
  [{ equals: null }, structured(0), ['it is 0, expected null']],
  [{ equals: [] }, structured({}), ['it is {}, expected []']],
  [
    { equals: { items: [{ name: 'b' }, {}], total: 1, next: null } },
    structured(found),
    [
      'items[0].name is "a", expected "b"',
      'items[0].tags is ["x"], and is not expected',
      'items[1] is missing, expected {}',
      'next is missing, expected null',
    ],
  ],
  [
    { has: { items: [], other: 'x'.repeat(100) } },
    structured(found),
    [
      'items[0] is {"name":"a","tags":["x"]}, and is not expected',
      `other is missing, expected "${'x'.repeat(78)}…`,
    ],
  ],
  [{ has: { constructor: 1 } }, structured({}), ['constructor is missing, expected 1']],
])('does not hold: %j of %j', (expectation, ended, differences) => {
  expect(verdictOf(expectation, ended)).toEqual({ outcome: 'not-held', differences });
});

it('says no more than 20 differences', () => {
  const verdict = verdictOf({ equals: Array.from({ length: 50 }, () => 1) }, structured([]));
  const differences = verdict.outcome === 'not-held' ? verdict.differences : [];
  expect([differences.length, differences.at(-1)]).toEqual([20, 'and more']);
});

it('has no verdict on what was not answered, or is known only in part', () => {
  const cut: Ended = { outcome: 'result', result: { cut: '{"content":', bytes: 9e6 } };
  const reason = 'only the beginning of the result is known';
  expect(verdictOf({ error: true }, lost)).toEqual({ outcome: 'failed', reason: 'it was lost' });
  expect(verdictOf({ contains: 'a' }, cut)).toEqual({ outcome: 'failed', reason });
  expect(verdictOf({ equals: null }, cut)).toEqual({ outcome: 'failed', reason });
  expect(verdictOf({}, cut)).toEqual({ outcome: 'held' });
});

it('expects of a result what it has', () => {
  expect(expectationOf({ content: [], structuredContent: { a: 1 } })).toEqual({ equals: { a: 1 } });
  expect(expectationOf(text('a', 'b').result)).toEqual({ contains: 'a\nb' });
  expect(expectationOf({ content: [{ type: 'image', data: '' }] })).toEqual({});
  expect(expectationOf(undefined)).toEqual({});
});
