import { RawTerminal, type Keypress } from '../raw-terminal.js';
import type { Input, Output } from '../streams.js';
import type { Key } from './keys.js';
import { Painter, type Frame } from './painter.js';

/** The alternate screen, without a cursor, on which a line that is too long goes on nowhere. */
const ENTER = '\u001b[?1049h\u001b[?25l\u001b[?7l';
const LEAVE = '\u001b[0m\u001b[?7h\u001b[?25h\u001b[?1049l';

/** What a screen is made with. */
export interface ScreenOptions {
  readonly stdin: Input;
  readonly stdout: Output;
  readonly onKey: (key: Key) => void;
  /** The screen is another: it has to be drawn. */
  readonly onChange: () => void;
  /** Nobody is at the terminal any more. */
  readonly onEnd: () => void;
}

/**
 * A terminal that a program draws on as a whole. It is as it was once this is closed, the process is
 * suspended, or ends for any reason that can be noticed.
 */
export class Screen implements Disposable {
  readonly #options: ScreenOptions;
  readonly #painter = new Painter();
  readonly #raw: RawTerminal;

  constructor(options: ScreenOptions) {
    this.#options = options;
    const { stdin, stdout, onChange, onEnd } = options;
    const redraw = (): void => {
      this.#painter.forget();
      onChange();
    };
    this.#raw = new RawTerminal({
      stdin,
      stdout,
      enter: ENTER,
      leave: LEAVE,
      onKey: this.#onKey,
      onContinue: redraw,
      onResize: redraw,
      onEnd,
    });
    this.#raw.enter();
  }

  get columns(): number {
    return this.#options.stdout.columns || 80;
  }

  get rows(): number {
    return this.#options.stdout.rows || 24;
  }

  /** Shows a frame. A terminal that is behind misses this one, and gets a later one. */
  draw(frame: Frame): void {
    const { stdout } = this.#options;
    if (!this.#raw.isEntered || (stdout.writableLength ?? 0) > 0) return;
    const bytes = this.#painter.paint(frame);
    if (bytes !== '') stdout.write(bytes);
  }

  /** The next frame is drawn as a whole. */
  clear(): void {
    this.#painter.forget();
  }

  /** Gives the terminal back, and stops the process with all of its group, as Ctrl-Z does elsewhere. */
  suspend(): void {
    this.#raw.suspend();
  }

  [Symbol.dispose](): void {
    this.#raw.leave();
  }

  readonly #onKey = (text: string | undefined, { name, ctrl, meta, shift }: Keypress): void => {
    // Alt and a key is none that is known.
    if (meta && name !== 'escape') return;
    const isWritten = text !== undefined && !ctrl && !/\p{Cc}/u.test(text) && text !== ' ';
    const known = isWritten ? text : name;
    if (known !== undefined) this.#options.onKey({ name: known, ctrl, shift });
  };
}
