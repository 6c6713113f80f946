import { Buffer } from 'node:buffer';

/** The end of a text that may be endless. */
export class TextTail {
  readonly #maxBytes: number;
  #kept: Buffer = Buffer.alloc(0);
  #isCut = false;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Takes the next bytes, and keeps no more than the last of them. */
  push(chunk: Buffer): void {
    const all = Buffer.concat([this.#kept, chunk.subarray(-this.#maxBytes)]);
    this.#isCut ||= this.#kept.length + chunk.length > this.#maxBytes;
    // A copy: a part would keep the whole in memory.
    this.#kept = Buffer.from(all.subarray(-this.#maxBytes));
  }

  /** What was kept, without the white space around it, and without half a character before it. */
  toString(): string {
    let start = 0;
    while (this.#isCut && isContinuation(this.#kept[start])) start++;
    return this.#kept.toString('utf8', start).trim();
  }
}

/** Whether a byte of UTF-8 continues a character that an earlier one began. */
function isContinuation(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0xc0) === 0x80;
}
