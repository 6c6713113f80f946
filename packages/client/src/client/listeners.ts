import { AsyncResource } from 'node:async_hooks';

/**
 * Listeners by event. A listener that throws is reported, and never stops the others. It is run in
 * the async context in which it was added, and not in that of whoever brought the event about.
 */
export class Listeners<Events extends object> {
  readonly #byEvent = new Map<keyof Events, Set<(payload: never) => void>>();
  readonly #onThrow: (error: unknown) => void;

  constructor(onThrow: (error: unknown) => void) {
    this.#onThrow = onThrow;
  }

  /** Adds a listener; the function returned takes it away again. */
  add<Event extends keyof Events>(
    event: Event,
    listener: (payload: Events[Event]) => void,
  ): () => void {
    let listeners = this.#byEvent.get(event);
    if (listeners === undefined) this.#byEvent.set(event, (listeners = new Set()));
    // Wrapped, so that the same function added twice is two listeners.
    const scope = new AsyncResource('longwire.listener');
    const entry = (payload: never): void => scope.runInAsyncScope(listener, undefined, payload);
    listeners.add(entry);
    return () => listeners.delete(entry);
  }

  /** Whether anybody listens. */
  has(event: keyof Events): boolean {
    return (this.#byEvent.get(event)?.size ?? 0) > 0;
  }

  /** Tells every listener of the event. */
  emit<Event extends keyof Events>(event: Event, payload: Events[Event]): void {
    for (const listener of this.#byEvent.get(event) ?? []) {
      try {
        listener(payload as never);
      } catch (error) {
        // Whoever listens for errors and throws one has nobody left to tell.
        if (event !== 'error') this.#onThrow(error);
      }
    }
  }
}
