import type { Buffer } from 'node:buffer';
import { LongwireError } from '../errors.js';
import { EventDecoder, type StreamEvent } from './event-decoder.js';
import type { Http, Sent } from './http.js';

/** Where the answer to a call comes: in the body of its POST, or (202) on the session's stream. */
export type AnswerPlace = 'body' | 'stream';

const CALL_HEADERS = { 'content-type': 'application/json', accept: 'text/event-stream' };

/** What one call needs. */
export interface ToolEventsCallOptions {
  http: Http;
  url: URL;
  body: string;
  maxEventBytes: number;
  /** The head of the answer came, and says where the rest will be. */
  onPlace: (place: AnswerPlace) => void;
}

/** One call of the tool-events dialect: a POST, and the first `result` or `error` event after it. */
export class ToolEventsCall {
  /** The event that is the answer, wherever it came. */
  readonly answer: Promise<StreamEvent>;
  readonly #sent: Sent;
  #resolve!: (event: StreamEvent) => void;
  #reject!: (error: LongwireError) => void;
  #place: AnswerPlace | undefined;

  constructor(options: ToolEventsCallOptions) {
    this.answer = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    // The body counts as an event stream whatever its content type says.
    const decoder = new EventDecoder({
      maxEventBytes: options.maxEventBytes,
      onEvent: (event) => {
        if (event.type === 'result' || event.type === 'error') this.settle(event);
      },
    });
    this.#sent = options.http.request({
      method: 'POST',
      url: options.url,
      dialect: 'tool-events',
      headers: CALL_HEADERS,
      body: options.body,
      sink: {
        onHead: ({ status }) => {
          this.#place = status === 202 ? 'stream' : 'body';
          options.onPlace(this.#place);
        },
        onData: (chunk: Buffer) => {
          if (this.#place === 'body') decoder.push(chunk);
        },
        onEnd: (error) => {
          if (this.#place === 'body') this.#fail(error ?? endedWithoutAnswer(options.url));
        },
      },
    });
    this.#sent.answer.catch((error: unknown) => this.#fail(error as LongwireError));
  }

  /** Whether an event on the session's stream may be this call's answer. */
  get mayBeAnsweredOnStream(): boolean {
    return this.#place !== 'body';
  }

  /** Takes the answer. What is left of the body may never end, so it is given up. */
  settle(event: StreamEvent): void {
    this.#resolve(event);
    if (this.#place === 'body') this.#sent.abort();
  }

  /** Gives the call up; the server sees its POST break off. */
  abort(): void {
    this.#fail(
      new LongwireError('the call was given up', { code: 'aborted', certainty: 'outcome-unknown' }),
    );
  }

  #fail(error: LongwireError): void {
    this.#reject(error);
    this.#sent.abort();
  }
}

function endedWithoutAnswer(url: URL): LongwireError {
  return new LongwireError(
    `the answer to POST ${url.origin}${url.pathname} ended without a result or error event`,
    { code: 'protocol', certainty: 'outcome-unknown' },
  );
}
