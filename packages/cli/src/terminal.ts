import pc from 'picocolors';
import type { Redactor } from './redact.js';
import { escapeControls } from './sanitize.js';
import type { Output } from './streams.js';

/** Colours, or the same functions doing nothing. */
export type Colors = ReturnType<typeof pc.createColors>;

/** Something drawn on the last line of the terminal until it is stopped. */
export interface LiveLine {
  stop(): void;
}

/** How a terminal is to behave. */
export interface TerminalOptions {
  stdout: Output;
  stderr: Output;
  redactor: Redactor;
  env: Readonly<Record<string, string | undefined>>;
  /** No remarks, no progress; results and errors only. */
  quiet?: boolean;
  /** Details of what happens underneath. */
  verbose?: boolean;
  /** `false`: no colours, terminal or not. */
  color?: boolean;
}

/**
 * The two outputs of the command: results on stdout; remarks, progress and errors on stderr. All
 * that is written passes the redactor, messages strictly and results for our own credentials.
 */
export class Terminal {
  readonly #stdout: Output;
  readonly #stderr: Output;
  readonly #redactor: Redactor;
  readonly #quiet: boolean;
  readonly #drawable: boolean;
  #liveLine: LiveLine | undefined;
  /** What waits to be written while a question has the terminal to itself. */
  #held: (() => void)[] | undefined;

  /** Whether details are wanted. */
  readonly verbose: boolean;
  /** Colours for stdout. */
  readonly colors: Colors;
  /** Colours for stderr. */
  readonly remarkColors: Colors;
  /** Whether stdout is a terminal. */
  readonly interactive: boolean;

  constructor(options: TerminalOptions) {
    const { stdout, stderr, redactor, env, quiet = false, verbose = false, color = true } = options;
    this.#stdout = stdout;
    this.#stderr = stderr;
    this.#redactor = redactor;
    this.#quiet = quiet;
    this.verbose = verbose;
    const dumb = env['TERM'] === 'dumb';
    const colored = color && !env['NO_COLOR'] && !dumb;
    this.interactive = stdout.isTTY === true;
    this.colors = pc.createColors(colored && stdout.isTTY === true);
    this.remarkColors = pc.createColors(colored && stderr.isTTY === true);
    this.#drawable = stderr.isTTY === true && !quiet && !dumb && !('CI' in env);
  }

  /** Whether spinners and bars may be drawn on stderr now. */
  get live(): boolean {
    return this.#drawable && this.#held === undefined;
  }

  /** Where spinners, bars and questions are drawn. */
  get stderr(): Output {
    return this.#stderr;
  }

  /** Where results go. */
  get stdout(): Output {
    return this.#stdout;
  }

  /** The width of stdout in characters; undefined where it is no terminal and lines may be long. */
  get width(): number | undefined {
    return this.interactive ? this.#stdout.columns || 80 : undefined;
  }

  /** Part of a result, without a line break. What a server sent is sanitized by the caller. */
  write(text: string): void {
    this.#emit(this.#stdout, this.#redactor.data(text));
  }

  /** A line of the result. */
  print(line: string = ''): void {
    this.write(`${line}\n`);
  }

  /** The result as one JSON document; `lines` puts each on one line. */
  json(value: unknown, options: { lines?: boolean } = {}): void {
    const text = JSON.stringify(this.#redactor.value(value), null, options.lines === true ? 0 : 2);
    this.#emit(this.#stdout, `${escapeControls(text)}\n`);
  }

  /** A remark, left out with `--quiet`. */
  remark(line: string): void {
    if (!this.#quiet) this.#toStderr(line);
  }

  /** A detail, shown with `--verbose`. */
  detail(line: string): void {
    if (this.verbose) this.#toStderr(this.remarkColors.dim(line));
  }

  /** What went wrong: always shown. */
  error(line: string): void {
    this.#toStderr(line);
  }

  /** Makes `line` the one thing that is drawn live; whatever was, is stopped. */
  setLive(line: LiveLine): void {
    this.stopLive();
    this.#liveLine = line;
  }

  /** Clears what is drawn live, cursor restored. */
  stopLive(): void {
    const line = this.#liveLine;
    this.#liveLine = undefined;
    line?.stop();
  }

  /** Leaves the terminal to a question; what is written meanwhile comes after it. */
  async ask<T>(question: () => Promise<T>): Promise<T> {
    this.stopLive();
    const held: (() => void)[] = [];
    this.#held = held;
    try {
      return await question();
    } finally {
      this.#held = undefined;
      for (const write of held) write();
    }
  }

  #toStderr(line: string): void {
    this.#emit(this.#stderr, `${this.#redactor.message(line)}\n`);
  }

  #emit(stream: Output, text: string): void {
    if (this.#held !== undefined) return void this.#held.push(() => stream.write(text));
    this.stopLive();
    stream.write(text);
  }
}
