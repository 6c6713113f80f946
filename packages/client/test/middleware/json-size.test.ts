import { expect, it } from 'vitest';
import { jsonBytes } from '../../src/middleware/json-size.ts';

it.each([
  [null],
  [true],
  [false],
  [0],
  [-1.5e-7],
  [''],
  ['wörd ✓'],
  [[]],
  [{}],
  [[1, 'a', null]],
  [{ a: 1 }],
  [{ a: { b: [1, 2, { c: 'd' }] }, e: undefined, f: [[], {}] }],
])('is that of %j', (value) => {
  expect(jsonBytes(value)).toBe(Buffer.byteLength(JSON.stringify(value)));
});

it('of nothing is nothing', () => {
  expect(jsonBytes(undefined)).toBe(0);
});

it('ends where a value does not: cycles, and depth without end', () => {
  const loop: Record<string, unknown> = {};
  loop['a'] = loop['b'] = loop;
  expect(jsonBytes(loop)).toBeGreaterThan(0);
  const deep: unknown = JSON.parse('['.repeat(100_000) + ']'.repeat(100_000));
  expect(jsonBytes(deep)).toBeGreaterThan(0);
});
