import type { Output } from './streams.js';

/** What waits beyond that is dropped, in UTF-16 units: a server that asks may also write without end. */
const maxLength = 1024 * 1024;

/** Output that waits while the terminal is somebody else's. */
export class HeldOutput {
  readonly #waiting: { stream: Output; text: string }[] = [];
  #length = 0;
  #dropped = 0;

  /** A result, or a part of one: it waits however long it is. */
  addResult(stream: Output, text: string): void {
    this.#waiting.push({ stream, text });
  }

  /** What is said beside results: dropped, and counted, where too much waits. */
  addRemark(stream: Output, text: string): void {
    this.#length += text.length;
    if (this.#length > maxLength) this.#dropped++;
    else this.#waiting.push({ stream, text });
  }

  /** Writes it; `tell` is given what to say of what was dropped. */
  write(tell: (line: string) => void): void {
    for (const { stream, text } of this.#waiting) stream.write(text);
    if (this.#dropped > 0) tell(`(${this.#dropped} lines left out, which came meanwhile)`);
  }
}
