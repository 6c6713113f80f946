import fc from 'fast-check';
import { expect, test } from 'vitest';
import { assignPrefixes, assignToolNames } from '../../src/group/tool-names.ts';

const valid = /^[a-zA-Z0-9_-]{1,64}$/;

test('keeps a name that is fine', () => {
  expect(assignToolNames([{ prefix: '', tools: ['echo', 'get-user_2'] }])).toEqual([
    ['echo', 'get-user_2'],
  ]);
});

test('replaces characters that are not allowed', () => {
  expect(assignToolNames([{ prefix: 'a', tools: ['files.read', 'größe'] }])).toEqual([
    ['a__files_read', 'a__gr__e'],
  ]);
});

test('cuts what is too long, with a hash of the whole', () => {
  const tools = ['x'.repeat(64), `${'x'.repeat(64)}1`, `${'x'.repeat(64)}2`];
  const [[first, second, third] = []] = assignToolNames([{ prefix: '', tools }]);
  expect(first).toBe('x'.repeat(64));
  expect(second).toMatch(/^x{55}_[0-9a-f]{8}$/);
  expect(third).toMatch(/^x{55}_[0-9a-f]{8}$/);
  expect(second).not.toBe(third);
});

test('when names become the same, the one that was fine keeps it', () => {
  const [[plain, dotted, slashed] = []] = assignToolNames([
    { prefix: '', tools: ['a_b', 'a.b', 'a/b'] },
  ]);
  expect(plain).toBe('a_b');
  expect(dotted).toMatch(/^a_b_[0-9a-f]{8}$/);
  expect(slashed).toMatch(/^a_b_[0-9a-f]{8}$/);
  expect(dotted).not.toBe(slashed);
});

test('distinguishes what prefix and name would make the same', () => {
  const [[first] = [], [second] = []] = assignToolNames([
    { prefix: 'a', tools: ['b__c'] },
    { prefix: 'a__b', tools: ['c'] },
  ]);
  expect(first).toMatch(valid);
  expect(second).toMatch(valid);
  expect(first).not.toBe(second);
});

test('gives a single source no prefix, and several their names, unique and short', () => {
  expect(assignPrefixes(['market'])).toEqual(['']);
  expect(assignPrefixes(['market', '127.0.0.1:3001', 'market', '', 'n'.repeat(90)])).toEqual([
    'market',
    '127_0_0_1_3001',
    'market-2',
    'server',
    'n'.repeat(24),
  ]);
});

test('whatever the names are: valid, unique, and independent of the order', () => {
  const name = fc.oneof(
    fc.string({ unit: 'grapheme', maxLength: 90 }),
    fc.stringMatching(/^[ab._/-]{1,4}$/),
    fc.stringMatching(/^[a-z]{60,70}$/),
  );
  const names = fc.uniqueArray(name, { maxLength: 8 });
  fc.assert(
    fc.property(fc.array(names, { minLength: 1, maxLength: 4 }), (lists) => {
      const prefixes = assignPrefixes(lists.map((_, index) => `s${index % 2}`));
      const sources = lists.map((tools, index) => ({ prefix: prefixes[index] ?? '', tools }));
      const assigned = assignToolNames(sources);
      const all = assigned.flat();
      for (const one of all) expect(one).toMatch(valid);
      expect(new Set(all).size).toBe(all.length);

      const reversed = [...sources].reverse().map(({ prefix, tools }) => ({
        prefix,
        tools: [...tools].reverse(),
      }));
      const back = assignToolNames(reversed)
        .map((list) => list.reverse())
        .reverse();
      expect(back).toEqual(assigned);
    }),
  );
});

test('names twenty thousand tools, and names of a megabyte, all apart', () => {
  const huge = Array.from({ length: 20 }, (_, at) => `${'x'.repeat(1024 * 1024)}${at}`);
  const many = Array.from({ length: 20_000 }, (_, at) => `files.read/${at % 2 ? 'ä' : 'ö'}${at}`);
  const assigned = assignToolNames([
    { prefix: 'a', tools: [...huge, ...many] },
    { prefix: 'b', tools: many },
  ]).flat();
  expect(new Set(assigned).size).toBe(assigned.length);
  expect(assigned.filter((name) => !valid.test(name))).toEqual([]);
});
