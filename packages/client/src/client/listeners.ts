import { AsyncResource } from 'node:async_hooks';

/**
 * Listeners by event. A listener that throws is reported, and never stops the others. It runs in the
 * async context in which it was added, whatever the context of the event.
 */
export class Listeners<Events extends object> {
  readonly #byEvent = new Map<keyof Events, Set<(payload: never) => void>>();
  readonly #onThrow: (error: unknown) => void;

  constructor(onThrow: (error: unknown) => void) {
    this.#onThrow = onThrow;
  }

  /** Adds a listener; the function returned removes it. */
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

  /** Calls every listener of the event. */
  emit<Event extends keyof Events>(event: Event, payload: Events[Event]): void {
    for (const listener of this.#byEvent.get(event) ?? []) {
      try {
        listener(payload as never);
      } catch (error) {
        // Nobody is left to take what a listener for errors throws.
        if (event !== 'error') this.#onThrow(error);
      }
    }
  }
}
