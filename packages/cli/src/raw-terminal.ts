import { emitKeypressEvents, type Interface } from 'node:readline';
import type { Input, Output } from './streams.js';

/** How long after an Esc a key sequence may go on, in milliseconds: connections cut it in two. */
const ESCAPE_MS = 50;
/** After so long a process that was suspended goes on, or was not suspended, in milliseconds. */
const SUSPENDING_MS = 100;

/** What `node:readline` says of a key. */
export interface Keypress {
  readonly sequence?: string | undefined;
  readonly name?: string | undefined;
  readonly ctrl: boolean;
  readonly meta: boolean;
  readonly shift: boolean;
}

/** What a raw terminal is made with. */
export interface RawTerminalOptions {
  readonly stdin: Input;
  readonly stdout: Output;
  /** What is written when the terminal is taken, and when it is given back. */
  readonly enter: string;
  readonly leave: string;
  /** The key, and what it writes, if it writes anything. */
  readonly onKey: (text: string | undefined, key: Keypress) => void;
  /** It was taken anew after it was given away: all has to be drawn. */
  readonly onContinue: () => void;
  readonly onResize: () => void;
  /** It is about to be given away: what should not stay is removed. */
  readonly onLeave?: () => void;
  /** Nobody is at the terminal any more. */
  readonly onEnd: () => void;
}

/**
 * A terminal of which each key is read as it is pressed. It is as it was once this is left, the process
 * is suspended, or ends for any reason that can be noticed.
 */
export class RawTerminal implements Disposable {
  readonly #options: RawTerminalOptions;
  #isEntered = false;
  #suspending: NodeJS.Timeout | undefined;

  constructor(options: RawTerminalOptions) {
    this.#options = options;
  }

  /** Whether keys are read now. */
  get isEntered(): boolean {
    return this.#isEntered;
  }

  /** Takes the terminal. */
  enter(): void {
    if (this.#isEntered) return;
    const { stdin, stdout, onResize, onEnd } = this.#options;
    // The pause is all that is needed of an interface, which would edit lines.
    emitKeypressEvents(stdin, { escapeCodeTimeout: ESCAPE_MS } as unknown as Interface);
    stdin.on('keypress', this.#onKeypress);
    stdin.on('end', onEnd);
    // A terminal that is gone cannot be read: EIO.
    stdin.on('error', onEnd);
    stdout.on('resize', onResize);
    process.on('exit', this.#restore);
    process.on('SIGCONT', this.#onContinue);
    process.on('SIGTSTP', this.#onSuspend);
    this.#take();
  }

  /** Gives the terminal back; it can be entered again. */
  leave(): void {
    if (!this.#isEntered && this.#suspending === undefined) return;
    const { stdin, stdout, onResize, onEnd } = this.#options;
    clearTimeout(this.#suspending);
    this.#suspending = undefined;
    this.#restore();
    stdin.off('keypress', this.#onKeypress);
    stdin.off('end', onEnd);
    stdin.off('error', onEnd);
    stdin.pause();
    stdout.off('resize', onResize);
    process.off('exit', this.#restore);
    process.off('SIGCONT', this.#onContinue);
    process.off('SIGTSTP', this.#onSuspend);
  }

  /** Gives the terminal back, and stops the process with all of its group, as Ctrl-Z does elsewhere. */
  suspend(): void {
    // Windows knows no such thing.
    if (process.platform === 'win32' || !this.#isEntered) return;
    this.#restore();
    process.off('SIGTSTP', this.#onSuspend);
    process.kill(0, 'SIGTSTP');
    // A process without a shell that could continue it is not stopped.
    this.#suspending = setTimeout(this.#onContinue, SUSPENDING_MS);
  }

  [Symbol.dispose](): void {
    this.leave();
  }

  #take(): void {
    const { stdin, stdout, enter } = this.#options;
    // Somebody else may have changed it meanwhile: what is set already is set again.
    stdin.setRawMode?.(false);
    stdin.setRawMode?.(true);
    stdin.resume();
    stdout.write(enter);
    this.#isEntered = true;
  }

  readonly #restore = (): void => {
    if (!this.#isEntered) return;
    const { stdin, stdout, leave, onLeave } = this.#options;
    onLeave?.();
    this.#isEntered = false;
    stdout.write(leave);
    stdin.setRawMode?.(false);
  };

  readonly #onSuspend = (): void => this.suspend();

  readonly #onContinue = (): void => {
    clearTimeout(this.#suspending);
    this.#suspending = undefined;
    process.off('SIGTSTP', this.#onSuspend);
    process.on('SIGTSTP', this.#onSuspend);
    this.#take();
    this.#options.onContinue();
  };

  readonly #onKeypress = (text: string | undefined, key: Keypress): void => {
    if (this.#isEntered) this.#options.onKey(text, key);
  };
}
