import { eventText } from './hostile.mjs';
import { Session } from './session.mjs';

/**
 * @typedef {import('./hostile.mjs').Response} Response
 * @typedef {import('./sse.mjs').SseServer} SseServer
 */

/** One session of protocol 2024-11-05: whatever it says, it says on its one stream. */
export class SseSession extends Session {
  /** @type {Response | undefined} */
  response;
  #server;
  /** Events by number, for what is resumed. @type {string[]} */
  #events = [];

  /** @param {SseServer} server */
  constructor(server) {
    super(server);
    this.#server = server;
  }

  /** How many events it has said. */
  get sent() {
    return this.#events.length;
  }

  /** Says a message on the stream; with event ids it is also kept for whoever resumes. @param {any} message */
  send(message) {
    let id;
    if (this.#server.eventIds) id = `${this.id}:${this.#events.length + 1}`;
    const text = eventText('message', { jsonrpc: '2.0', ...message }, id);
    this.#events.push(text);
    this.response?.write(text);
  }

  /** @param {any} message */
  take(message) {
    void this.receive(message, (said) => this.send(said));
  }

  /** Says again what came after an event. @param {string} eventId */
  replayAfter(eventId) {
    const seen = Number(eventId.slice(eventId.indexOf(':') + 1));
    for (const text of this.#events.slice(seen)) this.response?.write(text);
  }
}
