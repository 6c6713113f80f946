import { randomUUID } from 'node:crypto';
import { eventText } from './hostile.mjs';
import { TOOLS } from './workshop.mjs';

/**
 * @typedef {import('./hostile.mjs').Response} Response
 * @typedef {import('./sse.mjs').SseServer} SseServer
 */

/**
 * One session of protocol 2024-11-05 that insists on the handshake: whatever is asked before
 * `notifications/initialized` came is answered with an error.
 */
export class SseSession {
  id = randomUUID();
  /** @type {'new' | 'initializing' | 'ready'} */
  state = 'new';
  /** How often `initialize` was accepted. */
  initializes = 0;
  /** Methods that were asked for too early. @type {string[]} */
  tooEarly = [];
  /** @type {Response | undefined} */
  response;
  #server;
  /** Events by number, for what is resumed. @type {string[]} */
  #events = [];
  /** @type {Map<string | number, AbortController>} */
  #running = new Map();

  /** @param {SseServer} server */
  constructor(server) {
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

  /** Says again what came after an event. @param {string} eventId */
  replayAfter(eventId) {
    const seen = Number(eventId.slice(eventId.indexOf(':') + 1));
    for (const text of this.#events.slice(seen)) this.response?.write(text);
  }

  end() {
    for (const stop of this.#running.values()) stop.abort();
  }

  /** @param {any} message */
  receive({ id, method, params = {} }) {
    if (method === undefined) return;
    if (method === 'notifications/initialized' && this.state === 'initializing') {
      this.state = 'ready';
      this.#server.readySessions += 1;
    } else if (method === 'notifications/cancelled') {
      this.#running.get(params.requestId)?.abort();
    } else if (id !== undefined) {
      this.#answer(id, method, params);
    }
  }

  /** @param {string | number} id @param {string} method @param {any} params */
  #answer(id, method, params) {
    const allowed = method === 'initialize' ? this.state === 'new' : this.state === 'ready';
    if (!allowed && method !== 'ping') {
      this.tooEarly.push(method);
      const message = `${method} is not allowed while the session is ${this.state}`;
      this.send({ id, error: { code: -32600, message } });
      return;
    }
    switch (method) {
      case 'initialize':
        this.state = 'initializing';
        this.initializes += 1;
        this.send({
          id,
          result: {
            protocolVersion: '2024-11-05',
            capabilities: { tools: { listChanged: true }, logging: {} },
            serverInfo: { name: 'hostile', version: '1.0.0' },
          },
        });
        break;
      case 'ping':
        this.send({ id, result: {} });
        break;
      case 'tools/list':
        this.send({ id, result: { tools: TOOLS } });
        break;
      case 'tools/call':
        void this.#call(id, params);
        break;
      default:
        this.send({ id, error: { code: -32601, message: `no method ${method}` } });
    }
  }

  /** @param {string | number} id @param {any} params */
  async #call(id, params) {
    const stop = new AbortController();
    this.#running.set(id, stop);
    const progressToken = params._meta?.progressToken;
    const text = await this.#server.workshop.run(params.name, params.arguments ?? {}, {
      signal: stop.signal,
      onProgress: (progress) => {
        if (progressToken === undefined) return;
        this.send({ method: 'notifications/progress', params: { progressToken, progress } });
      },
    });
    this.#running.delete(id);
    if (text === undefined) return;
    const answer = { id, result: { content: [{ type: 'text', text }] } };
    if (this.#server.answerCall === undefined) this.send(answer);
    else this.#server.answerCall(this, answer);
  }
}
