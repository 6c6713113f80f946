import { displayWidth, fit } from '../display-width.js';
import type { Colors } from '../terminal.js';
import type { Buffer } from './edit-state.js';
import type { Menu } from './completion.js';
import type { LineModel } from './line-model.js';
import { charactersOf } from './text.js';

/** Rows at the bottom of a terminal, none wider than it, and where the cursor is in them. */
export interface Block {
  readonly rows: readonly string[];
  /** How many columns each row takes. */
  readonly widths: readonly number[];
  readonly cursor: { readonly row: number; readonly column: number };
}

/** What is shown around the line. */
export interface Surroundings {
  readonly columns: number;
  /** How many rows the terminal has. */
  readonly rows: number;
  readonly prompt: string;
  readonly colors: Colors;
  /** What is at work, above the line; it has its colours and fits. */
  readonly status?: string | undefined;
  /** Lines that wait for that, above the line. */
  readonly waiting?: readonly string[];
}

/** How a tab of the text is shown. */
const TAB = '    ';

const maxMenuRows = 8;
const maxWaitingRows = 3;

const plain = /^[ -~]*$/;

interface Row {
  readonly text: string;
  readonly width: number;
  /** How wide its prompt is, which is not of the text. */
  readonly indent: number;
}

/** How a line that is being typed looks. */
export function layOut(model: LineModel, around: Surroundings): Block {
  const { columns, colors, status, waiting = [] } = around;
  const prompt = promptOf(model, around);
  const { rows: typed, cursor } = rowsOf(model.edit, { prompt, columns });
  const above = [
    ...(status === undefined ? [] : [{ text: status, width: columns }]),
    ...waitingRows(waiting, around),
  ];
  const below = model.menu === undefined ? [] : menuRows(model.menu, around);
  // One row of the output above stays in view.
  const room = Math.max(1, around.rows - 1 - above.length);
  const shownBelow = below.slice(0, Math.max(0, room - 1));
  const height = Math.max(1, room - shownBelow.length);
  const first = Math.max(0, Math.min(cursor.row - height + 1, typed.length - height));
  const seen = typed.slice(first, first + height).map(({ text, width, indent }) => ({
    text: colors.bold(text.slice(0, indent)) + text.slice(indent),
    width,
  }));
  const all = [...above, ...seen, ...shownBelow];
  return {
    rows: all.map(({ text }) => text),
    widths: all.map(({ width }) => width),
    cursor: { row: above.length + cursor.row - first, column: cursor.column },
  };
}

/** A line that was sent, as it stays on the screen. */
export function layOutSent(text: string, around: Surroundings): Block {
  const { columns, colors, prompt } = around;
  const { rows } = rowsOf({ text, caret: text.length }, { prompt, columns });
  return {
    rows: rows.map(
      ({ text: row, indent }) => colors.bold(row.slice(0, indent)) + row.slice(indent),
    ),
    widths: rows.map(({ width }) => width),
    cursor: { row: rows.length - 1, column: rows.at(-1)?.width ?? 0 },
  };
}

function promptOf({ search }: LineModel, { prompt, columns }: Surroundings): string {
  if (search === undefined) return prompt;
  const found = search.isMissing ? 'not found' : 'search';
  return `${fit(`(${found}) ${search.query}`, Math.max(10, columns - 12))}: `;
}

/** The text in rows; where the cursor is behind the last column, it is at the start of a row more. */
function rowsOf(
  { text, caret }: Buffer,
  { prompt, columns }: { prompt: string; columns: number },
): { rows: Row[]; cursor: { row: number; column: number } } {
  const rows: Row[] = [];
  let cursor = { row: 0, column: 0 };
  let place = 0;
  const indent = Math.min(displayWidth(prompt), columns - 2);
  for (const [index, line] of text.split('\n').entries()) {
    const label = index === 0 ? prompt : '… '.padStart(indent);
    let row = { text: label, width: displayWidth(label), indent: label.length };
    const flush = (): void => {
      rows.push(row);
      row = { text: '', width: 0, indent: 0 };
    };
    const units = plain.test(line) ? pieces(line, columns, row.width) : charactersOf(line);
    for (const unit of units) {
      const shown = unit === '\t' ? TAB : unit;
      const width = displayWidth(shown);
      if (row.width + width > columns) flush();
      if (caret >= place && caret < place + unit.length) {
        cursor = { row: rows.length, column: row.width + (caret - place) };
      }
      row = { ...row, text: row.text + shown, width: row.width + width };
      place += unit.length;
    }
    if (caret === place) {
      if (row.width >= columns) flush();
      cursor = { row: rows.length, column: row.width };
    }
    rows.push(row);
    place += 1;
  }
  return { rows, cursor };
}

/** A line of plain characters in pieces that fill rows, of which the first has less room. */
function pieces(line: string, columns: number, indent: number): string[] {
  const first = Math.max(0, columns - indent);
  const parts = first === 0 ? [] : [line.slice(0, first)];
  for (let at = first; at < line.length; at += columns) parts.push(line.slice(at, at + columns));
  return parts.filter((part) => part !== '');
}

function waitingRows(
  waiting: readonly string[],
  { columns, colors }: Surroundings,
): { text: string; width: number }[] {
  const shown = waiting.length > maxWaitingRows ? waiting.slice(0, maxWaitingRows - 1) : waiting;
  const rows = shown.map((line) => fit(`(waits) ${line.replaceAll(/\s+/g, ' ')}`, columns));
  const more = waiting.length - shown.length;
  if (more > 0) rows.push(fit(`(waits) and ${more} more lines`, columns));
  return rows.map((text) => ({ text: colors.dim(text), width: displayWidth(text) }));
}

/** Candidates in columns; with notes, one a row. */
function menuRows(
  { candidates, chosen }: Menu,
  { columns, colors }: Surroundings,
): { text: string; width: number }[] {
  const names = candidates.map(({ shown, text }) => fit((shown ?? text).trim(), columns - 4));
  const width = Math.max(...names.map(displayWidth));
  const hasNotes = candidates.some(({ note }) => note !== undefined);
  const across = hasNotes ? 1 : Math.max(1, Math.floor(columns / (width + 2)));
  const height = Math.ceil(names.length / across);
  const first = Math.max(
    0,
    Math.min(Math.floor(chosen / across) - maxMenuRows + 2, height - maxMenuRows),
  );
  const rows: { text: string; width: number }[] = [];
  for (let row = first; row < Math.min(height, first + maxMenuRows); row++) {
    const cells = names.slice(row * across, (row + 1) * across).map((name, index) => {
      const at = row * across + index;
      const cell = name + ' '.repeat(Math.max(0, width - displayWidth(name)));
      const note = hasNotes ? (candidates[at]?.note ?? '') : '';
      const room = columns - width - 3;
      const said = note === '' || room < 8 ? '' : `  ${fit(note, room)}`;
      return (at === chosen ? colors.inverse(cell) : colors.cyan(cell)) + colors.dim(said);
    });
    rows.push({ text: cells.join('  '), width: columns });
  }
  const hidden = height - first - rows.length;
  if (hidden > 0) {
    const left = names.length - (first + rows.length - 1) * across;
    const said = `… ${left} more`;
    rows[rows.length - 1] = { text: colors.dim(said), width: said.length };
  }
  return rows;
}
