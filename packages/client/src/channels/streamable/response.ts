import { Buffer } from 'node:buffer';
import type { JSONRPCMessage, JSONRPCResponse, RequestId } from '@modelcontextprotocol/client';
import { ConnectionLostError, LongwireError } from '../../errors.js';
import type { HttpRequest } from '../../http/request.js';
import { BrokenStreamError, type BrokenStream } from '../channel.js';
import { EventCursor } from '../../http/event-cursor.js';
import { checkEventSize, EventDecoder, type StreamEvent } from '../../http/event-decoder.js';
import type { EventStream, EventStreamListener } from '../../http/event-stream.js';
import { isOfType } from '../../http/media-type.js';
import { foreignAnswer } from '../../http/page-error.js';
import type { HttpResponse, ResponseHandler } from '../../http/request-options.js';
import type { JsonBounds } from '../../untrusted/json.js';
import { isAnswer, readAnswers, readMessages, type ReadMessage } from '../message.js';
import { displayUrl } from '../../http/display-url.js';
import { isTransient } from '../error-meaning.js';

/** How long a stream may stay open after its answer. */
const LINGER_MS = 5000;

/** How much of a body is looked at to find out its type. */
const BEGINNING_BYTES = 64;

/** What all responses of a channel share. */
export interface StreamableResponseHandlers {
  /** Where requests go. */
  readonly url: URL;
  readonly maxEventBytes: number;
  readonly jsonBounds: JsonBounds;
  /** Whether a stream that breaks can be resumed, if its events have ids. */
  readonly isResumable: () => boolean;
  /** Whether an answer may come on a stream that belongs to no request. */
  readonly mayAnswerElsewhere: () => boolean;
  /** The head of a response, before any of its body. */
  onHead(response: HttpResponse): void;
  /**
   * A message on the stream of a response, the answer itself included. `text` is what it was read from,
   * unless that holds more.
   */
  onMessage(message: JSONRPCMessage, requestId: RequestId, text: string | undefined): void;
  onError(error: LongwireError, answerTo?: RequestId): void;
  /** Bytes came. */
  onActivity(): void;
  /** The `retry` field of a stream, in milliseconds. */
  onRetry(retryMs: number): void;
  /** What an HTTP error means for the channel; a message if its body is the answer. */
  interpret(
    error: LongwireError,
    body: string | undefined,
    id: RequestId | undefined,
  ): LongwireError | JSONRPCResponse;
}

/** What a response is made with. */
export interface StreamableResponseOptions {
  /** The id of the request. */
  id: RequestId;
  onWire?: (() => void) | undefined;
  /** The position in the stream that is resumed. */
  cursor?: EventCursor;
}

/** A response whose stream broke, with the position in that stream. */
export class BrokenResponse implements BrokenStream {
  readonly requestId: RequestId;
  readonly askedDelayMs: number | undefined;
  readonly madeProgress: boolean;
  readonly cursor: EventCursor;

  constructor(
    requestId: RequestId,
    how: { askedDelayMs: number | undefined; madeProgress: boolean; cursor: EventCursor },
  ) {
    this.requestId = requestId;
    this.askedDelayMs = how.askedDelayMs;
    this.madeProgress = how.madeProgress;
    this.cursor = how.cursor;
  }
}

/**
 * The response to the POST of one request: a document that is the answer, or a stream of events with
 * the messages that belong to the request and the answer after them.
 */
export class StreamableResponse implements ResponseHandler {
  readonly id: RequestId;
  readonly #handlers: StreamableResponseHandlers;
  readonly #options: StreamableResponseOptions;
  readonly #onSettled: (error: LongwireError | undefined) => void;
  #cursor: EventCursor | undefined;
  #onAccepted: (() => void)[] | undefined;
  /** What can be aborted: the request, or the stream that resumes it; `undefined` once that ended. */
  #carrier: { abort: () => void } | undefined;
  /** `untyped`: its first bytes say what it is. */
  #body: 'none' | 'document' | 'stream' | 'elsewhere' | 'foreign' | 'untyped' = 'none';
  #head: HttpResponse | undefined;
  #decoder: EventDecoder | undefined;
  #chunks: Buffer[] = [];
  #size = 0;
  #retryMs: number | undefined;
  #madeProgress = false;
  #isOnWire = false;
  #settled = false;
  #isOver = false;
  #linger: NodeJS.Timeout | undefined;

  /** `onSettled`, once: the answer was delivered, or it will not come on this stream. */
  constructor(
    handlers: StreamableResponseHandlers,
    options: StreamableResponseOptions,
    onSettled: (error: LongwireError | undefined) => void,
  ) {
    this.#onSettled = onSettled;
    this.id = options.id;
    this.#handlers = handlers;
    this.#options = options;
    this.#cursor = options.cursor;
  }

