import { Buffer } from 'node:buffer';

/** The last bytes of a text of any length. */
export class TextTail {
  readonly #maxBytes: number;
  #kept: Buffer = Buffer.alloc(0);
  #isCut = false;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Takes the next bytes, and keeps only the last ones. */
  push(chunk: Buffer): void {
    const all = Buffer.concat([this.#kept, chunk.subarray(-this.#maxBytes)]);
    this.#isCut ||= this.#kept.length + chunk.length > this.#maxBytes;
    // A copy: a view would keep the whole buffer in memory.
    this.#kept = Buffer.from(all.subarray(-this.#maxBytes));
  }

  /** The kept text, without white space around it and without a broken character before it. */
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
