import { displayWidth, wrap } from './display-width.js';
import type { Terminal } from './terminal.js';

const gap = '  ';

/**
 * The most characters of a cell. A server may list a name of a megabyte, which takes long to measure;
 * `--json` prints all of it.
 */
const maxCellLength = 2000;

/** The minimum width of a wrapping column. */
const minWrapped = 16;

/**
 * Rows under headings, without rules. On a terminal the columns wrap to its width, except the first,
 * which people copy. If the first leaves no room, the rest of its row goes below it; so do all columns
 * where the terminal is too narrow for them. Elsewhere each row is one line. Cells are sanitized
 * already, and are cut to 2,000 characters.
 */
export function renderTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  terminal: Pick<Terminal, 'colors' | 'width'>,
): string {
  const cut = rows.map((row) => row.map(cutCell));
  const { width, colors } = terminal;
  const widths = columnWidths([head, ...cut], width);
  const { dim } = colors;
  if (width !== undefined && rowWidth(widths) > width) {
    return cut.flatMap((row) => stacked(row, width)).join('\n');
  }
  return [
    ...layOut(head, widths).map((line) => dim(line)),
    ...cut.flatMap((row) => layOut(row, widths)),
  ].join('\n');
}

/** A row as lines. */
function layOut(row: readonly string[], widths: readonly number[]): string[] {
  const [first = '', ...rest] = row;
  if (displayWidth(first) > (widths[0] ?? 0)) return [first, ...layOut(['', ...rest], widths)];
  const cells = row.map((cell, column) => wrap(cell, widths[column] ?? 1));
  const height = Math.max(...cells.map((lines) => lines.length));
  return Array.from({ length: height }, (_, line) =>
    cells
      .map((lines, column) => pad(lines[line] ?? '', widths[column] ?? 0))
      .join(gap)
      .trimEnd(),
  ).filter((line) => line !== '');
}

/** A row with its cells below the first, where no two fit beside each other. */
function stacked([first = '', ...rest]: readonly string[], width: number): string[] {
  const indented = rest
    .filter((cell) => cell !== '')
    .flatMap((cell) => wrap(cell, Math.max(1, width - gap.length)))
    .map((line) => gap + line.trimEnd());
  return [first, ...indented];
}

function rowWidth(widths: readonly number[]): number {
  return widths.reduce((total, each) => total + each, gap.length * (widths.length - 1));
}

/** How wide each column is; the widest give way until all fit, the first to half the width. */
function columnWidths(
  rows: readonly (readonly string[])[],
  width: number | undefined,
): readonly number[] {
  const widths = (rows[0] ?? []).map((_, column) =>
    largest(
      1,
      rows.map((row) => displayWidth(row[column] ?? '')),
    ),
  );
  if (width === undefined) return widths;
  const room = width - gap.length * (widths.length - 1);
  const over = (): number => rowWidth(widths) - width;
  const [first = 0] = widths;
  // The rest of a row with a long identifier goes below it anyway.
  if (over() > 0 && first > room / 2) {
    const fitting = rows
      .map(([cell = '']) => displayWidth(cell))
      .filter((each) => each <= room / 2);
    widths[0] = largest(4, fitting);
  }
  while (over() > 0) {
    const rest = widths.slice(1);
    const widest = Math.max(...rest);
    if (widest <= minWrapped) break;
    const next = Math.max(minWrapped, ...rest.filter((other) => other < widest));
    widths[1 + rest.lastIndexOf(widest)] = Math.min(widest - 1, Math.max(next, widest - over()));
  }
  return widths;
}

/** Works for more numbers than `Math.max` takes arguments. */
function largest(least: number, numbers: readonly number[]): number {
  return numbers.reduce((most, each) => Math.max(most, each), least);
}

function cutCell(cell: string): string {
  return cell.length <= maxCellLength ? cell : `${cell.slice(0, maxCellLength - 1)}…`;
}

function pad(line: string, width: number): string {
  return line + ' '.repeat(Math.max(0, width - displayWidth(line)));
}
