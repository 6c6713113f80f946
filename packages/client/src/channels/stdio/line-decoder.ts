import type { Buffer } from 'node:buffer';
import { StringDecoder } from 'node:string_decoder';
import { LongwireError } from '../../errors.js';

/** What a decoder is made with. */
export interface LineDecoderOptions {
  /** How long one line may be, in UTF-16 code units; `push` throws `limit-exceeded` for a longer one. */
  maxEventBytes: number;
  /** Called for every line that is not blank, in order, without its end. */
  onLine: (line: string) => void;
}

const BYTE_ORDER_MARK = 0xfeff;

/**
 * Decodes the lines of a pipe from its bytes, split anywhere. A line ends with LF. A CR before it, as
 * programs on Windows write it, is white space in JSON and stays. A byte order mark at the start is
 * dropped.
 */
export class LineDecoder {
  readonly #options: LineDecoderOptions;
  /** Keeps the bytes of a character that is split between two chunks. */
  readonly #utf8 = new StringDecoder('utf8');
  /** The incomplete line. */
  #pending = '';
  #atStart = true;

  constructor(options: LineDecoderOptions) {
    this.#options = options;
  }

  /**
   * Takes the next bytes of the pipe.
   *
   * @throws LongwireError `limit-exceeded`, or what `onLine` throws; the decoder must not be used after
   * it.
   */
  push(chunk: Buffer): void {
    this.#take(this.#utf8.write(chunk));
  }

  /**
   * The pipe has ended: its last line may have no end.
   *
   * @throws what `push` throws.
   */
  end(): void {
    this.#take(this.#utf8.end());
    this.#complete('');
  }

  #take(text: string): void {
    if (text === '') return;
    let from = this.#atStart && text.charCodeAt(0) === BYTE_ORDER_MARK ? 1 : 0;
    this.#atStart = false;
    for (let to = text.indexOf('\n', from); to !== -1; to = text.indexOf('\n', from)) {
      this.#complete(text.slice(from, to));
      from = to + 1;
    }
    this.#pending += text.slice(from);
    this.#check(this.#pending);
  }

  #complete(rest: string): void {
    const line = this.#pending + rest;
    this.#pending = '';
    this.#check(line);
    if (line.trim() !== '') this.#options.onLine(line);
  }

  #check(line: string): void {
    const { maxEventBytes } = this.#options;
    if (line.length <= maxEventBytes) return;
    throw new LongwireError(`a line of the server is larger than ${maxEventBytes} bytes`, {
      code: 'limit-exceeded',
      certainty: 'outcome-unknown',
      hint: 'raise limits.maxEventBytes if this server may send so much',
    });
  }
}
