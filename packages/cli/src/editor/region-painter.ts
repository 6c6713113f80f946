import type { Block } from './layout.js';

const [BEGIN, END] = ['\u001b[?2026h', '\u001b[?2026l'];
const [NO_WRAP, WRAP] = ['\u001b[?7l', '\u001b[?7h'];
const CLEAR_BELOW = '\u001b[J';

/**
 * Says what shows rows at the bottom of a terminal, below the output, and what removes them again. It
 * works without knowing in which row of the terminal they are.
 */
export class RegionPainter {
  /** What is on the screen, each row by its width; the cursor is there. */
  #shown: Pick<Block, 'widths' | 'cursor'> | undefined;

  /** Whether anything is shown. */
  get isShown(): boolean {
    return this.#shown !== undefined;
  }

  /** The bytes that show these rows in place of what is shown. */
  paint(block: Block): string {
    const { rows, widths, cursor } = block;
    const begin = this.#toTop();
    this.#shown = { widths, cursor };
    // A row that the terminal takes for wider does not go on in the next one.
    const text = rows.join('\r\n');
    const up = rows.length - 1 - cursor.row;
    const place = `${up > 0 ? `\u001b[${up}A` : ''}\u001b[${cursor.column + 1}G`;
    return `${BEGIN}${begin}${NO_WRAP}${text}${WRAP}${place}${END}`;
  }

  /** The bytes that remove the rows; what is written next takes their place. */
  clear(): string {
    const bytes = this.#toTop();
    this.#shown = undefined;
    return bytes;
  }

  /** The rows stay as output; the cursor goes below them. */
  keep(): string {
    if (this.#shown === undefined) return '';
    const { widths, cursor } = this.#shown;
    const down = widths.length - 1 - cursor.row;
    this.#shown = undefined;
    return `${down > 0 ? `\u001b[${down}B` : ''}\r\n`;
  }

  /** The rows are gone without our doing. */
  forget(): void {
    this.#shown = undefined;
  }

  /**
   * The terminal has another width: it has broken the rows that do not fit any more. Not all terminals
   * break the row of the cursor. It is taken for whole: a piece too much may stay, but no output goes.
   */
  resized(columns: number): void {
    if (this.#shown === undefined) return;
    const { widths, cursor } = this.#shown;
    const above = widths
      .slice(0, cursor.row)
      .reduce((rows, width) => rows + Math.max(1, Math.ceil(width / columns)), 0);
    this.#shown = { widths, cursor: { row: above, column: cursor.column } };
  }

  #toTop(): string {
    if (this.#shown === undefined) return '';
    const { row } = this.#shown.cursor;
    return `${row > 0 ? `\u001b[${row}A` : ''}\u001b[1G${CLEAR_BELOW}`;
  }
}
