import { AsyncResource } from 'node:async_hooks';
import { didYouMean } from '../nearest.js';

/** The names of events; one that is left out does not compile. */
export type EventNames<Events> = Readonly<Record<keyof Events, true>>;

/**
 * Listeners by event. A listener that throws is reported, and never stops the others. It runs in the
 * async context in which it was added, whatever the context of the event.
 */
export class Listeners<Events extends object> {
  readonly #byEvent = new Map<keyof Events, Set<(payload: never) => void>>();
  readonly #names: EventNames<Events>;
  readonly #onThrow: (error: unknown) => void;

  constructor(names: EventNames<Events>, onThrow: (error: unknown) => void) {
    this.#names = names;
    this.#onThrow = onThrow;
  }

  /**
   * Adds a listener; the function returned removes it.
   *
   * @throws TypeError for an event that there is not, or no function.
   */
  add<Event extends keyof Events>(
    event: Event,
    listener: (payload: Events[Event]) => void,
  ): () => void {
    if (!Object.hasOwn(this.#names, event)) {
      const known = Object.keys(this.#names);
      const meant = didYouMean(String(event), known) || ` There are ${known.join(', ')}.`;
      throw new TypeError(`there is no event ${String(event)}.${meant}`);
    }
    if (typeof listener !== 'function') {
      throw new TypeError(`the listener for ${String(event)} is not a function`);
    }
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
