import type { JSONRPCMessage, RequestId } from '@modelcontextprotocol/client';
import type { LongwireError } from '../../errors.js';
import type { EventCursor } from '../../http/event-cursor.js';
import type { StreamEvent } from '../../http/event-decoder.js';
import type { EventStream, EventStreamListener } from '../../http/event-stream.js';
import type { JsonBounds } from '../../untrusted/json.js';
import { readAnswers, readMessages } from '../message.js';

/** What the server stream is made with. */
export interface GetStreamOptions {
  /** The position in it, across the connections that carry it. */
  cursor: EventCursor;
  jsonBounds: JsonBounds;
  /** Sends the GET. */
  open: (listener: EventStreamListener, cursor: EventCursor) => Promise<EventStream>;
  /** `text` is what the message was read from, unless that holds more. */
  onMessage: (message: JSONRPCMessage, text: string | undefined) => void;
  onError: (error: LongwireError, answerTo?: RequestId) => void;
}

/** The stream by GET on which a server of the legacy era speaks unasked. */
export class GetStream {
  readonly #options: GetStreamOptions;
  #stream: EventStream | undefined;
  #retryMs: number | undefined;
  #wasOffered = false;
  #isWanted = false;
  #isClosed = false;

  constructor(options: GetStreamOptions) {
    this.#options = options;
  }

  get isOpen(): boolean {
    return this.#stream !== undefined;
  }

  /** Whether it is open, or being opened. */
  get isWanted(): boolean {
    return this.#isWanted;
  }

  /** Whether the server has ever opened it. */
  get wasOffered(): boolean {
    return this.#wasOffered;
  }

  /** When bytes last came; `undefined` while it is not open. */
  get lastActivityAt(): number | undefined {
    return this.#stream?.lastActivityAt;
  }

  /** The latest `retry` field, in milliseconds. */
  get retryMs(): number | undefined {
    return this.#stream?.retryMs ?? this.#retryMs;
  }

  /**
   * Opens it, and rejects with the reason when it ends. `onOpen` gets whether it resumes the stream
   * before.
   */
  async listen(onOpen: (isResumed: boolean) => void): Promise<never> {
    const { cursor, open } = this.#options;
    let isOver = false;
    this.#isWanted = true;
    try {
      return await new Promise<never>((_resolve, reject) => {
        const onEnd = (reason: LongwireError): void => {
          isOver = true;
          reject(reason);
        };
        const isResumed = cursor.lastEventId !== undefined;
        cursor.resume();
        const opened = (stream: EventStream): void => {
          this.#wasOffered = true;
          if (this.#isClosed || isOver) {
            stream.close();
            return;
          }
          this.#stream = stream;
          onOpen(isResumed);
        };
        open({ onEvent: (event) => this.#take(event), onEnd }, cursor)
          .then(opened)
          .catch(reject);
      });
    } finally {
      this.#retryMs = this.retryMs;
      this.#stream = undefined;
      this.#isWanted = false;
    }
  }

  /** Closes it; `listen` does not settle by that. */
  close(): void {
    this.#isClosed = true;
    this.#stream?.close();
  }

  #take({ id, type, data }: StreamEvent): void {
    const { cursor, jsonBounds: bounds, onMessage, onError } = this.#options;
    if (id !== undefined && !cursor.take(id)) return;
    if (data === '') return;
    if (type !== 'message') {
      this.#takeAnswers(data);
      return;
    }
    readMessages(
      data,
      ({ message, error, answerTo }, alone) => {
        if (message === undefined) onError(error, answerTo);
        else onMessage(message, alone);
      },
      { bounds },
    );
  }

  /** Of an event that is not of the protocol, only answers count. */
  #takeAnswers(text: string): void {
    const { jsonBounds: bounds, onMessage } = this.#options;
    readAnswers(text, onMessage, { bounds });
  }
}
