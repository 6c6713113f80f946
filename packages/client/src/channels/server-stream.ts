import type { JSONRPCMessage, RequestId } from '@modelcontextprotocol/client';
import type { LongwireError } from '../errors.js';
import type { EventCursor } from './event-cursor.js';
import type { StreamEvent } from './event-decoder.js';
import type { EventStream, EventStreamListener } from './event-stream.js';
import type { JsonBounds } from './json.js';
import { readAnswers, readMessages } from './message.js';

/** What the stream of a server is made with. */
export interface ServerStreamOptions {
  /** Where it stands, and stood before. */
  cursor: EventCursor;
  jsonBounds: JsonBounds;
  /** Makes the GET. */
  open: (listener: EventStreamListener, cursor: EventCursor) => Promise<EventStream>;
  onMessage: (message: JSONRPCMessage) => void;
  onTrouble: (error: LongwireError, answerTo?: RequestId) => void;
}

/** The stream by GET on which a server of the legacy era says what nobody asked. */
export class ServerStream {
  readonly #options: ServerStreamOptions;
  #stream: EventStream | undefined;
  #retryMs: number | undefined;
  #wasOffered = false;
  #isHoped = false;
  #isClosed = false;

  constructor(options: ServerStreamOptions) {
    this.#options = options;
  }

  /** Whether the server can be heard on it. */
  get isOpen(): boolean {
    return this.#stream !== undefined;
  }

  /** Whether it is open, or being opened. */
  get isHoped(): boolean {
    return this.#isHoped;
  }

  /** Whether the server has ever opened it. */
  get wasOffered(): boolean {
    return this.#wasOffered;
  }

  /** When something last came; `undefined` while it is not open. */
  get heardAt(): number | undefined {
    return this.#stream?.heardAt;
  }

  /** What the server asked to wait for the last time, in milliseconds. */
  get retryMs(): number | undefined {
    return this.#stream?.retryMs ?? this.#retryMs;
  }

  /**
   * Opens it, and rejects with the reason when it ends. `onOpen` is told whether it goes on where it
   * stood.
   */
  async listen(onOpen: (isContinued: boolean) => void): Promise<never> {
    const { cursor, open } = this.#options;
    let isOver = false;
    this.#isHoped = true;
    try {
      return await new Promise<never>((_resolve, reject) => {
        const onEnd = (reason: LongwireError): void => {
          isOver = true;
          reject(reason);
        };
        const isContinued = cursor.lastEventId !== undefined;
        cursor.resume();
        const opened = (stream: EventStream): void => {
          this.#wasOffered = true;
          if (this.#isClosed || isOver) {
            stream.close();
            return;
          }
          this.#stream = stream;
          onOpen(isContinued);
        };
        open({ onEvent: (event) => this.#take(event), onEnd }, cursor)
          .then(opened)
          .catch(reject);
      });
    } finally {
      this.#retryMs = this.retryMs;
      this.#stream = undefined;
      this.#isHoped = false;
    }
  }

  /** Closes it; nobody is told. */
  close(): void {
    this.#isClosed = true;
    this.#stream?.close();
  }

  #take({ id, type, data }: StreamEvent): void {
    const { cursor, jsonBounds: bounds, onMessage, onTrouble } = this.#options;
    if (id !== undefined && !cursor.take(id)) return;
    if (data === '') return;
    if (type !== 'message') {
      this.#takeAnswers(data);
      return;
    }
    readMessages(
      data,
      ({ message, error, answerTo }) => {
        if (message === undefined) onTrouble(error, answerTo);
        else onMessage(message);
      },
      { bounds },
    );
  }

  /** Of what is no event of the protocol, only an answer is meant for us. */
  #takeAnswers(text: string): void {
    const { jsonBounds: bounds, onMessage } = this.#options;
    readAnswers(text, onMessage, { bounds });
  }
}
