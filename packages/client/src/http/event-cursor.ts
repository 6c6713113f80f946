/** How many ids are remembered, to drop the events that a replay repeats. */
const REMEMBERED_IDS = 1000;
/** Longer ids are neither sent nor remembered. */
const MAX_ID_LENGTH = 1024;
/** Characters that no header may hold. */
// oxlint-disable-next-line no-control-regex
const CONTROL = /[\u0000-\u0008\u000a-\u001f\u007f]/;

/**
 * The position in one stream of events, across the connections that carry it.
 *
 * "If the field name is 'id': … set the last event ID buffer to the field value." It is sent as
 * `Last-Event-ID` when the stream is opened again.
 *
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html#the-last-event-id-header
 */
export class EventCursor {
  #lastEventId: string | undefined;
  readonly #seen = new Set<string>();
  #replaying = false;

  /**
   * The id of the last event with one; `undefined` if there was none, an empty one reset it, or no
   * header can hold it.
   */
  get lastEventId(): string | undefined {
    return this.#lastEventId;
  }

  /** A new connection carries the stream: its first events may repeat earlier ones. */
  resume(): void {
    this.#replaying = true;
  }

  /**
   * Takes an event with an id; false if a replay repeats it. Only the first events of a resumed stream
   * can be repeated: later, an id that comes twice is a new event.
   */
  take(id: string): boolean {
    if (id.length > MAX_ID_LENGTH) {
      this.#replaying = false;
      this.#lastEventId = undefined;
      return true;
    }
    if (this.#replaying && this.#seen.has(id)) return false;
    this.#replaying = false;
    this.#lastEventId = id === '' || CONTROL.test(id) ? undefined : id;
    if (id === '') return true;
    this.#seen.add(id);
    if (this.#seen.size > REMEMBERED_IDS) {
      const [oldest = ''] = this.#seen;
      this.#seen.delete(oldest);
    }
    return true;
  }
}
