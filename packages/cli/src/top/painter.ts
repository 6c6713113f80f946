/** What is on the screen: a text for each row, without line ends, and where the cursor blinks, if it does. */
export interface Frame {
  readonly rows: readonly string[];
  readonly cursor?: { readonly row: number; readonly column: number };
}

const [BEGIN, END] = ['\u001b[?2026h', '\u001b[?2026l'];
const [HIDE, SHOW] = ['\u001b[?25l', '\u001b[?25h'];
const CLEAR = '\u001b[0m\u001b[2J';

/**
 * Says what changes a terminal from one frame to the next: the rows that are others, and no more. A
 * terminal that can shows all of it at once; one that cannot ignores that.
 */
export class Painter {
  #shown: Frame | undefined;

  /** The bytes that show this frame. Empty where it is shown already. */
  paint(frame: Frame): string {
    const before = this.#shown;
    this.#shown = frame;
    const isOther = before === undefined || before.rows.length !== frame.rows.length;
    const rows = frame.rows.flatMap((row, index) =>
      // A row is cleared first: a character that the terminal takes for wider leaves nothing behind.
      isOther || before.rows[index] !== row ? [`${at(index, 0)}\u001b[0m\u001b[2K${row}`] : [],
    );
    const cursor = cursorOf(frame);
    const hasMoved = cursor !== (before && cursorOf(before));
    if (rows.length === 0 && !hasMoved) return '';
    return `${BEGIN}${HIDE}${isOther ? CLEAR : ''}${rows.join('')}\u001b[0m${cursor}${END}`;
  }

  /** Something else was on the screen: the next frame is drawn as a whole. */
  forget(): void {
    this.#shown = undefined;
  }
}

function cursorOf({ cursor }: Frame): string {
  return cursor === undefined ? '' : `${at(cursor.row, cursor.column)}${SHOW}`;
}

function at(row: number, column: number): string {
  return `\u001b[${row + 1};${column + 1}H`;
}
