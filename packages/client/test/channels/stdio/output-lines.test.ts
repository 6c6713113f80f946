import { Buffer } from 'node:buffer';
import { expect, it } from 'vitest';
import { MAX_LINE_CHARACTERS, OutputLines } from '../../../src/channels/stdio/output-lines.ts';

function linesOf(...chunks: (string | Buffer)[]): string[] {
  const lines: string[] = [];
  const decoder = new OutputLines((line) => lines.push(line));
  for (const chunk of chunks) decoder.push(Buffer.from(chunk as string));
  decoder.end();
  return lines;
}

it('lines end with LF, CR or both, and blank ones are left out', () => {
  expect(linesOf('one\ntwo\r\n', '\n  \nthree\r', '\nfour\rfive')).toEqual([
    'one',
    'two',
    'three',
    'four',
    'five',
  ]);
});

it('a character that is split between chunks is whole', () => {
  const bytes = Buffer.from('grün\n');
  expect(linesOf(bytes.subarray(0, 3), bytes.subarray(3))).toEqual(['grün']);
});

it('of a line that never ends only the beginning is kept, and the next one is whole', () => {
  const long = 'x'.repeat(10_000);
  const [first, second] = linesOf(long, long, long, '\nnext\n');
  expect(first).toBe('x'.repeat(MAX_LINE_CHARACTERS));
  expect(second).toBe('next');
});
