import type { CatchUpSink } from './sink.js';
import { encodeEvent, type EventStream } from './event-stream.js';
import type { LoggedEvent } from './event-log.js';

/**
 * An event stream as the reader of a session's stream. It holds back what comes until it is told what its
 * client missed.
 */
export class StreamSink implements CatchUpSink {
  readonly #stream: EventStream;
  readonly #idOf: (event: LoggedEvent) => string;
  readonly #sent: ((event: LoggedEvent) => void) | undefined;
  #held: LoggedEvent[] | undefined = [];
  #isComplete = false;
  /** Places of messages that it was told of and that will come once more. */
  #expected: Set<number> | undefined;

  /**
   * @param idOf the event id, with which a client resumes after it.
   * @param sent told of each message that is sent.
   */
  constructor(
    stream: EventStream,
    idOf: (event: LoggedEvent) => string,
    sent?: (event: LoggedEvent) => void,
  ) {
    this.#stream = stream;
    this.#idOf = idOf;
    this.#sent = sent;
  }

  catchUp(missed: readonly LoggedEvent[], sentUpTo: number): void {
    const events = new Map([...missed, ...(this.#held ?? [])].map((event) => [event.seq, event]));
    this.#held = undefined;
    for (const event of [...events.values()].sort((a, b) => a.seq - b.seq)) void this.send(event);
    const again = missed.filter(({ seq }) => seq > sentUpTo).map(({ seq }) => seq);
    if (again.length > 0) this.#expected = new Set(again);
    if (this.#isComplete) this.#stream.end();
  }

  send(event: LoggedEvent): Promise<void> | undefined {
    if (this.#held !== undefined) {
      this.#held.push(event);
      return undefined;
    }
    // A stream that has just ended loses nothing: the log has it.
    if (this.#stream.isEnded || this.#expected?.delete(event.seq) === true) return undefined;
    try {
      const keepsUp = this.#stream.send(encodeEvent('message', event.data, this.#idOf(event)));
      this.#sent?.(event);
      return keepsUp;
    } catch {
      return undefined;
    }
  }

  complete(): void {
    this.#isComplete = true;
    if (this.#held === undefined) this.#stream.end();
  }

  close(): void {
    this.#stream.end();
  }

  cut(): void {
    this.#stream.end();
  }
}
