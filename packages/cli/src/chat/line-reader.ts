import { createInterface, type Interface } from 'node:readline';
import type { Context } from '../context.js';
import type { Interruptions } from '../interruptions.js';
import type { Input, Output } from '../streams.js';

/** What came of asking for a line. */
export type Line =
  | { kind: 'line'; text: string }
  /** No more input: Ctrl-D, or a pipe that ended. */
  | { kind: 'end' }
  /** Ctrl-C at the prompt. */
  | { kind: 'interrupted' };

/** Where the lines of a conversation come from. */
export interface LineReader {
  next(): Promise<Line>;
  close(): void;
}

/** How a prompt looks and completes. */
export interface PromptOptions {
  prompt: string;
  /** What Tab offers for a line so far. */
  complete: (line: string) => string[];
}

/** How many lines the arrow keys go back. */
const historySize = 200;

/** Lines from a person with editing and history, or from a pipe one after the other. */
export function createLineReader(context: Context, options: PromptOptions): LineReader {
  const { stdin, terminal, interruptions } = context;
  return stdin.isTTY === true && terminal.interactive
    ? new TerminalLines(stdin, terminal.stdout, interruptions, options)
    : new PipedLines(stdin, interruptions);
}

/**
 * One readline interface a line: between lines the terminal is as the shell left it, so that
 * Ctrl-C is a signal during a turn, and a question of another library finds the input free.
 */
class TerminalLines implements LineReader {
  readonly #stdin: Input;
  readonly #stdout: Output;
  readonly #interruptions: Interruptions;
  readonly #options: PromptOptions;
  #history: string[] = [];

  constructor(stdin: Input, stdout: Output, interruptions: Interruptions, options: PromptOptions) {
    this.#stdin = stdin;
    this.#stdout = stdout;
    this.#interruptions = interruptions;
    this.#options = options;
  }

  next(): Promise<Line> {
    const reader = createInterface({
      input: this.#stdin,
      output: this.#stdout,
      terminal: true,
      history: this.#history,
      historySize,
      removeHistoryDuplicates: true,
      completer: (line: string): [string[], string] => [this.#options.complete(line), line],
    });
    reader.on('history', (history: string[]) => {
      this.#history = history;
    });
    return new Promise<Line>((resolve) => {
      const { signal } = this.#interruptions;
      // Called again by the close that it makes itself, which then changes nothing.
      const settle = (line: Line): void => {
        release();
        signal.removeEventListener('abort', onAbort);
        resolve(line);
        reader.close();
      };
      const release = this.#interruptions.take(() => {
        this.#stdout.write('^C\n');
        settle({ kind: 'interrupted' });
      });
      const onAbort = (): void => settle({ kind: 'interrupted' });
      signal.addEventListener('abort', onAbort, { once: true });
      reader.on('SIGINT', () => this.#interruptions.interrupt());
      reader.on('line', (text) => settle({ kind: 'line', text }));
      reader.on('close', () => settle({ kind: 'end' }));
      reader.setPrompt(this.#options.prompt);
      reader.prompt();
    });
  }

  close(): void {
    // Nothing is open between two lines.
  }
}

/** Lines that come when they come; those not asked for yet wait. */
class PipedLines implements LineReader {
  readonly #reader: Interface;
  readonly #waiting: Line[] = [];
  #resolve: ((line: Line) => void) | undefined;

  constructor(stdin: Input, interruptions: Interruptions) {
    this.#reader = createInterface({ input: stdin, terminal: false });
    this.#reader.on('line', (text) => this.#arrived({ kind: 'line', text }));
    this.#reader.on('close', () => this.#arrived({ kind: 'end' }));
    const onAbort = (): void => this.#arrived({ kind: 'interrupted' });
    interruptions.signal.addEventListener('abort', onAbort, { once: true });
  }

  next(): Promise<Line> {
    const line = this.#waiting.shift();
    if (line !== undefined) return Promise.resolve(line);
    return new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  close(): void {
    this.#reader.close();
  }

  #arrived(line: Line): void {
    const resolve = this.#resolve;
    this.#resolve = undefined;
    if (resolve === undefined) this.#waiting.push(line);
    else resolve(line);
  }
}
