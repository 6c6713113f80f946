import { ConfigError, type ConfigProblem } from '../errors.js';

/** As many as a person reads before correcting the first. */
const MAX_SHOWN = 10;

/** A file as it was read. */
export interface Source {
  /** What it is called in messages. */
  file: string;
  text: string;
}

/** What is wrong in a file, collected so that one error says all of it. */
export class Problems {
  readonly #source: Source;
  readonly #found: { offset: number; message: string; variable: string | undefined }[] = [];

  constructor(source: Source) {
    this.#source = source;
  }

  /**
   * Adds a problem. `offset` is where in the text it is. `variable` is the variable that has no value,
   * where that is the problem.
   */
  add(offset: number, message: string, variable?: string): void {
    this.#found.push({ offset, message, variable });
  }

  /** Adds what was found elsewhere in the same file. */
  include(other: Problems): void {
    for (const one of other.#found) this.#found.push(one);
  }

  /** Everything that was found as one error; `undefined` where nothing was. */
  error(): ConfigError | undefined {
    const { file } = this.#source;
    const problems = this.#found
      .toSorted((a, b) => a.offset - b.offset)
      .map(({ offset, message, variable }): ConfigProblem => {
        const place = { file, ...positionIn(this.#source, offset) };
        return { ...place, message, ...(variable !== undefined && { variable }) };
      });
    const lines = problems.map(
      ({ line, column, message }) => `${file}:${line}:${column}: ${message}`,
    );
    const [first, second] = lines;
    if (first === undefined) return undefined;
    if (second === undefined) return new ConfigError(first, { problems });
    const shown = lines.slice(0, MAX_SHOWN).map((line) => `\n  ${line}`);
    const more = lines.length - shown.length;
    const end = more > 0 ? `\n  and ${more} more` : '';
    const message = `${file} has ${lines.length} problems:${shown.join('')}${end}`;
    return new ConfigError(message, { problems });
  }

  /** @throws ConfigError where something was found. */
  throwIfAny(): void {
    const error = this.error();
    if (error !== undefined) throw error;
  }
}

/** Where the lines of each file begin that was asked for. */
const lineStarts = new WeakMap<Source, readonly number[]>();

/** Line and column, both from 1. */
export function positionIn(source: Source, offset: number): { line: number; column: number } {
  let starts = lineStarts.get(source);
  if (starts === undefined) {
    const ends = source.text.matchAll(/\r\n|\r|\n/g);
    starts = [0, ...[...ends].map(({ index, 0: end }) => index + end.length)];
    lineStarts.set(source, starts);
  }
  let [low, high] = [0, starts.length - 1];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if ((starts[middle] ?? 0) <= offset) low = middle;
    else high = middle - 1;
  }
  return { line: low + 1, column: offset - (starts[low] ?? 0) + 1 };
}
