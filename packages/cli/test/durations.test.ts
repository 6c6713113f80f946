import { describe, expect, it } from 'vitest';
import { formatDuration, parseDuration } from '../src/durations.ts';

describe('parseDuration', () => {
  it.each([
    ['500ms', 500],
    ['30s', 30_000],
    ['10m', 600_000],
    ['2h', 7_200_000],
    ['1.5s', 1500],
    ['.5s', 500],
    ['5', 5000],
    ['0.5', 500],
  ])('reads %s', (text, expected) => {
    expect(parseDuration(text, '--timeout')).toBe(expected);
  });

  it.each(['', '0', 's', '-1s', '1d', '1e3s', '0s', '0.1ms', '600h', '10 s', '1m30s'])(
    'refuses %j and names the option',
    (text) => {
      expect(() => parseDuration(text, '--timeout')).toThrow(/--timeout/);
    },
  );
});

describe('formatDuration', () => {
  it.each([
    [34.4, '34 ms'],
    [2100, '2.1 s'],
    [60_000, '60 s'],
    [180_000, '3 min'],
  ])('shows %d as %s', (durationMs, expected) => {
    expect(formatDuration(durationMs)).toBe(expected);
  });
});
