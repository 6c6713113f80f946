import xterm from '@xterm/headless';
import fc from 'fast-check';
import pc from 'picocolors';
import { beforeAll, describe, expect, it } from 'vitest';
import { displayWidth, loadWideText } from '../../src/display-width.ts';
import { put } from '../../src/editor/edit-state.ts';
import { layOut, layOutSent, type Surroundings } from '../../src/editor/layout.ts';
import { newLine, type LineModel } from '../../src/editor/line-model.ts';
import { RegionPainter } from '../../src/editor/region-painter.ts';

beforeAll(loadWideText);

const colors = pc.createColors(false);

function around(columns: number, rows: number): Surroundings {
  return { columns, rows, prompt: '> ', colors };
}

function typed(text: string, caret = text.length): LineModel {
  const model = newLine([]);
  return { ...model, edit: { ...put(model.edit, text), caret } };
}

/** A terminal, and what it shows once all is written. */
function screenOf(
  columns: number,
  rows: number,
): {
  write: (bytes: string) => Promise<void>;
  resize: (columns: number) => void;
  rows: () => string[];
  cursor: () => [row: number, column: number];
} {
  const screen = new xterm.Terminal({ cols: columns, rows, allowProposedApi: true });
  const { buffer } = screen;
  return {
    write: (bytes) => new Promise((resolve) => screen.write(bytes, resolve)),
    resize: (width) => screen.resize(width, rows),
    rows: () => {
      const { active } = buffer;
      const all = Array.from(
        { length: active.length },
        (_, row) => active.getLine(row)?.translateToString(true) ?? '',
      );
      return all.slice(0, (all.findLastIndex((row) => row !== '') ?? 0) + 1);
    },
    cursor: () => [buffer.active.baseY + buffer.active.cursorY, buffer.active.cursorX],
  };
}

describe('a line on the screen', () => {
  it('goes on in the next rows, with the cursor where it is in the text', async () => {
    const screen = screenOf(10, 8);
    const painter = new RegionPainter();
    await screen.write('before\r\n');
    await screen.write(painter.paint(layOut(typed('abcdefghijkl', 3), around(10, 8))));
    expect(screen.rows()).toEqual(['before', '> abcdefgh', 'ijkl']);
    expect(screen.cursor()).toEqual([1, 5]);
    await screen.write(painter.paint(layOut(typed('abcdefgh'), around(10, 8))));
    expect(screen.rows()).toEqual(['before', '> abcdefgh']);
    // There is no room behind the last column.
    expect(screen.cursor()).toEqual([2, 0]);
    await screen.write(painter.paint(layOut(typed('漢漢漢漢漢', 4), around(10, 8))));
    expect(screen.rows()).toEqual(['before', '> 漢漢漢漢', '漢']);
    expect(screen.cursor()).toEqual([2, 0]);
    await screen.write(`${painter.clear()}log\r\n`);
    await screen.write(painter.paint(layOut(typed('a\nb\t', 1), around(10, 8))));
    expect(screen.rows()).toEqual(['before', 'log', '> a', '… b    ']);
    expect(screen.cursor()).toEqual([2, 3]);
    await screen.write(painter.paint(layOutSent('a\nb', around(10, 8))) + painter.keep());
    await screen.write('after');
    expect(screen.rows()).toEqual(['before', 'log', '> a', '… b', 'after']);
  });

  it('is a part of what is longer than the screen, where the cursor is', async () => {
    const screen = screenOf(20, 5);
    const painter = new RegionPainter();
    const text = Array.from({ length: 50 }, (_, n) => `line ${n}`).join('\n');
    await screen.write('before\r\n');
    await screen.write(painter.paint(layOut(typed(text), around(20, 5))));
    expect(screen.rows()).toEqual(['before', ...[46, 47, 48, 49].map((n) => `… line ${n}`)]);
    await screen.write(painter.paint(layOut(typed(text, 0), around(20, 5))));
    expect(screen.rows().slice(0, 3)).toEqual(['before', '> line 0', '… line 1']);
    await screen.write(`${painter.clear()}log`);
    expect(screen.rows()).toEqual(['before', 'log']);
  });

  it.each([
    [20, 13],
    [9, 20],
  ])('stays whole when a terminal of %s columns gets %s', async (columns, width) => {
    const screen = screenOf(columns, 10);
    const painter = new RegionPainter();
    const model = typed('abcdefghijklmnopqrstuvwxyz\nand more', 12);
    await screen.write('before\r\n');
    await screen.write(painter.paint(layOut(model, around(columns, 10))));
    screen.resize(width);
    painter.resized(width);
    await screen.write(`${painter.clear()}log\r\n`);
    await screen.write(painter.paint(layOut(model, around(width, 10))));
    const [first, second, ...rows] = screen.rows();
    expect([first, second]).toEqual(['before', 'log']);
    expect(rows.join('')).toBe('> abcdefghijklmnopqrstuvwxyz… and more');
  });

  it('has no row wider than the screen, and its cursor on it', () => {
    const pieces = fc.array(fc.constantFrom('a', ' ', '\n', '\t', '漢', '👩‍👩‍👧‍👦', 'e\u0301', 'word '), {
      maxLength: 60,
    });
    fc.assert(
      fc.property(
        pieces,
        fc.integer({ min: 10, max: 50 }),
        fc.integer({ min: 3, max: 12 }),
        (parts, columns, height) => {
          const caret = parts.slice(0, Math.floor(parts.length / 2)).join('').length;
          const model: LineModel = {
            ...typed(parts.join(''), caret),
            menu: {
              from: 0,
              chosen: 7,
              candidates: parts.map((text) => ({ text, note: 'what it is' })),
            },
          };
          const { rows, cursor } = layOut(model, {
            ...around(columns, height),
            status: 'busy',
            waiting: ['one', 'two', '漢'.repeat(40), 'four'],
          });
          for (const row of rows) expect(displayWidth(row)).toBeLessThanOrEqual(columns);
          expect(rows[cursor.row]).toBeDefined();
          expect(cursor.column).toBeLessThan(columns);
          if (height > 5) expect(rows.length).toBeLessThan(height);
        },
      ),
    );
  });
});

describe('what Tab offers', () => {
  const candidates = Array.from({ length: 30 }, (_, n) => ({ text: `tool-${n} ` }));

  it('stands in columns below the line', () => {
    const model: LineModel = { ...typed('tool-'), menu: { from: 0, candidates, chosen: -1 } };
    const { rows, cursor } = layOut(model, around(40, 20));
    expect(cursor).toEqual({ row: 0, column: 7 });
    expect(rows.slice(0, 3)).toEqual([
      '> tool-',
      'tool-0   tool-1   tool-2   tool-3 ',
      'tool-4   tool-5   tool-6   tool-7 ',
    ]);
    expect(rows.at(-1)).toBe('tool-28  tool-29');
  });

  it('is a part of many, with the one that is chosen in it', () => {
    const noted = candidates.map((each) => ({
      ...each,
      note: `what ${each.text}does, in many words`,
    }));
    const model: LineModel = {
      ...typed('tool-'),
      menu: { from: 0, candidates: noted, chosen: 20 },
    };
    const { rows } = layOut(model, around(40, 20));
    expect(rows).toHaveLength(9);
    expect(rows.some((row) => row.startsWith('tool-20  what tool-20 does'))).toBe(true);
    expect(rows.at(-1)).toMatch(/^… \d+ more$/);
  });
});
