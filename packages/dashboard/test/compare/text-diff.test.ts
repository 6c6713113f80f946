import { expect, it } from 'vitest';
import { textDiff, type DiffPart } from '../../src/compare/text-diff.ts';

const SIGNS = { same: ' ', removed: '-', added: '+', skipped: '…' } as const;
const shown = (parts: readonly DiffPart[]): string[] =>
  parts.flatMap(({ kind, lines }) =>
    kind === 'skipped' ? [`… ${lines.length}`] : lines.map((line) => `${SIGNS[kind]}${line}`),
  );

it('shows which lines of a text differ', () => {
  expect(shown(textDiff('Finds.\nAt most 10.', 'Finds.\nAt most 20.'))).toEqual([
    ' Finds.',
    '-At most 10.',
    '+At most 20.',
  ]);
  expect(shown(textDiff(undefined, 'New.'))).toEqual(['+New.']);
  expect(shown(textDiff('Old.', undefined))).toEqual(['-Old.']);
});

it('compares JSON by its members, whatever their order, and leaves out what is far from a difference', () => {
  const names = Array.from({ length: 20 }, (_, index) => `m${String(index).padStart(2, '0')}`);
  const schema = Object.fromEntries(names.map((name) => [name, 1]));
  const other = Object.fromEntries(
    names.toReversed().map((name) => [name, name === 'm10' ? 2 : 1]),
  );
  expect(shown(textDiff(schema, other))).toEqual([
    '… 8',
    '   "m07": 1,',
    '   "m08": 1,',
    '   "m09": 1,',
    '-  "m10": 1,',
    '+  "m10": 2,',
    '   "m11": 1,',
    '   "m12": 1,',
    '   "m13": 1,',
    '… 7',
  ]);
});

it('takes what is large and altogether another without looking long', () => {
  const text = (word: string): string =>
    Array.from({ length: 200_000 }, (_, index) => `${word} ${index}`).join('\n');
  const parts = textDiff(text('a'), text('b'));
  expect(new Set(parts.map(({ kind }) => kind))).toEqual(new Set(['removed', 'added']));
  expect(parts.reduce((sum, { lines }) => sum + lines.length, 0)).toBeLessThan(40_000);
});
