import { expect, it } from 'vitest';
import { Painter } from '../../src/top/painter.ts';

const rows = ['title', 'one', 'two'];

it('draws what changed, and nothing where nothing did', () => {
  const painter = new Painter();
  const whole = painter.paint({ rows });
  for (const row of rows) expect(whole).toContain(row);
  expect(painter.paint({ rows })).toBe('');
  const changed = painter.paint({ rows: ['title', 'one', 'three'] });
  expect(changed).toContain('\u001b[3;1H\u001b[0m\u001b[2Kthree');
  expect(changed).not.toMatch(/title|one/);
  // A terminal that can shows it at once.
  expect([changed.startsWith('\u001b[?2026h'), changed.endsWith('\u001b[?2026l')]).toEqual([
    true,
    true,
  ]);
});

it('draws all after the screen was another, or has another height', () => {
  const painter = new Painter();
  painter.paint({ rows });
  painter.forget();
  expect(painter.paint({ rows })).toContain('title');
  expect(painter.paint({ rows: [...rows, 'three'] })).toContain('title');
});

it('shows the cursor where it is wanted, and hides it again', () => {
  const painter = new Painter();
  painter.paint({ rows });
  const shown = painter.paint({ rows, cursor: { row: 2, column: 4 } });
  expect(shown).toContain('\u001b[3;5H\u001b[?25h');
  expect(painter.paint({ rows, cursor: { row: 2, column: 4 } })).toBe('');
  expect(painter.paint({ rows })).toContain('\u001b[?25l');
});
