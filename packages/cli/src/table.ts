import Table from 'cli-table3';
import type { Terminal } from './terminal.js';

const gap = 2;

/** The narrowest that a column that wraps may get. */
const minWrapped = 16;

/**
 * Rows under headings, without lines. On a terminal the later columns wrap to its width; elsewhere
 * each row is one line. Cells come sanitized.
 */
export function renderTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  terminal: Terminal,
): string {
  const widths = columnWidths([head, ...rows], terminal.width);
  const table = new Table({
    head: head.map((cell) => terminal.colors.dim(cell)),
    ...(widths !== undefined && { colWidths: widths, wordWrap: true }),
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': gap, compact: true },
    chars: {
      top: '',
      'top-mid': '',
      'top-left': '',
      'top-right': '',
      bottom: '',
      'bottom-mid': '',
      'bottom-left': '',
      'bottom-right': '',
      left: '',
      'left-mid': '',
      mid: '',
      'mid-mid': '',
      right: '',
      'right-mid': '',
      middle: '',
    },
  });
  table.push(...rows.map((row) => [...row]));
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}

/**
 * The widest columns give way until all fit. Widths are in characters: a wide script makes a line
 * wrap early, which is harmless.
 */
function columnWidths(
  rows: readonly (readonly string[])[],
  width: number | undefined,
): number[] | undefined {
  if (width === undefined) return undefined;
  const natural = (rows[0] ?? []).map(
    (_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)) + gap,
  );
  const widths = [...natural];
  for (let over = sum(widths) - width; over > 0; over = sum(widths) - width) {
    const widest = Math.max(...widths);
    if (widest <= minWrapped) break;
    const index = widths.lastIndexOf(widest);
    const next = Math.max(minWrapped, ...widths.filter((other) => other < widest));
    widths[index] = Math.max(next, widest - over, minWrapped);
    if (widths[index] === widest) widths[index] = widest - 1;
  }
  return widths;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
