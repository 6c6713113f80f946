import { Buffer } from 'node:buffer';
import type { JSONRPCMessage, JSONRPCResponse, RequestId } from '@modelcontextprotocol/client';
import { ConnectionLostError, LongwireError } from '../errors.js';
import type { Attempts } from './attempts.js';
import { BrokenStreamError, type BrokenStream } from './channel.js';
import { EventCursor } from './event-cursor.js';
import { checkEventSize, EventDecoder, type StreamEvent } from './event-decoder.js';
import type { EventStream, EventStreamListener } from './event-stream.js';
import { shownType } from './excerpt.js';
import { isOfType, type BodySink, type ExchangeAnswer, type Settler } from './exchange.js';
import type { JsonBounds } from './json.js';
import { isAnswer, readAnswers, readMessages, type ReadMessage } from './message.js';
import { place } from './place.js';
import { isPassing } from './refusal.js';

/** How long a stream may stay open once it has brought its answer. */
const LINGER_MS = 5000;

/** By so much of its beginning a body is told that does not say what it is. */
const BEGINNING_BYTES = 64;

/** Whose replies they are. */
export interface ReplyHost {
  /** Where requests go. */
  readonly url: URL;
  readonly maxEventBytes: number;
  readonly jsonBounds: JsonBounds;
  /** Whether a stream that breaks off can be gone on with, if its events have ids. */
  readonly isResumable: () => boolean;
  /** Whether an answer may come on a stream that belongs to no request. */
  readonly mayAnswerElsewhere: () => boolean;
  /** An answer's head, before anything of its body. */
  onHead(answer: ExchangeAnswer): void;
  /** A message on a reply's stream, the answer itself included. */
  onMessage(message: JSONRPCMessage, requestId: RequestId): void;
  onTrouble(error: LongwireError, answerTo?: RequestId): void;
  /** Bytes came. */
  onHeard(): void;
  /** A stream's `retry` field, in milliseconds. */
  onRetry(retryMs: number): void;
  /** What an answer by an HTTP error means; a message if it is the answer. */
  refused(
    error: LongwireError,
    body: string | undefined,
    id: RequestId | undefined,
  ): LongwireError | JSONRPCResponse;
}

/** What a reply is made with. */
export interface ReplyOptions {
  /** The request that it answers. */
  id: RequestId;
  started?: (() => void) | undefined;
  /** Where the stream stood that is gone on with. */
  cursor?: EventCursor;
}

/** A reply that broke off, with the place where it stood. */
export class BrokenReply implements BrokenStream {
  readonly requestId: RequestId;
  readonly askedDelayMs: number | undefined;
  readonly gotOn: boolean;
  readonly cursor: EventCursor;

  constructor(
    requestId: RequestId,
    how: { askedDelayMs: number | undefined; gotOn: boolean; cursor: EventCursor },
  ) {
    this.requestId = requestId;
    this.askedDelayMs = how.askedDelayMs;
    this.gotOn = how.gotOn;
    this.cursor = how.cursor;
  }
}

/**
 * What a server answers to the POST of one request: a document that is the answer, or a stream of
 * events that brings it, with whatever belongs to it before.
 */
export class Reply implements Settler, BodySink {
  readonly id: RequestId;
  readonly #host: ReplyHost;
  readonly #options: ReplyOptions;
  readonly #onSettled: (error: LongwireError | undefined) => void;
  #cursor: EventCursor | undefined;
  #onAccepted: (() => void)[] | undefined;
  /** What carries it, until nothing more comes of that. */
  #carrier: { abort: () => void } | undefined;
  /** `unnamed`: its beginning has to tell what it is. */
  #body: 'none' | 'document' | 'stream' | 'elsewhere' | 'foreign' | 'unnamed' = 'none';
  #head: ExchangeAnswer | undefined;
  #decoder: EventDecoder | undefined;
  #chunks: Buffer[] = [];
  #size = 0;
  #retryMs: number | undefined;
  #gotOn = false;
  #isOnWire = false;
  #settled = false;
  #isOver = false;
  #linger: NodeJS.Timeout | undefined;

  /** `settled`, once: the answer was handed over, or it will not come on this stream. */
  constructor(
    host: ReplyHost,
    options: ReplyOptions,
    settled: (error: LongwireError | undefined) => void,
  ) {
    this.#onSettled = settled;
    this.id = options.id;
    this.#host = host;
    this.#options = options;
    this.#cursor = options.cursor;
  }

  /** Whether the server may know of the request. */
  get isOnWire(): boolean {
    return this.#isOnWire;
  }

  /** Whether nothing more is awaited of it. */
  get isSettled(): boolean {
    return this.#settled;
  }

