import type { ScreenLine } from './spans.js';
import { columnsThatFit, headLine, rowLine, sortRows, type Column, type Sort } from './table.js';

/** What a list is of. */
export interface ListOptions<Row> {
  readonly columns: readonly Column<Row>[];
  readonly keyOf: (row: Row) => number | string;
}

/** How a list is drawn. */
export interface ListSpace {
  readonly width: number;
  /** Rows below the head. */
  readonly height: number;
  readonly at: number;
  readonly isFocused: boolean;
  readonly titles: Readonly<Record<string, string>>;
  /** What is said where there is no row. */
  readonly empty: ScreenLine;
}

/**
 * A list of which one row is selected. At the top, the selection is whatever comes first: the newest.
 * Elsewhere it stays with its row, and that row stays where it is on the screen, whatever comes above it.
 */
export class List<Row> {
  /** Those of another picture are as many. */
  columns: readonly Column<Row>[];
  readonly #keyOf: ListOptions<Row>['keyOf'];
  #rows: readonly Row[] = [];
  /** Of the selected row; missing at the top. */
  #key: number | string | undefined;
  #index = 0;
  /** The first row that is shown. */
  #first = 0;
  #height = 1;
  #width = 80;
  #sort: Sort | undefined;

  constructor({ columns, keyOf }: ListOptions<Row>) {
    this.columns = columns;
    this.#keyOf = keyOf;
  }

  get rows(): readonly Row[] {
    return this.#rows;
  }

  get selected(): Row | undefined {
    return this.#rows[this.#index];
  }

  /** How many rows are above those that are shown. */
  get above(): number {
    return this.#first;
  }

  /** Takes the rows of now. */
  show(rows: readonly Row[], at: number): void {
    this.#rows = sortRows(this.columns, rows, this.#sort, at);
    const screenRow = this.#index - this.#first;
    if (this.#key === undefined) this.#index = 0;
    else {
      const found = this.#rows.findIndex((row) => this.#keyOf(row) === this.#key);
      // It is gone: the row in its place is selected.
      if (found === -1) this.#select(this.#index);
      else this.#index = found;
    }
    this.#first = this.#index - screenRow;
    this.#scroll();
  }

  /** Selects a row further down, or up. */
  move(rows: number): void {
    this.#select(this.#index + rows);
    this.#scroll();
  }

  /** Selects a row a screen further down, or up. */
  movePage(pages: number): void {
    this.move(pages * Math.max(1, this.#height - 1));
  }

  /** Selects the first row, or the last. */
  moveTo(end: 'first' | 'last'): void {
    this.move(end === 'first' ? -this.#rows.length : this.#rows.length);
  }

  /** Sorts by the next column that is shown, or the one before; beyond them it is not sorted. */
  sortByNext(step: 1 | -1): void {
    const { columns } = this;
    const choices = columnsThatFit(columns, this.#width).filter(
      (column) => columns[column]?.sortedBy !== undefined,
    );
    const now = this.#sort === undefined ? -1 : choices.indexOf(this.#sort.column);
    // The place before the first column is for no order at all.
    const places = choices.length + 1;
    const column = choices[((now + 1 + step + places) % places) - 1];
    this.#sort = column === undefined ? undefined : { column, isReversed: false };
  }

  /** Turns the order round, if there is one. */
  reverse(): void {
    if (this.#sort !== undefined) {
      this.#sort = { ...this.#sort, isReversed: !this.#sort.isReversed };
    }
  }

  /** The head and the rows, in exactly as many lines as there is room for. */
  lines({ width, height, at, isFocused, titles, empty }: ListSpace): ScreenLine[] {
    this.#height = height;
    this.#width = width;
    this.#scroll();
    const { columns } = this;
    const shown = this.#rows.slice(this.#first, this.#first + height);
    const lines = shown.map((row, index) =>
      rowLine(columns, row, {
        width,
        at,
        isFocused,
        isSelected: this.#first + index === this.#index,
      }),
    );
    if (lines.length === 0 && height > 0) lines.push(empty);
    while (lines.length < height) lines.push({ spans: [] });
    return [headLine(columns, { width, sort: this.#sort, isFocused, titles }), ...lines];
  }

  #select(index: number): void {
    this.#index = Math.max(0, Math.min(index, this.#rows.length - 1));
    const row = this.#rows[this.#index];
    this.#key = this.#index === 0 || row === undefined ? undefined : this.#keyOf(row);
  }

  #scroll(): void {
    const last = Math.max(0, this.#rows.length - this.#height);
    const least = this.#index - this.#height + 1;
    this.#first = Math.max(0, Math.min(Math.max(this.#first, least), this.#index, last));
  }
}
