import { Buffer } from 'node:buffer';
import { ConnectionLostError, LongwireError } from '../errors.js';
import type { TransportName } from '../transport-name.js';
import type { HttpClient, PendingRequest } from './client.js';
import { displayUrl } from './display-url.js';
import { EventDecoder, type StreamEvent } from './event-decoder.js';
import type { HeaderRecord } from './headers.js';
import { foreignAnswer } from './page-error.js';
import type { HttpResponse } from './request-options.js';
import type { SendOptions } from './send-options.js';

/**
 * Checks the size of what is kept until the handshake is done. It guards against a server that
 * floods a stream before.
 *
 * @throws LongwireError `limit-exceeded`.
 */
export function checkKept(size: number, maxEventBytes: number): void {
  if (size <= maxEventBytes) return;
  throw new LongwireError(
    `the server sent more than ${maxEventBytes} bytes before the handshake was done`,
    {
      code: 'limit-exceeded',
      certainty: 'outcome-unknown',
      hint: 'raise limits.maxEventBytes if this server may send so much',
    },
  );
}

const STREAM_HEADERS = { accept: 'text/event-stream', 'cache-control': 'no-cache' };

/** Receives what happens on a stream. */
export interface EventStreamListener {
  onEvent(event: StreamEvent): void;
  /** The stream ended within this event; called before `onEnd`. */
  onUnended?(event: StreamEvent): void;
  /** A comment: it shows that the server is alive, and nothing else. */
  onComment?(): void;
  /** The `retry` field, in milliseconds. */
  onRetry?(retryMs: number): void;
  /** Once, unless the stream was closed from this side. */
  onEnd(reason: LongwireError): void;
}

/** The request for a stream. */
export interface EventStreamOptions {
  url: URL;
  transport: TransportName | undefined;
  maxEventBytes: number;
  /** Beside those of every stream. */
  headers?: HeaderRecord;
  /** The call for which it is opened. Default: no call. */
  caller?: SendOptions | undefined;
  /** The event after which the stream resumes. */
  lastEventId?: string | undefined;
  /** The server speaks on it unasked. Default: no. */
  isServerStream?: boolean;
  /** Called from the first byte on, which may come before `open` is fulfilled. */
  listener: EventStreamListener;
  /** Aborts the opening; `close()` ends an open stream. */
  signal: AbortSignal;
}

/** The body of a GET that the server keeps open. */
export class EventStream {
  /** A channel that takes over the stream sets itself here. */
  listener: EventStreamListener;
  /** When bytes last arrived, on the clock of `performance.now()`. */
  lastActivityAt: number = performance.now();
  #url: URL;
  #sent: PendingRequest | undefined;
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
   * @throws LongwireError `not-mcp` for a response that is no event stream, or that of the request.
   */
  static async open(http: HttpClient, options: EventStreamOptions): Promise<EventStream> {
    const stream = new EventStream(options);
    const cancel = (): void => stream.close();
    options.signal.addEventListener('abort', cancel, { once: true });
    try {
      stream.#sent = stream.#send(http, options);
      if (options.signal.aborted) cancel();
      const response = await stream.#sent.answer;
      if (isEventStream(response)) return stream;
      stream.close();
      throw notAStream(response);
    } finally {
      options.signal.removeEventListener('abort', cancel);
    }
  }

  /** Closes the stream; the listener is not called any more. */
  close(): void {
    this.#closed = true;
    this.#sent?.abort();
  }

  #send(http: HttpClient, options: EventStreamOptions): PendingRequest {
    const { lastEventId, url, transport, caller, isServerStream = false } = options;
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
    const headers = {
      ...STREAM_HEADERS,
      ...options.headers,
      ...(lastEventId !== undefined && { 'last-event-id': asHeaderValue(lastEventId) }),
    };
    return http.request(
      { method: 'GET', url, transport, caller, isServerStream, headers },
      {
        onHead: (response) => {
          this.#url = response.url;
          if (!isEventStream(response)) this.#closed = true;
        },
        onData: (chunk: Buffer) => {
          this.lastActivityAt = performance.now();
          decoder.push(chunk);
        },
        onEnd: (error) => this.#end(decoder, error),
      },
    );
  }

  #end(decoder: EventDecoder, error: LongwireError | undefined): void {
    if (this.#closed) return;
    const unended = this.listener.onUnended === undefined ? undefined : decoder.end();
    if (unended !== undefined) this.listener.onUnended?.(unended);
    // The listener may have closed the stream.
    if (this.#closed) return;
    this.#closed = true;
    this.listener.onEnd(error ?? endedByServer(this.#url));
  }
}

/** "Set (`Last-Event-ID`, lastEventIDValue) …, encoded as UTF-8": a header's string has one character per byte. */
function asHeaderValue(id: string): string {
  return Buffer.from(id, 'utf8').toString('latin1');
}

function endedByServer(url: URL): LongwireError {
  return new ConnectionLostError(`the server ended the stream of ${displayUrl(url)}`, {
    certainty: 'outcome-unknown',
  });
}

/** A missing content type is accepted: early servers send none. */
function isEventStream({ status, headers }: HttpResponse): boolean {
  const type = headers['content-type'];
  if (status !== 200) return false;
  return typeof type !== 'string' || type.toLowerCase().startsWith('text/event-stream');
}

function notAStream(head: HttpResponse): LongwireError {
  const options = { code: 'not-mcp', certainty: 'refused' } as const;
  return foreignAnswer('GET', head, { wanted: 'an event stream', ...options });
}
