import { expect, it } from 'vitest';
import { visibleLine, visibleText } from '../../src/format/visible.ts';

it('writes out what nobody sees, and leaves what is only not Latin', () => {
  expect(visibleText('a\u202eb\u200b\u0007\u001b[31m')).toBe(
    'a⟨U+202E⟩b⟨U+200B⟩⟨U+0007⟩⟨U+001B⟩[31m',
  );
  expect(visibleText('Zürich 東京 👩‍💻 ❤️\n\ttab')).toBe('Zürich 東京 👩‍💻 ❤️\n\ttab');
  expect(visibleLine('a\r\nb  c', 10)).toBe('a b c');
  expect(visibleLine('x'.repeat(1_000_000), 10)).toBe(`${'x'.repeat(9)}…`);
});
