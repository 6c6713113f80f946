import { Buffer } from 'node:buffer';
import { LongwireError } from '../errors.js';

/** One event of an event stream, as the WHATWG rules dispatch it. */
export interface StreamEvent {
  /** The event's name; `message` where the stream gave none. */
  type: string;
  /** The data lines, joined by line feeds. */
  data: string;
  /** The last event id of the stream at this point; empty if none was given or it was reset. */
  lastEventId: string;
}

/** What the decoder needs. */
export interface EventDecoderOptions {
  /** Bytes of one event, field names included. Over it, `push` throws `limit-exceeded`. */
  maxEventBytes: number;
  /** Called for every event, in order. */
  onEvent: (event: StreamEvent) => void;
  /** Called with the milliseconds of a `retry` field. Default: ignored. */
  onRetry?: (retryMs: number) => void;
}

const LF = 0x0a;
const CR = 0x0d;
const COLON = 0x3a;
const SPACE = 0x20;

/**
 * Decodes an event stream from the bytes of its body, split anywhere.
 *
 * Works on bytes, and decodes UTF-8 only line by line: a line feed byte never occurs inside a
 * multi-byte character, so a character split between two chunks needs no care, and a line of
 * many chunks is joined once.
 *
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
 */
export class EventDecoder {
  readonly #maxEventBytes: number;
  readonly #onEvent: (event: StreamEvent) => void;
  readonly #onRetry: ((retryMs: number) => void) | undefined;

  /** The beginning of a line whose end has not come yet. */
  #pending: Buffer[] = [];
  #pendingBytes = 0;
  /** Bytes of the complete lines of the event under way. */
  #eventBytes = 0;
  /** The last chunk ended with CR, so an LF at the start of the next belongs to it. */
  #skipLineFeed = false;
  #atStart = true;

  #type = '';
  #data: string | undefined;
  #lastEventId = '';

  constructor(options: EventDecoderOptions) {
    this.#maxEventBytes = options.maxEventBytes;
    this.#onEvent = options.onEvent;
    this.#onRetry = options.onRetry;
  }

  /**
   * Takes the next bytes of the stream.
   *
   * @throws LongwireError `limit-exceeded`; the decoder is of no use after it.
   */
  push(chunk: Buffer): void {
    let start = 0;
    if (this.#skipLineFeed && chunk.length > 0) {
      this.#skipLineFeed = false;
      if (chunk[0] === LF) start = 1;
    }
    let lineFeed = chunk.indexOf(LF, start);
    let carriageReturn = chunk.indexOf(CR, start);
    while (lineFeed !== -1 || carriageReturn !== -1) {
      let end = lineFeed;
      let next = lineFeed + 1;
      if (carriageReturn !== -1 && (lineFeed === -1 || carriageReturn < lineFeed)) {
        end = carriageReturn;
        next = end + 1;
        if (next === chunk.length) this.#skipLineFeed = true;
        else if (next === lineFeed) next++;
      }
      if (this.#pendingBytes === 0) {
        this.#takeLine(chunk, start, end);
      } else {
        this.#pending.push(chunk.subarray(start, end));
        const line = Buffer.concat(this.#pending);
        this.#pending = [];
        this.#pendingBytes = 0;
        this.#takeLine(line, 0, line.length);
      }
      start = next;
      if (lineFeed !== -1 && lineFeed < start) lineFeed = chunk.indexOf(LF, start);
      if (carriageReturn !== -1 && carriageReturn < start) {
        carriageReturn = chunk.indexOf(CR, start);
      }
    }
    if (start < chunk.length) {
      const rest = start === 0 ? chunk : chunk.subarray(start);
      this.#count(this.#pendingBytes + rest.length);
      this.#pending.push(rest);
      this.#pendingBytes += rest.length;
    }
  }

  #takeLine(bytes: Buffer, from: number, end: number): void {
    let start = from;
    if (this.#atStart) {
      this.#atStart = false;
      if (bytes[start] === 0xef && bytes[start + 1] === 0xbb && bytes[start + 2] === 0xbf) {
        start += 3;
      }
    }
    const length = end - start;
    if (length === 0) {
      this.#dispatch();
      return;
    }
    const first = bytes[start];
    // A comment ends with its line, and is no part of an event.
    if (first === COLON) return;
    this.#count(length);
    this.#eventBytes += length;

    if (first === 0x64 /* d */ && isField(bytes, start, end, 'data')) {
      const value = fieldValue(bytes, start + 4, end);
      this.#data = this.#data === undefined ? value : `${this.#data}\n${value}`;
    } else if (first === 0x65 /* e */ && isField(bytes, start, end, 'event')) {
      this.#type = fieldValue(bytes, start + 5, end);
    } else if (first === 0x69 /* i */ && isField(bytes, start, end, 'id')) {
      const value = fieldValue(bytes, start + 2, end);
      // "If the field value does not contain U+0000 NULL, then set the last event ID buffer."
      if (!value.includes('\0')) this.#lastEventId = value;
    } else if (first === 0x72 /* r */ && isField(bytes, start, end, 'retry')) {
      const value = fieldValue(bytes, start + 5, end);
      if (/^[0-9]+$/.test(value)) this.#onRetry?.(Number(value));
    }
  }

  #dispatch(): void {
    const type = this.#type;
    const data = this.#data;
    this.#type = '';
    this.#data = undefined;
    this.#eventBytes = 0;
    // "If the data buffer is an empty string, set the data buffer and the event type buffer to
    // the empty string and return." One empty `data` line makes it a line feed, not empty.
    if (data === undefined) return;
    this.#onEvent({ type: type === '' ? 'message' : type, data, lastEventId: this.#lastEventId });
  }

  #count(lineBytes: number): void {
    if (this.#eventBytes + lineBytes > this.#maxEventBytes) {
      throw new LongwireError(
        `an event of the stream is larger than ${this.#maxEventBytes} bytes; ` +
          'raise limits.maxEventBytes if this server may send so much',
        { code: 'limit-exceeded', certainty: 'outcome-unknown' },
      );
    }
  }
}

/** Whether the line's field name is `name`: all of the line, or what stands before the colon. */
function isField(bytes: Buffer, start: number, end: number, name: string): boolean {
  const nameEnd = start + name.length;
  if (nameEnd > end || (nameEnd < end && bytes[nameEnd] !== COLON)) return false;
  for (let index = 1; index < name.length; index++) {
    if (bytes[start + index] !== name.charCodeAt(index)) return false;
  }
  return true;
}

/** The field's value: what follows the colon, less one space. */
function fieldValue(bytes: Buffer, colon: number, end: number): string {
  let start = colon + 1;
  if (bytes[start] === SPACE && start < end) start++;
  return start >= end ? '' : bytes.toString('utf8', start, end);
}
