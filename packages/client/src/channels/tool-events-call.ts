import type { Buffer } from 'node:buffer';
import { LongwireError } from '../errors.js';
import type { Attempts, HttpRequest } from './attempts.js';
import { EventDecoder, type StreamEvent } from './event-decoder.js';
import type { SendOptions } from './channel.js';
import type { Http } from './http.js';
import { place } from './place.js';

/** Where the answer to a call comes: in the body of its POST, or (202) on the session's stream. */
export type AnswerPlace = 'body' | 'stream';

const CALL_HEADERS = { 'content-type': 'application/json', accept: 'text/event-stream' };

/** What one call needs. */
export interface ToolEventsCallOptions {
  http: Http;
  url: URL;
  body: string;
  maxEventBytes: number;
  onWire: (() => void) | undefined;
  caller: SendOptions | undefined;
  /** The head of the answer came, and says where the rest will be. */
  onPlace: (place: AnswerPlace) => void;
}

/** One call of the tool-events dialect: a POST, and the first `result` or `error` event after it. */
export class ToolEventsCall {
  /** The event that is the answer, wherever it came. */
  readonly answer: Promise<StreamEvent>;
  readonly #attempts: Attempts;
  #resolve!: (event: StreamEvent) => void;
  #reject!: (error: LongwireError) => void;
  #place: AnswerPlace | undefined;
  #isOnWire = false;

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
    const request: HttpRequest = {
      method: 'POST',
      url: options.url,
      dialect: 'tool-events',
      headers: { ...options.caller?.headers, ...CALL_HEADERS },
      body: options.body,
      caller: options.caller,
      sink: {
        onHead: ({ status }) => {
          this.#place = status === 202 ? 'stream' : 'body';
          options.onPlace(this.#place);
        },
        onData: (chunk: Buffer) => {
          if (this.#place === 'body') decoder.push(chunk);
        },
        onEnd: (error) => {
          if (this.#place === 'body') this.#reject(error ?? endedWithoutAnswer(options.url));
        },
      },
    };
    this.#attempts = options.http.send(request, {
      started: () => {
        this.#isOnWire = true;
        options.onWire?.();
      },
      answered: () => {},
      failed: this.#reject,
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

  /** Takes the answer. What is left of the body may never end, so it is given up. */
  settle(event: StreamEvent): void {
    this.#resolve(event);
    if (this.#place === 'body') this.#attempts.abort();
  }

  /** Gives the call up; the server sees its POST break off. */
  abort(): void {
    this.#reject(
      new LongwireError('the call was given up', {
        code: 'aborted',
        certainty: this.#isOnWire ? 'outcome-unknown' : 'not-sent',
      }),
    );
    this.#attempts.abort();
  }
}

function endedWithoutAnswer(url: URL): LongwireError {
  return new LongwireError(
    `the answer to POST ${place(url)} ended without a result or error event`,
    { code: 'protocol', certainty: 'outcome-unknown' },
  );
}
