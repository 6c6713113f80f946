import type { Buffer } from 'node:buffer';
import { StringDecoder } from 'node:string_decoder';
import { createParser, type EventSourceParser } from 'eventsource-parser';
import { LongwireError } from '../errors.js';

/** One event of an event stream, as the WHATWG rules dispatch it. */
export interface StreamEvent {
  /** The event's name; `message` where the stream gave none. */
  type: string;
  /** The data lines, joined by line feeds. */
  data: string;
  /** The event's own id; an empty one resets the stream's. */
  id: string | undefined;
}

/** What a decoder is made with. */
export interface EventDecoderOptions {
  /** How large one event may be; `push` throws `limit-exceeded` for a larger one. */
  maxEventBytes: number;
  /** Called for every event, in order. */
  onEvent: (event: StreamEvent) => void;
  /** Called for every comment. Default: ignored. */
  onComment?: () => void;
  /** Called with the milliseconds of a `retry` field. Default: ignored. */
  onRetry?: (retryMs: number) => void;
}

const BYTE_ORDER_MARK = 0xfeff;
const COLON = 0x3a;

/** Each line of an incomplete event counts at least so much: an empty one takes memory, too. */
const LEAST_LINE_SIZE = 64;
/** The room for the fields of an event beside its data: its name, its id. */
const FIELDS_SIZE = 1024;

/**
 * Decodes an event stream from the bytes of its body, split anywhere. eventsource-parser reads the
 * grammar. This class adds the bytes, the limit, and two rules that a parser of strings leaves open:
 * the byte order mark, and a CR at the end of a chunk.
 *
 * One departure from the standard: an `id` in a block without data is ignored.
 *
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
 */
export class EventDecoder {
  /** Keeps the bytes of a character that is split between two chunks. */
  readonly #utf8 = new StringDecoder('utf8');
  readonly #parser: EventSourceParser;
  #atStart = true;
  /** While `end` reads the last event, which has no end. */
  #isEnding = false;
  #unended: StreamEvent | undefined;
  #endedWithCarriageReturn = false;
  readonly #maxEventBytes: number;
  /** The complete lines of the incomplete event. */
  #size = 0;
  /** The incomplete line. */
  #lineSize = 0;

  constructor(options: EventDecoderOptions) {
    const { maxEventBytes, onEvent, onComment, onRetry } = options;
    this.#maxEventBytes = maxEventBytes;
    this.#parser = createParser({
      // Counted in UTF-16 code units, of which there are never more than bytes.
      maxBufferSize: maxEventBytes,
      onEvent: ({ id, event, data }) => {
        // An event that came in one chunk was never buffered, and so not counted.
        checkEventSize(data.length, maxEventBytes);
        if (this.#isEnding) this.#unended = { type: event ?? 'message', data, id };
        else onEvent({ type: event ?? 'message', data, id });
      },
      onError: ({ type }) => {
        if (type === 'max-buffer-size-exceeded') throw tooLarge(maxEventBytes);
      },
      ...(onComment && { onComment }),
      ...(onRetry && { onRetry }),
    });
  }

  /**
   * Takes the next bytes of the stream.
   *
   * @throws LongwireError `limit-exceeded`; the decoder must not be used after it.
   */
  push(chunk: Buffer): void {
    let text = this.#utf8.write(chunk);
    if (text === '') return;
    if (this.#atStart) {
      this.#atStart = false;
      if (text.charCodeAt(0) === BYTE_ORDER_MARK) text = text.slice(1);
    }
    if (this.#endedWithCarriageReturn) {
      this.#endedWithCarriageReturn = false;
      if (text.startsWith('\n')) text = text.slice(1);
    }
    // The parser would wait for an LF before it takes the CR as the end of the line, and so delay the
    // event until the next bytes of the server.
    if (text.endsWith('\r')) {
      this.#endedWithCarriageReturn = true;
      text += '\n';
    }
    if (text.includes('\r')) text = text.replace(/\r\n?/g, '\n');
    this.#count(text);
    this.#parser.feed(text);
  }

  /**
   * The body has ended. Returns the event within which it ended, if it did. "If the stream ends … the
   * event is discarded": so only what is certain may be used of it.
   *
   * @see https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
   */
  end(): StreamEvent | undefined {
    this.#isEnding = true;
    try {
      this.#parser.feed(`${this.#utf8.end()}\n\n`);
    } catch {
      return undefined;
    }
    return this.#unended;
  }

  /**
   * Counts what the incomplete event keeps in memory. The parser counts its data alone: many short
   * lines take a multiple of that, and so do the comments between them.
   */
  #count(text: string): void {
    let from = this.#afterLastEvent(text);
    for (let to = text.indexOf('\n', from); to !== -1; to = text.indexOf('\n', from)) {
      // A comment outside of an event is not kept.
      const isKept = this.#size > 0 || this.#lineSize > 0 || text.charCodeAt(from) !== COLON;
      if (isKept) this.#size += Math.max(this.#lineSize + to - from, LEAST_LINE_SIZE);
      this.#lineSize = 0;
      from = to + 1;
    }
    this.#lineSize += text.length - from;
    checkEventSize(this.#size + this.#lineSize - FIELDS_SIZE, this.#maxEventBytes);
  }

  /** Where the text after its last complete event begins. */
  #afterLastEvent(text: string): number {
    const blank = text.lastIndexOf('\n\n');
    const isEndOfLast = blank === -1 && this.#lineSize === 0 && text.startsWith('\n');
    if (blank === -1 && !isEndOfLast) return 0;
    this.#size = 0;
    this.#lineSize = 0;
    return isEndOfLast ? 1 : blank + 2;
  }
}

/**
 * Checks the size of one event, or of one document.
 *
 * @throws LongwireError `limit-exceeded`.
 */
export function checkEventSize(size: number, maxEventBytes: number): void {
  if (size > maxEventBytes) throw tooLarge(maxEventBytes);
}

function tooLarge(maxEventBytes: number): LongwireError {
  return new LongwireError(`an event of the stream is larger than ${maxEventBytes} bytes`, {
    code: 'limit-exceeded',
    certainty: 'outcome-unknown',
    hint: 'raise limits.maxEventBytes if this server may send so much',
  });
}