  /** Takes what carries it. */
  carriedBy(attempts: Attempts): void {
    if (!this.#isOver) this.#carrier = attempts;
  }

  /** Gives it up; harmless when it is over. */
  giveUp(): void {
    this.#carrier?.abort();
    this.unheard('it was given up');
  }

  /** Its answer has come on another stream. */
  answeredElsewhere(): void {
    if (this.#body === 'elsewhere') this.#settle(undefined);
  }

  /** Nothing can come on another stream any more. */
  unheard(why: string): void {
    if (this.#body === 'elsewhere') this.#settle(lost(why, undefined));
  }

  /** Fulfilled when the server has begun to answer, or nothing will come. */
  accepted(): Promise<void> {
    if (this.#settled || this.#body !== 'none') return Promise.resolve();
    return new Promise((resolve) => {
      (this.#onAccepted ??= []).push(resolve);
    });
  }

  started(): void {
    this.#isOnWire = true;
    this.#options.started?.();
  }

  answered(): void {
    for (const accepted of this.#onAccepted?.splice(0) ?? []) accepted();
  }

  failed(error: LongwireError, body?: string): void {
    this.#over();
    // What was given up from this side has not broken off less than anything else.
    if (error.code === 'closed' && error.certainty === 'outcome-unknown') {
      this.#breakOff(error);
      return;
    }
    const meant = this.#host.refused(error, body, this.id);
    if (meant instanceof LongwireError) this.#settle(meant);
    else this.#take(meant);
  }

  onHead(answer: ExchangeAnswer): void {
    const { headers } = answer;
    this.#host.onHead(answer);
    if (isOfType(headers, 'application/json')) this.#body = 'document';
    else if (isOfType(headers, 'text/event-stream')) this.#onStream();
    else if (answer.status === 202 && this.#host.mayAnswerElsewhere()) {
      this.#body = 'elsewhere';
      this.answered();
    } else {
      this.#body = 'unnamed';
      this.#head = answer;
    }
  }

  onData(chunk: Buffer): void {
    this.#host.onHeard();
    if (this.#body === 'unnamed') this.#tellBody(chunk);
    if (this.#body === 'stream') this.#decoder?.push(chunk);
    else if (this.#body === 'document') {
      this.#size += chunk.length;
      checkEventSize(this.#size, this.#host.maxEventBytes);
      this.#chunks.push(chunk);
    }
  }

  /**
   * Tells by its beginning what a body is whose type says something else, or nothing. Whatever it
   * is taken for, only what answers the request by its id is an answer.
   */
  #tellBody(chunk: Buffer): void {
    const beginning = chunk.toString('latin1', 0, BEGINNING_BYTES).replace(/^\xef\xbb\xbf/, '');
    if (/^\s*$/.test(beginning)) return;
    if (/^\s*[{[]/.test(beginning)) this.#body = 'document';
    else if (/^\s*(?:event|data|id|retry)?:/.test(beginning)) this.#onStream();
    else this.#isForeign();
  }

  /** It is no answer, whatever comes of it. */
  #isForeign(): void {
    const { url, status, headers } = this.#head as ExchangeAnswer;
    this.#body = 'foreign';
    this.#settle(
      new LongwireError(
        `POST ${place(url)} was answered ${status} with ${shownType(headers['content-type'])}, and ` +
          'not with a JSON-RPC answer',
        { code: 'protocol', certainty: 'outcome-unknown' },
      ),
    );
  }

  onEnd(error: LongwireError | undefined): void {
    clearTimeout(this.#linger);
    this.#over();
    if (this.#settled || this.#body === 'elsewhere') return;
    const unended = this.#decoder?.end();
    if (unended !== undefined) this.#readAnswers(unended.data);
    if (this.#settled) return;
    if (error === undefined && this.#body === 'document') this.#readDocument();
    else if (error === undefined && this.#body === 'unnamed') this.#isForeign();
    else if (error?.code === 'limit-exceeded' || error?.code === 'protocol') this.#settle(error);
    else this.#breakOff(error);
  }

  /**
   * Goes on by another stream than that of the POST.
   *
   * That this one is refused says nothing of the request, which was taken before.
   */
  async goOn(
    open: (listener: EventStreamListener, signal: AbortSignal) => Promise<EventStream>,
  ): Promise<void> {
    const opening = new AbortController();
    let stream: EventStream | undefined;
    this.#isOnWire = true;
    // A stream that is closed from this side tells nobody.
    this.#carrier = {
      abort: () => {
        opening.abort();
        stream?.close();
        this.#settle(lost('it was given up', undefined));
      },
    };
    try {
      stream = await open(
        {
          onEvent: (event) => {
            this.#host.onHeard();
            this.#body = 'stream';
            this.#onEvent(event);
          },
          onUnended: ({ data }) => this.#readAnswers(data),
          onComment: () => this.#host.onHeard(),
          onRetry: (retryMs) => this.#onRetry(retryMs),
          onEnd: (reason) => this.onEnd(reason),
        },
        opening.signal,
      );
    } catch (cause) {
      const error = cause as LongwireError;
      if (isPassing(error)) this.#breakOff(error);
      else this.#settle(lost(error.summary, this.#host.refused(error, undefined, undefined)));
      return;
    }
    this.#body = 'stream';
    if (this.#settled) stream.close();
  }

  #onStream(): void {
    this.#body = 'stream';
    this.#decoder = new EventDecoder({
      maxEventBytes: this.#host.maxEventBytes,
      onEvent: (event) => this.#onEvent(event),
      onRetry: (retryMs) => this.#onRetry(retryMs),
    });
  }

  #onRetry(retryMs: number): void {
    this.#retryMs = retryMs;
    this.#host.onRetry(retryMs);
  }

  #onEvent({ id, type, data }: StreamEvent): void {
    if (id !== undefined) {
      this.#cursor ??= new EventCursor();
      // What a replay repeats gets nobody on.
      if (!this.#cursor.take(id)) return;
    }
    this.#gotOn = true;
    // One without data only says its id.
    if (data === '') return;
    if (type === 'message') this.#readAll(data);
    else this.#readAnswers(data);
  }

  /** Of what is no event of the protocol, only an answer is meant for us. */
  #readAnswers(text: string): void {
    readAnswers(text, (answer) => this.#take(answer), { bounds: this.#host.jsonBounds });
  }

  #readAll(text: string): void {
    const { jsonBounds: bounds } = this.#host;
    readMessages(text, (read) => this.#read(read), { bounds, orphansOf: this.id });
  }

  #readDocument(): void {
    const [only] = this.#chunks;
    const text = (
      this.#chunks.length === 1 && only !== undefined ? only : Buffer.concat(this.#chunks)
    )
      .toString('utf8')
      // A byte order mark is no JSON, and some servers send one.
      .replace(/^\uFEFF/, '');
    this.#chunks = [];
    this.#readAll(text);
    // There will be no other, and it would be the same if it were asked for again.
    if (!this.#settled) this.#settle(answeredOtherwise(this.#host.url));
  }

  #read({ message, error, answerTo }: ReadMessage): void {
    if (message !== undefined) {
      this.#take(message);
      return;
    }
    // A document that cannot be read is the answer, and there will be no other.
    const isOurs = this.#body === 'document' || answerTo === this.id;
    this.#host.onTrouble(error, isOurs ? this.id : answerTo);
    if (isOurs) this.#settle(undefined);
  }

  #take(message: JSONRPCMessage): void {
    const isOurs = isAnswer(message) && message.id === this.id;
    this.#host.onMessage(message, this.id);
    if (isOurs) this.#settle(undefined);
  }

  #breakOff(cause: LongwireError | undefined): void {
    const { url, isResumable } = this.#host;
    const message =
      cause?.summary ?? `the answer to POST ${place(url)} ended without what was asked for`;
    if (this.#cursor?.lastEventId === undefined || !isResumable()) {
      this.#settle(lost(message, cause));
      return;
    }
    const broken = new BrokenReply(this.id, {
      askedDelayMs: this.#retryMs,
      gotOn: this.#gotOn,
      cursor: this.#cursor,
    });
    this.#settle(new BrokenStreamError(message, { broken, cause }));
  }

  /** Kept any longer, it would keep each reply alive until the next one is collected. */
  #over(): void {
    this.#isOver = true;
    this.#carrier = undefined;
  }

  #settle(error: LongwireError | undefined): void {
    if (this.#settled) return;
    this.#settled = true;
    this.answered();
    if (this.#body === 'stream' && !this.#isOver) {
      this.#linger = setTimeout(() => this.giveUp(), LINGER_MS).unref();
    } else if (this.#body === 'foreign') {
      // It may never end. The answer is being read just now, so not at once.
      queueMicrotask(() => this.giveUp());
    }
    this.#onSettled(error);
  }
}

function answeredOtherwise(url: URL): LongwireError {
  return new LongwireError(`POST ${place(url)} was answered with what answers something else`, {
    code: 'protocol',
    certainty: 'outcome-unknown',
  });
}

function lost(message: string, cause: unknown): ConnectionLostError {
  return new ConnectionLostError(message, { certainty: 'outcome-unknown', cause });
}
