import type { Buffer } from 'node:buffer';
import type { JSONRPCRequest } from '@modelcontextprotocol/client';
import { LongwireError } from '../../errors.js';
import type { HttpRequest } from '../../http/request.js';
import type { HttpResponse, ResponseHandler } from '../../http/request-options.js';
import { EventDecoder, type StreamEvent } from '../../http/event-decoder.js';
import type { HttpClient } from '../../http/client.js';
import { displayUrl } from '../../http/display-url.js';
import type { SendOptions } from '../../http/send-options.js';

/** Where the answer to a call comes: in the response to its POST, or (202) on the session's stream. */
export type AnswerPlace = 'body' | 'stream';

const CALL_HEADERS = { 'content-type': 'application/json', accept: 'text/event-stream' };

/** What one call is sent with. */
export interface ToolEventsResponseOptions {
  http: HttpClient;
  url: URL;
  request: JSONRPCRequest;
  /** What the request is on the wire. */
  body: string;
  maxEventBytes: number;
  onWire: (() => void) | undefined;
  caller: SendOptions | undefined;
  /** The head of the response says where the answer will be. */
  onPlace: (place: AnswerPlace) => void;
}

/** The response to one call: a POST, and the first `result` or `error` event after it. */
export class ToolEventsResponse implements ResponseHandler {
  /** The event that is the answer, wherever it came. */
  readonly answer: Promise<StreamEvent>;
  readonly #options: ToolEventsResponseOptions;
  readonly #request: HttpRequest;
  /** Decodes the body as an event stream, whatever its content type says. */
  readonly #decoder: EventDecoder;
  #resolve!: (event: StreamEvent) => void;
  #reject!: (error: LongwireError) => void;
  #place: AnswerPlace | undefined;
  #isOnWire = false;

  constructor(options: ToolEventsResponseOptions) {
    this.#options = options;
    this.answer = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    const { maxEventBytes, http, url, request, body, caller } = options;
    this.#decoder = new EventDecoder({
      maxEventBytes,
      onEvent: (event) => {
        if (event.type === 'result' || event.type === 'error') this.settle(event);
      },
    });
    this.#request = http.send({
      method: 'POST',
      url,
      transport: 'tool-events',
      headers: CALL_HEADERS,
      body,
      message: request,
      caller,
      handler: this,
    });
  }

  /** Where its answer will be, once the server has said so. */
  get place(): AnswerPlace | undefined {
    return this.#place;
  }

  /** Whether the server may know of it. */
  get isOnWire(): boolean {
    return this.#isOnWire;
  }

  /** Takes the answer. The rest of the body may never end, so the request is aborted. */
  settle(event: StreamEvent): void {
    this.#resolve(event);
    if (this.#place === 'body') this.#request.abort();
  }

  /** Cancels the call; the server sees its POST break. */
  abort(): void {
    this.#reject(
      new LongwireError('the call was cancelled', {
        code: 'aborted',
        certainty: this.#isOnWire ? 'outcome-unknown' : 'not-sent',
      }),
    );
    this.#request.abort();
  }

  onSent(): void {
    this.#isOnWire = true;
    this.#options.onWire?.();
  }

  onHead({ status }: HttpResponse): void {
    this.#place = status === 202 ? 'stream' : 'body';
    this.#options.onPlace(this.#place);
  }

  onData(chunk: Buffer): void {
    if (this.#place === 'body') this.#decoder.push(chunk);
  }

  onEnd(error: LongwireError | undefined): void {
    if (this.#place === 'body') this.#reject(error ?? endedWithoutAnswer(this.#options.url));
  }

  onError(error: LongwireError): void {
    this.#reject(error);
  }
}

function endedWithoutAnswer(url: URL): LongwireError {
  return new LongwireError(
    `the response to POST ${displayUrl(url)} ended without a result or error event`,
    { code: 'protocol', certainty: 'outcome-unknown' },
  );
}
