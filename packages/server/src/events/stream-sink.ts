import type { Sink } from './sink.js';
import { encodeEvent, type EventStream } from './event-stream.js';
import type { LoggedEvent } from './event-log.js';

/** An event stream as the reader of a session's stream. */
export class StreamSink implements Sink {
  readonly #stream: EventStream;
  readonly #idOf: (event: LoggedEvent) => string;

  /** @param idOf the event id, with which a client resumes after it. */
  constructor(stream: EventStream, idOf: (event: LoggedEvent) => string) {
    this.#stream = stream;
    this.#idOf = idOf;
  }

  send(event: LoggedEvent): Promise<void> | undefined {
    // A stream that has just ended loses nothing: the log has it.
    if (this.#stream.isEnded) return undefined;
    try {
      return this.#stream.send(encodeEvent('message', event.data, this.#idOf(event)));
    } catch {
      return undefined;
    }
  }

  complete(): void {
    this.#stream.end();
  }

  close(): void {
    this.#stream.end();
  }
}
