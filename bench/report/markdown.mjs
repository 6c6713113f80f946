import { cpus } from 'node:os';

/**
 * A Markdown table, its columns padded so that it also reads well in a terminal.
 *
 * @param {readonly string[]} head
 * @param {readonly (readonly string[])[]} rows
 * @param {{ textColumns?: number }} [options] how many columns, from the left, are text; the others
 *   are figures and stand to the right. Default 1.
 */
export function table(head, rows, { textColumns = 1 } = {}) {
  const widths = head.map((title, column) =>
    Math.max(3, title.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  /** @param {readonly string[]} cells */
  const line = (cells) => {
    const padded = cells.map((cell, column) => {
      const width = widths[column] ?? 0;
      return column < textColumns ? cell.padEnd(width) : cell.padStart(width);
    });
    return `| ${padded.join(' | ')} |`;
  };
  const rule = widths.map((width, column) =>
    column < textColumns ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`,
  );
  return [line(head), line(rule), ...rows.map(line)].join('\n');
}

/**
 * @param {import('./statistics.mjs').Spread} spread
 * @param {number} digits
 */
export function withSpread({ median, min, max }, digits) {
  if (Number.isNaN(median)) return '–';
  return `${median.toFixed(digits)} (${min.toFixed(digits)}–${max.toFixed(digits)})`;
}

/**
 * How a target was done by.
 *
 * @param {number} figure
 * @param {boolean} met
 * @param {{ prefix?: string, unit?: string }} [options] what stands before and after the figure
 */
export function againstTarget(figure, met, { prefix = '', unit = '' } = {}) {
  if (Number.isNaN(figure)) return 'not measured';
  return `${prefix}${figure.toFixed(2)}${unit}, ${met ? 'met' : 'MISSED'}`;
}

/** What the figures were measured on, in one line. */
export function machine() {
  const processors = cpus();
  const model = processors[0]?.model.trim() || 'unknown processor';
  return `Node ${process.versions.node}, ${process.platform} ${process.arch}, ${processors.length} cores (${model})`;
}
