import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';

/** The events of one stream, for whoever resumes it. */
export class EventLog {
  /** What the stream was for has been said. */
  isAnswered = false;
  readonly #events: { id: string; data: string }[] = [];

  get isEmpty(): boolean {
    return this.#events.length === 0;
  }

  /** Whether an event of this id is among them. */
  has(id: string | undefined): boolean {
    return this.#events.some((event) => event.id === id);
  }

  /** Sends an event, if somebody listens, and keeps it if it has an id. */
  write(response: ServerResponse, data: string, hasId = true): void {
    const id = hasId ? randomUUID() : undefined;
    if (id !== undefined) this.#events.push({ id, data });
    if (!response.destroyed) send(response, data, id);
  }

  /** Sends what came after an event, and so many from before it. */
  replay(response: ServerResponse, lastId: string, overlap = 0): void {
    const seen = this.#events.findIndex(({ id }) => id === lastId);
    for (const { id, data } of this.#events.slice(Math.max(0, seen + 1 - overlap))) {
      send(response, data, id);
    }
  }
}

function send(response: ServerResponse, data: string, id: string | undefined): void {
  response.write(`${id === undefined ? '' : `id: ${id}\n`}data: ${data}\n\n`);
}
