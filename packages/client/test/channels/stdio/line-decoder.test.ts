import fc from 'fast-check';
import { expect, it } from 'vitest';
import { LineDecoder } from '../../../src/channels/stdio/line-decoder.ts';

function decode(chunks: Uint8Array[], maxEventBytes = 1000): string[] {
  const lines: string[] = [];
  const decoder = new LineDecoder({ maxEventBytes, onLine: (line) => lines.push(line) });
  for (const chunk of chunks) decoder.push(Buffer.from(chunk));
  decoder.end();
  return lines;
}

it('finds the same lines wherever the bytes are split', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'é', '🌍', '\n', '\r', ' ') });
  fc.assert(
    fc.property(text, fc.array(fc.nat({ max: 60 })), (whole, cuts) => {
      const bytes = Buffer.from(whole);
      const at = [0, ...cuts.toSorted((a, b) => a - b), bytes.length];
      const chunks = at.slice(1).map((end, index) => bytes.subarray(at[index], end));
      expect(decode(chunks)).toEqual(whole.split('\n').filter((line) => line.trim() !== ''));
    }),
  );
});

it('drops a byte order mark at the start, and nowhere else', () => {
  const text = '\ufeff{}\n\ufeff[]\n';
  expect(decode([Buffer.from(text)])).toEqual(['{}', '\ufeff[]']);
  expect(decode([...Buffer.from(text)].map((byte) => Buffer.of(byte)))).toEqual(['{}', '\ufeff[]']);
});

it.each([
  ['whole', ['x'.repeat(11) + '\n']],
  ['in parts', ['x'.repeat(6), 'x'.repeat(5)]],
  ['after one that is not', ['x\n' + 'x'.repeat(11)]],
])('throws at a line over the limit, %s', (_name, chunks) => {
  const bytes = chunks.map((chunk) => Buffer.from(chunk));
  expect(() => decode(bytes, 10)).toThrow(expect.objectContaining({ code: 'limit-exceeded' }));
  expect(() => decode(bytes, 11)).not.toThrow();
});

it('counts characters, of which there are never more than bytes', () => {
  expect(decode([Buffer.from('é'.repeat(10))], 10)).toEqual(['é'.repeat(10)]);
});
