import { Buffer } from 'node:buffer';
import { ConnectionLostError, LongwireError } from '../errors.js';
import type { Dialect, SendOptions } from './channel.js';
import { EventDecoder, type StreamEvent } from './event-decoder.js';
import { shownType } from './excerpt.js';
import type { ExchangeAnswer } from './exchange.js';
import type { Http, Sent } from './http.js';
import type { HeaderRecord } from './headers.js';
import { place } from './place.js';

/** Default of `limits.maxEventBytes`: a result of 50 MiB fits. */
export const DEFAULT_MAX_EVENT_BYTES: number = 64 * 1024 * 1024;

/**
 * A defence against a server that floods a stream before its handshake is through.
 *
 * @throws LongwireError `limit-exceeded`.
 */
export function checkKept(size: number, maxEventBytes: number): void {
  if (size <= maxEventBytes) return;
  throw new LongwireError(
    `the server sent more than ${maxEventBytes} bytes before the handshake was through`,
    {
      code: 'limit-exceeded',
      certainty: 'outcome-unknown',
      hint: 'raise limits.maxEventBytes if this server may send so much',
    },
  );
}

const STREAM_HEADERS = { accept: 'text/event-stream', 'cache-control': 'no-cache' };

/** Who is told what happens on a stream. */
export interface EventStreamListener {
  onEvent(event: StreamEvent): void;
  /** The stream ended within this event; it comes before `onEnd`. */
  onUnended?(event: StreamEvent): void;
  /** A comment: a sign of life, and nothing else. */
  onComment?(): void;
  /** The `retry` field, in milliseconds. */
  onRetry?(retryMs: number): void;
  /** Once, unless the stream was closed from this side. */
  onEnd(reason: LongwireError): void;
}

/** The request for a stream. */
export interface EventStreamOptions {
  url: URL;
  dialect: Dialect | undefined;
  maxEventBytes: number;
  /** Beside those of every stream. */
  headers?: HeaderRecord;
  /** On whose behalf it is opened. Default: on that of no call. */
  caller?: SendOptions | undefined;
  /** After which event the stream is to go on. */
  lastEventId?: string | undefined;
  /** It is there for what the server says unasked. Default: no. */
  isHearing?: boolean;
  /** Told from the first byte on, which may come before `open` is fulfilled. */
  listener: EventStreamListener;
  /** Ends the opening; an open stream is ended by `close()`. */
  signal: AbortSignal;
}

/** The body of a GET that the server keeps open. */
export class EventStream {
  /** Who is told. A channel that takes the stream over puts itself here. */
  listener: EventStreamListener;
  /** When bytes last arrived, on the clock of `performance.now()`. */
  heardAt: number = performance.now();
  #url: URL;
  #sent: Sent | undefined;
  #closed = false;
  #retryMs: number | undefined;

  private constructor({ url, listener }: EventStreamOptions) {
    this.#url = url;
    this.listener = listener;
  }

  /** The URL that answered, after redirects. */
  get url(): URL {
    return this.#url;
  }

  /** The latest `retry` field of the stream, in milliseconds. */
  get retryMs(): number | undefined {
    return this.#retryMs;
  }

  /**
   * Opens a stream.
   *
   * @throws LongwireError `not-mcp` for an answer that is no event stream, or what `Http` throws.
   */
  static async open(http: Http, options: EventStreamOptions): Promise<EventStream> {
    const stream = new EventStream(options);
    const giveUp = (): void => stream.close();
    options.signal.addEventListener('abort', giveUp, { once: true });
    try {
      stream.#sent = stream.#send(http, options);
      if (options.signal.aborted) giveUp();
      const answer = await stream.#sent.answer;
      if (isEventStream(answer)) return stream;
      stream.close();
      throw notAStream(answer);
    } finally {
      options.signal.removeEventListener('abort', giveUp);
    }
  }

  /** Ends the stream; nothing is reported after it. */
  close(): void {
    this.#closed = true;
    this.#sent?.abort();
  }

  #send(http: Http, options: EventStreamOptions): Sent {
    const decoder = new EventDecoder({
      maxEventBytes: options.maxEventBytes,
      onEvent: (event) => {
        if (!this.#closed) this.listener.onEvent(event);
      },
      onComment: () => this.listener.onComment?.(),
      onRetry: (retryMs) => {
        this.#retryMs = retryMs;
        this.listener.onRetry?.(retryMs);
      },
    });
    const { lastEventId } = options;
    return http.request({
      method: 'GET',
      url: options.url,
      dialect: options.dialect,
      caller: options.caller,
      isHearing: options.isHearing === true,
      headers: {
        ...STREAM_HEADERS,
        ...options.headers,
        ...(lastEventId !== undefined && { 'last-event-id': asHeaderValue(lastEventId) }),
      },
      sink: {
        onHead: (answer) => {
          this.#url = answer.url;
          if (!isEventStream(answer)) this.#closed = true;
        },
        onData: (chunk: Buffer) => {
          this.heardAt = performance.now();
          decoder.push(chunk);
        },
        onEnd: (error) => {
          if (this.#closed) return;
          const unended = this.listener.onUnended === undefined ? undefined : decoder.end();
          if (unended !== undefined) this.listener.onUnended?.(unended);
          // Whoever took that may have closed it.
          if (this.#closed) return;
          this.#closed = true;
          this.listener.onEnd(error ?? endedByServer(this.#url));
        },
      },
    });
  }
}

/** "Set (`Last-Event-ID`, lastEventIDValue) …, encoded as UTF-8": a header's string has a character a byte. */
function asHeaderValue(id: string): string {
  return Buffer.from(id, 'utf8').toString('latin1');
}

function endedByServer(url: URL): LongwireError {
  return new ConnectionLostError(`the server ended the stream of ${place(url)}`, {
    certainty: 'outcome-unknown',
  });
}

/** A missing content type is forgiven: servers of the early days send none. */
function isEventStream({ status, headers }: ExchangeAnswer): boolean {
  const type = headers['content-type'];
  if (status !== 200) return false;
  return typeof type !== 'string' || type.toLowerCase().startsWith('text/event-stream');
}

function notAStream({ url, status, headers }: ExchangeAnswer): LongwireError {
  const type = shownType(headers['content-type']);
  return new LongwireError(
    `GET ${place(url)} was answered ${status} with ${type}, and not with an event stream`,
    { code: 'not-mcp', certainty: 'refused' },
  );
}
