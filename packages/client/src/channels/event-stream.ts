import type { Buffer } from 'node:buffer';
import { ConnectionLostError, LongwireError } from '../errors.js';
import type { Dialect } from './channel.js';
import { EventDecoder, type StreamEvent } from './event-decoder.js';
import type { ExchangeAnswer } from './exchange.js';
import type { Http, Sent } from './http.js';

/** Default of `limits.maxEventBytes`: a result of 50 MiB fits. */
export const DEFAULT_MAX_EVENT_BYTES: number = 64 * 1024 * 1024;

const STREAM_HEADERS = { accept: 'text/event-stream', 'cache-control': 'no-cache' };

/** Who is told what happens on a stream. */
export interface EventStreamListener {
  onEvent(event: StreamEvent): void;
  /** Once, unless the stream was closed from this side. */
  onEnd(reason: LongwireError): void;
}

/** The request for a stream. */
export interface EventStreamOptions {
  url: URL;
  dialect: Dialect | undefined;
  maxEventBytes: number;
  listener: EventStreamListener;
  /** Ends the opening; an open stream is ended by `close()`. */
  signal: AbortSignal;
}

/** The body of a GET that the server keeps open. */
export class EventStream {
  /** The URL that answered, after redirects. */
  readonly url: URL;
  /** Who is told. A channel that takes the stream over puts itself here. */
  listener: EventStreamListener;
  readonly #sent: Sent;
  #closed = false;

  private constructor(url: URL, listener: EventStreamListener, sent: Sent) {
    this.url = url;
    this.listener = listener;
    this.#sent = sent;
  }

  /**
   * Opens a stream.
   *
   * @throws LongwireError `not-mcp` for an answer that is no event stream, or what `Http` throws.
   */
  static async open(http: Http, options: EventStreamOptions): Promise<EventStream> {
    // Bytes of the body may come in the same tick as the head, before `stream` exists: the
    // listener given takes them.
    let stream: EventStream | undefined;
    const isClosed = (): boolean => stream !== undefined && stream.#closed;
    const decoder = new EventDecoder({
      maxEventBytes: options.maxEventBytes,
      onEvent: (event) => {
        if (!isClosed()) (stream ?? options).listener.onEvent(event);
      },
    });
    const sent = http.request({
      method: 'GET',
      url: options.url,
      dialect: options.dialect,
      headers: STREAM_HEADERS,
      sink: {
        onHead: (answer) => {
          stream = new EventStream(answer.url, options.listener, sent);
          if (!isEventStream(answer)) stream.close();
        },
        onData: (chunk: Buffer) => decoder.push(chunk),
        onEnd: (error) => {
          if (!isClosed()) {
            (stream ?? options).listener.onEnd(error ?? endedByServer(options.url));
          }
        },
      },
    });
    const giveUp = (): void => sent.abort();
    options.signal.addEventListener('abort', giveUp, { once: true });
    if (options.signal.aborted) giveUp();
    try {
      const answer = await sent.answer;
      if (!isEventStream(answer)) {
        throw new LongwireError(
          `GET ${answer.url.origin}${answer.url.pathname} was answered with ` +
            `${String(answer.headers['content-type'])}, not with an event stream`,
          { code: 'not-mcp', certainty: 'refused' },
        );
      }
      return stream as unknown as EventStream;
    } finally {
      options.signal.removeEventListener('abort', giveUp);
    }
  }

  /** Ends the stream; nothing is reported after it. */
  close(): void {
    this.#closed = true;
    this.#sent.abort();
  }
}

function endedByServer(url: URL): LongwireError {
  return new ConnectionLostError(`the server ended the stream of ${url.origin}${url.pathname}`, {
    certainty: 'outcome-unknown',
  });
}

/** A missing content type is forgiven: servers of the early days send none. */
function isEventStream({ headers }: ExchangeAnswer): boolean {
  const type = headers['content-type'];
  return typeof type !== 'string' || type.toLowerCase().startsWith('text/event-stream');
}
