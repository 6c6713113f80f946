import { expect, it } from 'vitest';
import { formatDuration } from '../../src/format/durations.ts';
import { prettyJson } from '../../src/format/json.ts';
import { formatBytes, formatMeasured, formatRate } from '../../src/format/numbers.ts';
import { visibleLine, visibleText } from '../../src/format/visible.ts';

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
  const measured = [0, 0.421_34, -7.5, 1024, 12_500_000, 1e300, -5e-9];
  expect(measured.map(formatMeasured)).toEqual('0 0.4213 -7.5 1,024 12.5M 1e+300 -5e-9'.split(' '));
  expect([812, 3_480, 2_097_152].map(formatBytes)).toEqual(['812 B', '3.4 KiB', '2 MiB']);
});

it('writes out what nobody sees, and leaves what is only not Latin', () => {
  expect(visibleText('a\u202eb\u200b\u0007\u001b[31m')).toBe(
    'a⟨U+202E⟩b⟨U+200B⟩⟨U+0007⟩⟨U+001B⟩[31m',
  );
  expect(visibleText('Zürich 東京 👩‍💻 ❤️\n\ttab')).toBe('Zürich 東京 👩‍💻 ❤️\n\ttab');
  expect(visibleLine('a\r\nb  c', 10)).toBe('a b c');
  expect(visibleLine('x'.repeat(1_000_000), 10)).toBe(`${'x'.repeat(9)}…`);
});

it('shows of a value that was cut what there is', () => {
  expect(prettyJson({ cut: '{"a', bytes: 9000 })).toBe('{"a');
  expect(prettyJson(undefined)).toBe('');
});
