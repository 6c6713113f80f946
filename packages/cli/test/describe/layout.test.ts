import { expect, it } from 'vitest';
import { Layout } from '../../src/describe/layout.ts';
import { loadWideText } from '../../src/display-width.ts';

await loadWideText();

it('text keeps its lines, and is wrapped to the right of where it begins', () => {
  expect(new Layout(30).text('one two three four five six\n\n  - seven', 4)).toEqual([
    '    one two three four five',
    '    six',
    '',
    '      - seven',
  ]);
});

it('a line goes on further to the right', () => {
  expect(new Layout(24).hanging('name: string, at least 1 character', 2)).toEqual([
    '  name: string, at least',
    '      1 character',
  ]);
});

it('is not wrapped where there is no terminal', () => {
  const long = 'word '.repeat(100).trim();
  expect(new Layout(undefined).text(long, 2)).toEqual([`  ${long}`]);
  expect(new Layout(undefined).hanging(long, 2)).toEqual([`  ${long}`]);
});

it('what is longer than anybody reads is left to the terminal', () => {
  const layout = new Layout(80);
  const long = 'é'.repeat(15_000);
  expect(layout.text(long, 0).length).toBeGreaterThan(100);
  expect(layout.text(long, 0)).toEqual([long]);
  expect(layout.text(`${long}\u001b[2J`, 2)).toEqual([`  ${long}`]);
});
