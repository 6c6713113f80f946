/** How many ids are remembered, to tell what a replay repeats. */
const REMEMBERED_IDS = 1000;
/** Longer ones no header need hold, nor anybody remember. */
const MAX_ID_LENGTH = 1024;
/** What no header may hold. */
// oxlint-disable-next-line no-control-regex
const CONTROL = /[\u0000-\u0008\u000a-\u001f\u007f]/;

/**
 * Where one stream of events stands, across the connections that carry it.
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
   * The id of the last event that had one; `undefined` if none had, an empty one reset it, or it
   * is nothing that a header can say.
   */
  get lastEventId(): string | undefined {
    return this.#lastEventId;
  }

  /** The stream is carried by a new connection: what it begins with may have been seen before. */
  resume(): void {
    this.#replaying = true;
  }

  /**
   * Moves on to an event with an id; false if a replay repeats it. Only what a resumed stream
   * begins with can be that: later on, a server that gives ids twice is taken at its word.
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
