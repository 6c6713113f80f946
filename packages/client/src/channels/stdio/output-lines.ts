import type { Buffer } from 'node:buffer';
import { StringDecoder } from 'node:string_decoder';

/** How much of one line is kept. */
export const MAX_LINE_CHARACTERS = 16_384;

/**
 * Decodes the lines of a pipe that are for people: a lone CR ends a line, too, blank lines are left out,
 * and of a long line only the beginning is given.
 */
export class OutputLines {
  readonly #onLine: (line: string) => void;
  /** Keeps the bytes of a character that is split between two chunks. */
  readonly #utf8 = new StringDecoder('utf8');
  /** The incomplete line. */
  #pending = '';

  constructor(onLine: (line: string) => void) {
    this.#onLine = onLine;
  }

  /** Takes the next bytes of the pipe. */
  push(chunk: Buffer): void {
    const lines = this.#utf8.write(chunk).split(/[\r\n]/);
    const last = lines.pop() ?? '';
    for (const line of lines) this.#complete(line);
    this.#append(last);
  }

  /** The pipe has ended: its last line may have no end. Harmless when repeated. */
  end(): void {
    this.#complete(this.#utf8.end());
  }

  #complete(rest: string): void {
    this.#append(rest);
    const line = this.#pending;
    this.#pending = '';
    if (line.trim() !== '') this.#onLine(line);
  }

  #append(text: string): void {
    const room = MAX_LINE_CHARACTERS - this.#pending.length;
    if (room > 0) this.#pending += text.slice(0, room);
  }
}
