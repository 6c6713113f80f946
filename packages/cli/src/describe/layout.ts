import { displayWidth, wrap } from '../display-width.js';
import { sanitize } from '../sanitize.js';

/** How far what belongs to a line is moved to the right of it. */
export const INDENT = 4;

/** How many columns text gets, however far to the right it stands. */
const minWidth = 20;

/**
 * How many characters are wrapped at most, which takes a tenth of a second: a server may describe a tool
 * at any length. The terminal breaks what comes after them.
 */
const maxWrapped = 20_000;

/** Lays out what servers write about one thing, for a terminal of so many columns, or for none. */
export class Layout {
  readonly #width: number | undefined;
  #left = maxWrapped;

  constructor(width: number | undefined) {
    this.#width = width;
  }

  /** Text with its own lines, each wrapped, moved to the right. It is sanitized here. */
  text(text: unknown, left: number): string[] {
    if (typeof text !== 'string' || text.trim() === '') return [];
    return sanitize(text)
      .trim()
      .split('\n')
      .flatMap((line) => this.#wrapped(line.trimEnd(), left))
      .map((line) => (line === '' ? '' : ' '.repeat(left) + line));
  }

  /** A line that goes on further to the right where it is too long. */
  hanging(line: string, left: number): string[] {
    const [first = '', ...rest] = this.#wrapped(line, left);
    const more = rest.length === 0 ? [] : this.#wrapped(rest.join(' '), left + INDENT);
    return [' '.repeat(left) + first, ...more.map((each) => ' '.repeat(left + INDENT) + each)];
  }

  #wrapped(line: string, left: number): string[] {
    if (this.#width === undefined) return [line];
    const room = Math.max(minWidth, this.#width - left);
    if (line.length <= room && displayWidth(line) <= room) return [line];
    this.#left -= line.length;
    return this.#left < 0 ? [line] : wrap(line, room);
  }
}
