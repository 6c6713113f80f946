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

/** What the decoder needs. */
export interface EventDecoderOptions {
  /** What one event may hold; over it, `push` throws `limit-exceeded`. */
  maxEventBytes: number;
  /** Called for every event, in order. */
  onEvent: (event: StreamEvent) => void;
  /** Called for every comment. Default: ignored. */
  onComment?: () => void;
  /** Called with the milliseconds of a `retry` field. Default: ignored. */
  onRetry?: (retryMs: number) => void;
}

const BYTE_ORDER_MARK = 0xfeff;

/**
 * Decodes an event stream from the bytes of its body, split anywhere. The grammar is
 * eventsource-parser's; here are the bytes, the limit, and two rules that a parser of strings
 * leaves open: the byte order mark, and a CR that ends a chunk.
 *
 * One departure from the rules: an `id` in a block without data is not seen.
 *
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
 */
export class EventDecoder {
  /** Keeps the bytes of a character that is split between two chunks. */
  readonly #utf8 = new StringDecoder('utf8');
  readonly #parser: EventSourceParser;
  #atStart = true;
  #endedWithCarriageReturn = false;

  constructor(options: EventDecoderOptions) {
    const { maxEventBytes, onEvent, onComment, onRetry } = options;
    this.#parser = createParser({
      // Counted in UTF-16 code units, of which there are never more than bytes.
      maxBufferSize: maxEventBytes,
      onEvent: ({ id, event, data }) => {
        // What came in one chunk was never buffered, and so not counted.
        checkEventSize(data.length, maxEventBytes);
        onEvent({ type: event ?? 'message', data, id });
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
   * @throws LongwireError `limit-exceeded`; the decoder is of no use after it.
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
    // The parser would wait for an LF before it takes the CR for the end of the line, and what
    // the line completes would wait for the server's next word.
    if (text.endsWith('\r')) {
      this.#endedWithCarriageReturn = true;
      text += '\n';
    }
    this.#parser.feed(text);
  }
}

/**
 * Checks what one event, or one document, may hold.
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
