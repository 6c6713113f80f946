import { expect, it } from 'vitest';
import { formatBytes, formatDuration, formatRate, prettyJson } from '../../src/shown.ts';

it('shows durations and sizes with the digits that say something', () => {
  const durations = [0.42, 34.4, 999.4, 2_100, 59_940, 59_960, 185_000, 7_800_000, 273_600_000];
  expect(durations.map(formatDuration)).toEqual([
    '0.4 ms',
    '34 ms',
    '999 ms',
    '2.1 s',
    '59.9 s',
    '1 min',
    '3 min 5 s',
    '2 h 10 min',
    '3 d 4 h',
  ]);
  expect([0, 0.34, 4.25, 120.4].map(formatRate)).toEqual(['0', '0.3', '4.3', '120']);
  expect([812, 3_480, 2_097_152].map(formatBytes)).toEqual(['812 B', '3.4 KiB', '2 MiB']);
});

it('shows of a value that was cut what there is', () => {
  expect(prettyJson({ cut: '{"a', bytes: 9000 })).toBe('{"a');
  expect(prettyJson(undefined)).toBe('');
});
