import { fitted, span, type ScreenLine, type Span } from './spans.js';

/** A column of a list. */
export interface Column<Row> {
  readonly title: string;
  /** How wide it is. */
  readonly width: number;
  /** It takes what is left, up to this. */
  readonly maxWidth?: number;
  /** Columns of little need are shown only where this one has so much. */
  readonly goodWidth?: number;
  readonly align?: 'right';
  /** Where there is no room, what has the largest number is left out first. */
  readonly rank: number;
  readonly cell: (row: Row, at: number) => readonly Span[];
  /** What rows are sorted by. A number: the largest comes first. */
  readonly sortedBy?: (row: Row, at: number) => number | string;
}

/** By which column a list is sorted; not at all, without one. */
export interface Sort {
  readonly column: number;
  readonly isReversed: boolean;
}

/** Columns with the width that each has. */
type Fitted<Row> = readonly (readonly [Column<Row>, number])[];

/** Columns up to this rank are needed on any screen. */
const NEEDED_RANK = 2;

/** Columns are one blank apart; in front of a row is its mark. */
const GAP = 1;
const MARK = 2;

/** The columns that have room, by their numbers. */
export function columnsThatFit<Row>(columns: readonly Column<Row>[], width: number): number[] {
  const chosen = new Set<number>();
  const good = columns.reduce(
    (sum, column) => sum + Math.max(0, (column.goodWidth ?? 0) - column.width),
    0,
  );
  let room = width - MARK + GAP;
  const byRank = [...columns.entries()].sort(([, one], [, other]) => one.rank - other.rank);
  for (const [index, column] of byRank) {
    const kept = column.rank > NEEDED_RANK ? good : 0;
    if (chosen.size > 0 && column.width + GAP + kept > room) break;
    room -= column.width + GAP;
    chosen.add(index);
  }
  return [...columns.keys()].filter((index) => chosen.has(index));
}

function fitColumns<Row>(columns: readonly Column<Row>[], width: number): Fitted<Row> {
  const shown = columnsThatFit(columns, width).flatMap((index) => columns[index] ?? []);
  let room = shown.reduce((rest, column) => rest - column.width - GAP, width - MARK + GAP);
  return shown.map((column) => {
    const more = Math.max(0, Math.min(room, (column.maxWidth ?? column.width) - column.width));
    room -= more;
    // A screen that is narrower than the first column cuts it.
    return [column, Math.max(1, Math.min(column.width + more, width - MARK))] as const;
  });
}

/** The titles of a list; `titles` are other ones for some columns. */
export function headLine<Row>(
  columns: readonly Column<Row>[],
  options: {
    width: number;
    sort: Sort | undefined;
    isFocused: boolean;
    titles: Readonly<Record<string, string>>;
  },
): ScreenLine {
  const { width, sort, isFocused, titles } = options;
  const tone = isFocused ? 'heading' : 'strong';
  const cells = fitColumns(columns, width).map(([column, columnWidth], index) => {
    const isSorted = sort !== undefined && columns[sort.column] === column;
    const sign = isSorted ? (sort.isReversed ? '▴' : '▾') : '';
    // The first title is that of the list, whichever column has room.
    const name = (index === 0 ? columns[0] : column)?.title ?? '';
    const title = span(`${titles[name] ?? name}${sign}`, tone);
    return fitted([title], columnWidth, column.align);
  });
  return { spans: joined(isFocused ? '» ' : '  ', cells, 'heading') };
}

/** A row of a list. */
export function rowLine<Row>(
  columns: readonly Column<Row>[],
  row: Row,
  options: { width: number; at: number; isSelected: boolean; isFocused: boolean },
): ScreenLine {
  const { width, at, isSelected, isFocused } = options;
  const cells = fitColumns(columns, width).map(([column, columnWidth]) =>
    fitted(column.cell(row, at), columnWidth, column.align),
  );
  const isMarked = isSelected && isFocused;
  return { spans: joined(isMarked ? '> ' : '  ', cells), isSelected: isMarked };
}

/** Rows in the order of a column. What is equal stays as it is. */
export function sortRows<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  sort: Sort | undefined,
  at: number,
): readonly Row[] {
  const by = sort === undefined ? undefined : columns[sort.column]?.sortedBy;
  if (by === undefined) return rows;
  const turn = sort?.isReversed === true ? -1 : 1;
  return rows
    .map((row) => [row, by(row, at)] as const)
    .sort(([, one], [, other]) => turn * order(one, other))
    .map(([row]) => row);
}

function order(one: number | string, other: number | string): number {
  if (typeof one === 'number' && typeof other === 'number') return other - one;
  return String(one) < String(other) ? -1 : String(one) > String(other) ? 1 : 0;
}

function joined(mark: string, cells: readonly (readonly Span[])[], tone?: Span['tone']): Span[] {
  return cells.reduce<Span[]>(
    (spans, cell, index) => [...spans, ...(index === 0 ? [] : [span(' '.repeat(GAP))]), ...cell],
    [span(mark, tone)],
  );
}
