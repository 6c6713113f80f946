/** An event of a stream, and its number there. */
export interface LoggedEvent {
  number: number;
  data: string;
}

const MAX_EVENTS = 512;
const MAX_CHARACTERS = 2_000_000;

/** The last events of a session, for a client that comes back. It drops the oldest ones. */
export class EventLog {
  #events: LoggedEvent[] = [];
  #characters = 0;
  #last = 0;

  /** Keeps an event; its number, counted from 1. */
  add(data: string): number {
    this.#last += 1;
    this.#events.push({ number: this.#last, data });
    this.#characters += data.length;
    while (this.#events.length > MAX_EVENTS || this.#characters > MAX_CHARACTERS) {
      this.#characters -= this.#events.shift()?.data.length ?? 0;
    }
    return this.#last;
  }

  /** What came after the event of this number; `undefined` if some of it is dropped. */
  after(number: number): LoggedEvent[] | undefined {
    const missed = this.#last - number;
    if (!Number.isInteger(missed) || missed < 0 || missed > this.#events.length) return undefined;
    return this.#events.slice(this.#events.length - missed);
  }
}
