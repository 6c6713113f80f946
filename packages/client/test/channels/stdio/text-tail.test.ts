import fc from 'fast-check';
import { expect, it } from 'vitest';
import { TextTail } from '../../../src/channels/stdio/text-tail.ts';

it('keeps the end, however it is split', () => {
  const chunks = fc.array(fc.string({ unit: fc.constantFrom('a', 'b', 'c') }), { maxLength: 30 });
  fc.assert(
    fc.property(chunks, fc.integer({ min: 1, max: 20 }), (texts, maxBytes) => {
      const tail = new TextTail(maxBytes);
      for (const text of texts) tail.push(Buffer.from(text));
      expect(tail.toString()).toBe(texts.join('').slice(-maxBytes));
    }),
  );
});

it('does not begin with half a character, and keeps one that came broken', () => {
  const tail = new TextTail(4);
  const bytes = Buffer.from('éé€');
  for (const byte of bytes) tail.push(Buffer.of(byte));
  expect(tail.toString()).toBe('€');

  const broken = new TextTail(10);
  broken.push(Buffer.of(0x80, 0x61));
  expect(broken.toString()).toBe('\ufffda');
});

it('trims the white space around it', () => {
  const tail = new TextTail(100);
  tail.push(Buffer.from('\n  two\n lines \n\n'));
  expect(tail.toString()).toBe('two\n lines');
});

it('holds a copy, and not the chunks', () => {
  const tail = new TextTail(4);
  const chunk = Buffer.from('0123456789');
  tail.push(chunk);
  chunk.fill('x');
  expect(tail.toString()).toBe('6789');
});