  /** Whether the server may know of the request. */
  get isOnWire(): boolean {
    return this.#isOnWire;
  }

  /** Whether the request is settled. */
  get isSettled(): boolean {
    return this.#settled;
  }

  /** Sets the request that it belongs to. */
  carriedBy(request: HttpRequest): void {
    if (!this.#isOver) this.#carrier = request;
  }

  /** Cancels it; harmless when it is over. */
  cancel(): void {
    this.#carrier?.abort();
    this.failElsewhere('it was cancelled');
  }

  /** Its answer has come on another stream. */
  answeredElsewhere(): void {
    if (this.#body === 'elsewhere') this.#settle(undefined);
  }

  /** No answer can come on another stream any more. */
  failElsewhere(why: string): void {
    if (this.#body === 'elsewhere') this.#settle(lost(why, undefined));
  }

  /** Fulfilled when the server has begun to answer, or nothing will come. */
  accepted(): Promise<void> {
    if (this.#settled || this.#body !== 'none') return Promise.resolve();
    return new Promise((resolve) => {
      (this.#onAccepted ??= []).push(resolve);
    });
  }

  #accept(): void {
    for (const accepted of this.#onAccepted?.splice(0) ?? []) accepted();
  }

  onSent(): void {
    this.#isOnWire = true;
    this.#options.onWire?.();
  }

  onError(error: LongwireError, body?: string): void {
    this.#over();
    // An abort from this side leaves the same as a connection that broke.
    if (error.code === 'closed' && error.certainty === 'outcome-unknown') {
      this.#interrupt(error);
      return;
    }
    const meant = this.#handlers.interpret(error, body, this.id);
    if (meant instanceof LongwireError) this.#settle(meant);
    else this.#take(meant, body);
  }

  onHead(response: HttpResponse): void {
    const { headers } = response;
    this.#handlers.onHead(response);
    if (isOfType(headers, 'application/json')) this.#body = 'document';
    else if (isOfType(headers, 'text/event-stream')) this.#startStream();
    else if (response.status === 202 && this.#handlers.mayAnswerElsewhere()) {
      this.#body = 'elsewhere';
    } else {
      this.#body = 'untyped';
      this.#head = response;
    }
    this.#accept();
  }

  onData(chunk: Buffer): void {
    this.#handlers.onActivity();
    if (this.#body === 'untyped') this.#detectBody(chunk);
    if (this.#body === 'stream') this.#decoder?.push(chunk);
    else if (this.#body === 'document') {
      this.#size += chunk.length;
      checkEventSize(this.#size, this.#handlers.maxEventBytes);
      this.#chunks.push(chunk);
    }
  }

  /**
   * Finds out what a body is whose content type says something else, or nothing. Whatever it is, only
   * a message with the id of the request is an answer.
   */
  #detectBody(chunk: Buffer): void {
    const beginning = chunk.toString('latin1', 0, BEGINNING_BYTES).replace(/^\xef\xbb\xbf/, '');
    if (/^\s*$/.test(beginning)) return;
    if (/^\s*[{[]/.test(beginning)) this.#body = 'document';
    else if (/^\s*(?:event|data|id|retry)?:/.test(beginning)) this.#startStream();
    else this.#failAsForeign();
  }

  /** The body is no answer, whatever follows. */
  #failAsForeign(): void {
    const head = this.#head as HttpResponse;
    this.#body = 'foreign';
    const options = { code: 'protocol', certainty: 'outcome-unknown' } as const;
    this.#settle(foreignAnswer('POST', head, { wanted: 'a JSON-RPC answer', ...options }));
  }

  onEnd(error: LongwireError | undefined): void {
    clearTimeout(this.#linger);
    this.#over();
    if (this.#settled || this.#body === 'elsewhere') return;
    const unended = this.#decoder?.end();
    if (unended !== undefined) this.#readAnswers(unended.data);
    if (this.#settled) return;
    if (error === undefined && this.#body === 'document') this.#readDocument();
    else if (error === undefined && this.#body === 'untyped') this.#failAsForeign();
    else if (error?.code === 'limit-exceeded' || error?.code === 'protocol') this.#settle(error);
    else this.#interrupt(error);
  }

  /**
   * Resumes on another stream than the response to the POST. A refusal of that stream says nothing
   * about the request, which the server took before.
   */
  async resume(
    open: (listener: EventStreamListener, signal: AbortSignal) => Promise<EventStream>,
  ): Promise<void> {
    const opening = new AbortController();
    let stream: EventStream | undefined;
    this.#isOnWire = true;
    // A stream that is closed from this side does not call its listener.
    this.#carrier = {
      abort: () => {
        opening.abort();
        stream?.close();
        this.#settle(lost('it was cancelled', undefined));
      },
    };
    try {
      stream = await open(
        {
          onEvent: (event) => {
            this.#handlers.onActivity();
            this.#body = 'stream';
            this.#onEvent(event);
          },
          onUnended: ({ data }) => this.#readAnswers(data),
          onComment: () => this.#handlers.onActivity(),
          onRetry: (retryMs) => this.#onRetry(retryMs),
          onEnd: (reason) => this.onEnd(reason),
        },
        opening.signal,
      );
    } catch (cause) {
      const error = cause as LongwireError;
      if (isTransient(error)) this.#interrupt(error);
      else this.#settle(lost(error.summary, this.#handlers.interpret(error, undefined, undefined)));
      return;
    }
    this.#body = 'stream';
    if (this.#settled) stream.close();
  }

  #startStream(): void {
    this.#body = 'stream';
    this.#decoder = new EventDecoder({
      maxEventBytes: this.#handlers.maxEventBytes,
      onEvent: (event) => this.#onEvent(event),
      onRetry: (retryMs) => this.#onRetry(retryMs),
    });
  }

  #onRetry(retryMs: number): void {
    this.#retryMs = retryMs;
    this.#handlers.onRetry(retryMs);
  }

  #onEvent({ id, type, data }: StreamEvent): void {
    if (id !== undefined) {
      this.#cursor ??= new EventCursor();
      // An event that is repeated is no progress.
      if (!this.#cursor.take(id)) return;
    }
    this.#madeProgress = true;
    // An event without data only sets the id.
    if (data === '') return;
    if (type === 'message') this.#readAll(data);
    else this.#readAnswers(data);
  }

  /** Of an event that is not of the protocol, only answers count. */
  #readAnswers(text: string): void {
    readAnswers(text, (answer, alone) => this.#take(answer, alone), {
      bounds: this.#handlers.jsonBounds,
    });
  }

  #readAll(text: string): void {
    const { jsonBounds: bounds } = this.#handlers;
    readMessages(text, (read, alone) => this.#read(read, alone), { bounds, orphansOf: this.id });
  }

  #readDocument(): void {
    const [only] = this.#chunks;
    const text = (
      this.#chunks.length === 1 && only !== undefined ? only : Buffer.concat(this.#chunks)
    )
      .toString('utf8')
      // Some servers send a byte order mark, which is no JSON.
      .replace(/^\uFEFF/, '');
    this.#chunks = [];
    this.#readAll(text);
    // No other answer will come, and asking again would bring the same.
    if (!this.#settled) this.#settle(otherAnswer(this.#handlers.url));
  }

  #read({ message, error, answerTo }: ReadMessage, text: string | undefined): void {
    if (message !== undefined) {
      this.#take(message, text);
      return;
    }
    // A document that cannot be read is the only answer that will come.
    const isOurs = this.#body === 'document' || answerTo === this.id;
    this.#handlers.onError(error, isOurs ? this.id : answerTo);
    if (isOurs) this.#settle(undefined);
  }

  #take(message: JSONRPCMessage, text: string | undefined): void {
    const isOurs = isAnswer(message) && message.id === this.id;
    this.#handlers.onMessage(message, this.id, text);
    if (isOurs) this.#settle(undefined);
  }

  #interrupt(cause: LongwireError | undefined): void {
    const { url, isResumable } = this.#handlers;
    const message =
      cause?.summary ?? `the response to POST ${displayUrl(url)} ended without the answer`;
    if (this.#cursor?.lastEventId === undefined || !isResumable()) {
      this.#settle(lost(message, cause));
      return;
    }
    const broken = new BrokenResponse(this.id, {
      askedDelayMs: this.#retryMs,
      madeProgress: this.#madeProgress,
      cursor: this.#cursor,
    });
    this.#settle(new BrokenStreamError(message, { broken, cause }));
  }

  /** Releases the request, which would otherwise keep this object in memory. */
  #over(): void {
    this.#isOver = true;
    this.#carrier = undefined;
  }

  #settle(error: LongwireError | undefined): void {
    if (this.#settled) return;
    this.#settled = true;
    this.#accept();
    if (this.#body === 'stream' && !this.#isOver) {
      this.#linger = setTimeout(() => this.cancel(), LINGER_MS).unref();
    } else if (this.#body === 'foreign') {
      // The body may never end. It is being read just now, so not in this tick.
      queueMicrotask(() => this.cancel());
    }
    this.#onSettled(error);
  }
}

function otherAnswer(url: URL): LongwireError {
  return new LongwireError(`POST ${displayUrl(url)} was answered with the id of another request`, {
    code: 'protocol',
    certainty: 'outcome-unknown',
  });
}

function lost(message: string, cause: unknown): ConnectionLostError {
  return new ConnectionLostError(message, { certainty: 'outcome-unknown', cause });
}
