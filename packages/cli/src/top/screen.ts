import { emitKeypressEvents, type Interface } from 'node:readline';
import type { Input, Output } from '../streams.js';
import type { Key } from './keys.js';
import { Painter, type Frame } from './painter.js';

/** The alternate screen, without a cursor, on which a line that is too long goes on nowhere. */
const ENTER = '\u001b[?1049h\u001b[?25l\u001b[?7l';
const LEAVE = '\u001b[0m\u001b[?7h\u001b[?25h\u001b[?1049l';

/** How long after an Esc a key sequence may go on, in milliseconds: connections cut it in two. */
const ESCAPE_MS = 50;
/** After so long a process that was suspended goes on, or was not suspended, in milliseconds. */
const SUSPENDING_MS = 100;

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

/** What `node:readline` says of a key. */
interface Keypress {
  readonly name?: string;
  readonly ctrl: boolean;
  readonly meta: boolean;
  readonly shift: boolean;
}

/**
 * A terminal that a program draws on as a whole. It is as it was once this is closed, the process is
 * suspended, or ends for any reason that can be noticed.
 */
export class Screen implements Disposable {
  readonly #options: ScreenOptions;
  readonly #painter = new Painter();
  #isEntered = false;
  #suspending: NodeJS.Timeout | undefined;

  constructor(options: ScreenOptions) {
    this.#options = options;
    const { stdin, stdout } = options;
    // The pause is all that is needed of an interface, which would edit lines.
    emitKeypressEvents(stdin, { escapeCodeTimeout: ESCAPE_MS } as unknown as Interface);
    stdin.on('keypress', this.#onKeypress);
    stdin.on('end', options.onEnd);
    stdout.on('resize', this.#onResize);
    process.on('exit', this.#leave);
    process.on('SIGCONT', this.#onContinue);
    process.on('SIGTSTP', this.#onSuspend);
    this.#enter();
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
    if (!this.#isEntered || (stdout.writableLength ?? 0) > 0) return;
    const bytes = this.#painter.paint(frame);
    if (bytes !== '') stdout.write(bytes);
  }

  /** The next frame is drawn as a whole. */
  clear(): void {
    this.#painter.forget();
  }

  /** Gives the terminal back, and stops the process with all of its group, as Ctrl-Z does elsewhere. */
  suspend(): void {
    // Windows knows no such thing.
    if (process.platform === 'win32') return;
    this.#leave();
    process.off('SIGTSTP', this.#onSuspend);
    process.kill(0, 'SIGTSTP');
    // A process without a shell that could continue it is not stopped.
    this.#suspending = setTimeout(this.#onContinue, SUSPENDING_MS);
  }

  [Symbol.dispose](): void {
    const { stdin, stdout, onEnd } = this.#options;
    clearTimeout(this.#suspending);
    this.#leave();
    stdin.off('keypress', this.#onKeypress);
    stdin.off('end', onEnd);
    stdin.pause();
    stdout.off('resize', this.#onResize);
    process.off('exit', this.#leave);
    process.off('SIGCONT', this.#onContinue);
    process.off('SIGTSTP', this.#onSuspend);
  }

  #enter(): void {
    const { stdin, stdout } = this.#options;
    // Somebody else may have changed it meanwhile: what is set already is set again.
    stdin.setRawMode?.(false);
    stdin.setRawMode?.(true);
    stdin.resume();
    stdout.write(ENTER);
    this.#isEntered = true;
    this.#painter.forget();
  }

  readonly #leave = (): void => {
    if (!this.#isEntered) return;
    this.#isEntered = false;
    this.#options.stdout.write(LEAVE);
    this.#options.stdin.setRawMode?.(false);
  };

  readonly #onSuspend = (): void => this.suspend();

  readonly #onContinue = (): void => {
    clearTimeout(this.#suspending);
    process.off('SIGTSTP', this.#onSuspend);
    process.on('SIGTSTP', this.#onSuspend);
    this.#enter();
    this.#options.onChange();
  };

  readonly #onResize = (): void => {
    this.#painter.forget();
    this.#options.onChange();
  };

  readonly #onKeypress = (
    text: string | undefined,
    { name, ctrl, meta, shift }: Keypress,
  ): void => {
    // Alt and a key is none that is known.
    if (meta && name !== 'escape') return;
    const isWritten = text !== undefined && !ctrl && !/\p{Cc}/u.test(text) && text !== ' ';
    const known = isWritten ? text : name;
    if (known !== undefined) this.#options.onKey({ name: known, ctrl, shift });
  };
}
