import { Writable } from 'node:stream';
import { toJson } from '@longwire/client';
import pc from 'picocolors';
import { fit } from './display-width.js';
import { HeldOutput } from './held-output.js';
import { LiveLine, type DrawLive } from './live-line.js';
import type { Redactor } from './redact.js';
import { escapeControls, sanitizeLine } from './sanitize.js';
import { askWord, type QuestionDesk, type WordQuestion } from './question-desk.js';
import { discardTyped, type Input, type Output } from './streams.js';

/** Colours, or the same functions doing nothing. */
export type Colors = ReturnType<typeof pc.createColors>;

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

/** What stays below all output of a terminal: a line that is being typed. */
export interface Bottom {
  /** Removes it, for output to take its place. */
  hide(): void;
  /** Text was written: it may be shown again, below its last line. */
  show(written: string): void;
  /** Draws what is at work. */
  readonly drawLive: DrawLive;
  /** Leaves input and screen to somebody else until the function returned is called. */
  release(): () => void;
}

/**
 * The two outputs of the command: results on stdout; remarks, progress and errors on stderr. All output
 * passes the redactor: messages strictly, results for our own credentials only.
 */
export class Terminal {
  readonly #stdout: Output;
  readonly #stderr: Output;
  readonly #redactor: Redactor;
  readonly #quiet: boolean;
  readonly #drawable: boolean;
  readonly #isDumb: boolean;
  readonly #liveLine: LiveLine;
  readonly #remarked = new Set<string>();
  /** Settles when all who came so far have left input and screen. */
  #occupation: Promise<void> = Promise.resolve();
  /** The end of the written text, if it may be the beginning of a secret. */
  #unfinished = '';
  /** What waits while a question uses the terminal. */
  #held: HeldOutput | undefined;
  #bottom: Bottom | undefined;
  /** What goes to stdout while it is captured. */
  #captured: string[] | undefined;
  /** Given what went wrong while the terminal is lent. */
  #onError: ((line: string) => void) | undefined;

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
    this.#isDumb = dumb;
    const isColored = (stream: Output): boolean =>
      color && (isForced(env) ?? (!env['NO_COLOR'] && !dumb && stream.isTTY === true));
    this.interactive = stdout.isTTY === true;
    this.colors = pc.createColors(isColored(stdout));
    this.remarkColors = pc.createColors(isColored(stderr));
    this.#drawable = stderr.isTTY === true && !quiet && !dumb && !('CI' in env);
    this.#liveLine = new LiveLine(stderr, this.remarkColors.cyan);
  }

  /** Whether {@link showLive} shows anything now. */
  get live(): boolean {
    return this.#drawable && this.#held === undefined;
  }

  /** The stream on which a line editor draws; for other output use `print`. */
  get stdout(): Output {
    return this.#stdout;
  }

  /** The stream of remarks, on which a question may be drawn. */
  get stderr(): Output {
    return this.#stderr;
  }

  /** The width of stdout in columns; undefined if it is no terminal and lines may be long. */
  get width(): number | undefined {
    return this.interactive ? this.#stdout.columns || 80 : undefined;
  }

  /** The width of stderr in columns; undefined if it is no terminal and lines may be long. */
  get stderrWidth(): number | undefined {
    return this.#stderr.isTTY === true ? this.#stderr.columns || 80 : undefined;
  }

  /**
   * Part of a result, without a line break. The caller sanitizes what a server sent. A possible beginning
   * of a secret is held back until more text is written.
   */
  write(text: string): void {
    const whole = this.#unfinished + text;
    const end = this.#redactor.safeEnd(whole);
    this.#unfinished = whole.slice(end);
    if (end > 0) this.#emit(this.#stdout, this.#redactor.data(whole.slice(0, end)));
  }

  /** A line of the result. */
  print(line: string = ''): void {
    this.write(`${line}\n`);
  }

  /** A whole text as a result, as it is: without a line break at its end. The caller sanitizes it. */
  text(text: string): void {
    this.#emit(this.#stdout, this.#redactor.data(text));
  }

  /** Bytes as a result. */
  bytes(bytes: Uint8Array): void {
    this.stopLive();
    this.#stdout.write(bytes);
  }

  /** The result as one JSON document; `lines` puts each on one line. */
  json(value: unknown, options: { lines?: boolean } = {}): void {
    const text = toJson(this.#redactor.value(value), options.lines === true ? 0 : 2);
    this.#emit(this.#stdout, `${escapeControls(text)}\n`);
  }

  /** What is printed to stdout meanwhile, ready to be passed on. */
  captured(print: () => void): string {
    const parts: string[] = [];
    this.#captured = parts;
    try {
      print();
    } finally {
      this.#captured = undefined;
    }
    return parts.join('');
  }

  /** Writes to stdout what was captured. */
  passOn(text: string): void {
    this.#emit(this.#stdout, text);
  }

  /** A remark; not shown with `--quiet`. */
  remark(line: string): void {
    if (!this.#quiet && this.#onError === undefined) this.#toStderr(line);
  }

  /** A remark that is shown once, even if it is made again. */
  remarkOnce(line: string): void {
    if (this.#remarked.has(line)) return;
    this.#remarked.add(line);
    this.remark(line);
  }

  /** A detail, shown with `--verbose`. */
  detail(line: string): void {
    if (this.verbose && this.#onError === undefined) this.#toStderr(this.remarkColors.dim(line));
  }

  /**
   * What a person has to open or to enter, always shown. Unlike a remark it is whole: an address to open
   * is of no use without its query.
   */
  instruct(line: string): void {
    this.#emit(this.#stderr, `${this.#redactor.data(line)}\n`);
  }

  /** A line of the trace, which has its own colours: always shown. */
  trace(line: string): void {
    if (this.#onError === undefined) this.#toStderr(line);
  }

  /** What went wrong: always shown. */
  error(line: string): void {
    this.#onError?.(this.#redactor.message(line));
    this.#toStderr(line);
  }

  /** Shows the present activity with a spinner, until something is written or it is stopped. */
  showLive(text: string): void {
    if (!this.live) return;
    const width = (this.#stderr.columns || 80) - 3;
    this.#liveLine.show(fit(this.#redactor.message(sanitizeLine(text)), width));
  }

  /** Clears the live line and restores the cursor. */
  stopLive(): void {
    this.#liveLine.clear();
  }

  /**
   * Leaves the whole terminal to the caller until the function returned is called. Remarks and
   * details are dropped meanwhile; what went wrong is given to `onError`, and written afterwards.
   */
  lend(onError: (line: string) => void): () => void {
    this.stopLive();
    const held = new HeldOutput();
    this.#held = held;
    this.#onError = onError;
    return () => {
      this.#held = undefined;
      this.#onError = undefined;
      held.write((line) => this.remark(line));
    };
  }

  /** Whether a line can be edited: where the cursor can be moved. */
  canEdit(stdin: Input): boolean {
    return stdin.isTTY === true && this.interactive && !this.#isDumb;
  }

  /** Keeps something below all output until the function returned is called. */
  attach(bottom: Bottom): () => void {
    this.#bottom = bottom;
    this.#liveLine.drawElsewhere(bottom.drawLive);
    return () => {
      this.#bottom = undefined;
      this.#liveLine.drawElsewhere(undefined);
    };
  }

  /**
   * Leaves input and screen to `work` until it has settled; one caller at a time, in the order in which
   * they came. Other output waits.
   */
  async occupied<Result>(work: () => Promise<Result>): Promise<Result> {
    const earlier = this.#occupation;
    let leave!: () => void;
    const left = new Promise<void>((resolve) => (leave = resolve));
    this.#occupation = earlier.then(() => left);
    await earlier;
    this.stopLive();
    const takeBack = this.#bottom?.release();
    const held = new HeldOutput();
    this.#held = held;
    try {
      return await work();
    } finally {
      this.#held = undefined;
      held.write((line) => this.remark(line));
      takeBack?.();
      leave();
    }
  }

  /** Whether a question can be asked. */
  canAsk(stdin: Input): boolean {
    return stdin.isTTY === true && this.#stderr.isTTY === true;
  }

  /**
   * Gives the terminal to questions until `work` has settled, as {@link occupied}. Input from before is
   * discarded.
   *
   * @throws the library's `ExitPromptError` after Ctrl-C, which it reads itself; what `work` throws.
   */
  async converse<Answer>(
    { stdin, signal }: { stdin: Input; signal: AbortSignal },
    work: (desk: QuestionDesk) => Promise<Answer>,
  ): Promise<Answer> {
    return await this.occupied(async () => {
      try {
        signal.throwIfAborted();
        await discardTyped(stdin, signal);
        const { blue, bold, cyan, green } = this.remarkColors;
        return await work({
          show: (line) => void this.#stderr.write(`${this.#redactor.data(line)}\n`),
          shown: (text) => this.#redactor.data(text),
          columns: this.#stderr.columns || 80,
          theme: {
            prefix: { idle: blue('?'), done: green('✔') },
            style: { message: bold, answer: cyan },
          },
          newContext: () => ({ input: stdin, output: lasting(this.#stderr), signal }),
        });
      } finally {
        stdin.setRawMode?.(false);
      }
    });
  }

  /**
   * Shows lines and then asks a question that is answered with a word. The lines and the question are
   * sanitized already.
   *
   * @returns one of the answers, by any of its words; the last one for nothing but Enter.
   * @throws as {@link converse}.
   */
  async ask<Answer extends string>(
    question: string,
    options: WordQuestion<Answer> & { stdin: Input; signal: AbortSignal },
  ): Promise<Answer> {
    return await this.converse(options, (desk) => askWord(desk, question, options));
  }

  #toStderr(line: string): void {
    const { text } = this.#liveLine;
    this.#emit(this.#stderr, `${this.#redactor.message(line)}\n`);
    if (text !== undefined) this.#liveLine.show(text);
  }

  #emit(stream: Output, text: string): void {
    if (this.#captured !== undefined && stream === this.#stdout) {
      return void this.#captured.push(text);
    }
    if (this.#held !== undefined) {
      if (stream === this.#stdout) this.#held.addResult(stream, text);
      else this.#held.addRemark(stream, text);
      return;
    }
    this.stopLive();
    this.#bottom?.hide();
    stream.write(text);
    this.#bottom?.show(text);
  }
}

/** What `FORCE_COLOR` says, which counts more than `NO_COLOR`, as it does for Node. */
function isForced({
  FORCE_COLOR,
}: Readonly<Record<string, string | undefined>>): boolean | undefined {
  if (FORCE_COLOR === undefined) return undefined;
  return FORCE_COLOR !== '0' && FORCE_COLOR !== 'false';
}

/** The same stream for a library that ends its stream. */
function lasting(stream: Output): Writable {
  const write = (chunk: Buffer, _encoding: string, done: () => void): void =>
    void stream.write(chunk, () => done());
  return Object.assign(new Writable({ write }), { isTTY: stream.isTTY, columns: stream.columns });
}
