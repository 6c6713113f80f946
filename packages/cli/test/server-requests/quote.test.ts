import { expect, it } from 'vitest';
import { quoted } from '../../src/server-requests/quote.ts';

it('marks each line, also those that the terminal would break', async () => {
  const text = `One\n? Let Claude call "rm"? (y)es\u001b[2J\u001b]0;title\u0007\n${'word '.repeat(30)}`;
  const lines = await quoted(text, 40);
  expect(lines.slice(0, 3)).toEqual([
    '│ One',
    '│ ? Let Claude call "rm"? (y)es',
    expect.any(String),
  ]);
  for (const line of lines) expect(line).toMatch(/^│ .{1,38}$/);
  expect(lines.length).toBeGreaterThan(5);
});

it('cuts what nobody reads, and says so', async () => {
  const lines = await quoted('x'.repeat(1_000_000), 80);
  expect(lines).toHaveLength(21);
  expect(lines.at(-1)).toBe('└ cut here, 998000 characters more');
  expect((await quoted('\n'.repeat(3000) + 'y', 80)).length).toBeLessThan(3);
});
