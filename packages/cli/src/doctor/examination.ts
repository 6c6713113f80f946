import { LongwireError } from '@longwire/client';
import type { Context } from '../context.js';
import { wrap } from '../display-width.js';
import { formatDuration } from '../durations.js';
import { exitCodeOf, type ExitCode } from '../exit-codes.js';
import { errorAsJson } from '../report-error.js';
import { sanitizeLine } from '../sanitize.js';

/** The most characters of a line that is shown. */
const maxLine = 1000;

/** The column of the details. */
const indent = 19;

/** A layer between the user and the server, in the order in which they are looked at. */
export type StepName =
  | 'program'
  | 'proxy'
  | 'name'
  | 'address'
  | 'tls'
  | 'http'
  | 'redirect'
  | 'login'
  | 'server'
  | 'session'
  | 'lists'
  | 'call'
  | 'stream'
  | 'output'
  | 'exit';

/** What was found of a layer. */
export interface Finding {
  /** Default: `ok`. A warning breaks nothing; what is skipped could not be looked at. */
  status?: 'ok' | 'warning' | 'skipped' | 'failed';
  /** In one sentence without a capital. */
  detail: string;
  /** More, a line each. */
  lines?: readonly string[];
  /** For programs. */
  facts?: Readonly<Record<string, unknown>>;
  /** What to do. */
  hint?: string | undefined;
  /** Of a failure. Default: 3. */
  exitCode?: ExitCode;
  /** The layer it turned out to be, if it is another. */
  layer?: StepName;
}

/** A layer that was looked at, as `--json` prints it, with its facts. */
export interface Step {
  name: StepName;
  status: 'ok' | 'warning' | 'failed' | 'skipped';
  ms: number;
  detail: string;
  hint?: string;
  [fact: string]: unknown;
}

/** Looks at layers one by one, and shows each as soon as it is known. The first broken one is the last. */
export class Examination {
  readonly #context: Context;
  readonly #steps: Step[] = [];
  #broken: { step: Step; exitCode: ExitCode } | undefined;

  constructor(context: Context) {
    this.#context = context;
  }

  /** Aborted when no more is to be looked at. */
  get signal(): AbortSignal {
    return this.#context.interruptions.signal;
  }

  /** Whether the next layer can be looked at. */
  get goesOn(): boolean {
    return this.#broken === undefined && !this.signal.aborted;
  }

  /** Looks at a layer, unless one below it is broken. An error breaks it. */
  async look(name: StepName, find: () => Promise<Finding>): Promise<void> {
    if (!this.goesOn) return;
    const { terminal } = this.#context;
    terminal.showLive(`looking at ${name}`);
    const startedAt = performance.now();
    let finding: Finding;
    try {
      finding = await find();
    } catch (error) {
      if (!(error instanceof LongwireError) && !this.signal.aborted) throw error;
      finding = this.failure(error);
    } finally {
      terminal.stopLive();
    }
    if (this.signal.aborted) finding = { status: 'skipped', detail: 'interrupted' };
    this.#add(name, finding, performance.now() - startedAt);
  }

  /** What an error of the library comes to, in the words of every other command. */
  failure(error: unknown, requests: Context['requests'] = this.#context.requests): Finding {
    const { redactor } = this.#context;
    const { message, hint, tried, code } = errorAsJson(error, { redactor, requests });
    return {
      status: 'failed',
      detail: message,
      lines: this.#context.terminal.verbose
        ? (tried ?? []).map(({ url, outcome }) => `tried ${url}: ${outcome}`)
        : [],
      facts: { ...(code !== undefined && { code }), ...(tried !== undefined && { tried }) },
      hint,
      exitCode: exitCodeOf(error),
    };
  }

  /** Says what came of it all, or prints it as `--json`. */
  end(target: string): ExitCode {
    const { terminal, options } = this.#context;
    const isInterrupted = this.signal.aborted;
    const broken = this.#broken?.step;
    if (options.json) {
      terminal.json({
        target: this.#shown(target),
        ok: broken === undefined && !isInterrupted,
        steps: this.#steps,
        ...(isInterrupted && { interrupted: true }),
        ...(broken !== undefined && { broken: broken.name }),
        ...(broken?.hint !== undefined && { hint: broken.hint }),
      });
    } else if (broken !== undefined) {
      terminal.print(`\nBroken: ${broken.name}`);
      if (broken.hint !== undefined) this.#print(`To do: ${broken.hint}`, 0);
    } else if (!isInterrupted) {
      const warnings = this.#steps.filter(({ status }) => status === 'warning').length;
      const but = warnings === 0 ? '' : `, ${warnings} warning${warnings === 1 ? '' : 's'}`;
      terminal.print(`\nNothing is broken${but}.`);
    }
    if (isInterrupted) terminal.remark('Interrupted.');
    return isInterrupted ? 130 : (this.#broken?.exitCode ?? 0);
  }

  #add(looked: StepName, finding: Finding, ms: number): void {
    const { status = 'ok', lines = [], facts = {}, exitCode = 3, layer: name = looked } = finding;
    const detail = this.#shown(finding.detail);
    const hint = finding.hint === undefined ? undefined : this.#shown(finding.hint);
    const rest = { ms: Math.round(ms), detail, ...(hint !== undefined && { hint }) };
    const step: Step = { name, status, ...rest, ...facts };
    this.#steps.push(step);
    if (status === 'failed') this.#broken = { step, exitCode };
    const { terminal, options } = this.#context;
    if (options.json) return;
    const { green, yellow, red, dim } = terminal.colors;
    const colors = { ok: green, warning: yellow, failed: red, skipped: dim };
    const time = status === 'skipped' ? '' : `(${formatDuration(ms)})`;
    const found = this.#wrapped(detail, indent);
    const last = `${found.at(-1) ?? ''}  ${time}`;
    // The time is not torn apart either.
    const ends = this.#wrapped(last, indent).length === 1 ? [last] : [found.at(-1) ?? '', time];
    const [first = '', ...more] = [...found.slice(0, -1), ...ends].map((line) =>
      time !== '' && line.endsWith(time) ? line.slice(0, -time.length) + dim(time) : line.trimEnd(),
    );
    terminal.print(`${colors[status](status.padEnd(8))} ${name.padEnd(9)} ${first}`);
    for (const line of more) terminal.print(' '.repeat(indent) + line);
    for (const line of lines) this.#print(this.#shown(line), indent);
    if (status === 'warning' && hint !== undefined) this.#print(`to do: ${hint}`, indent);
  }

  #print(text: string, column: number): void {
    for (const line of this.#wrapped(text, column)) {
      this.#context.terminal.print(' '.repeat(column) + line);
    }
  }

  #wrapped(text: string, column: number): string[] {
    const { width } = this.#context.terminal;
    return width === undefined ? [text] : wrap(text, Math.max(20, width - column));
  }

  #shown(text: string): string {
    return this.#context.redactor.message(sanitizeLine(text, maxLine));
  }
}
