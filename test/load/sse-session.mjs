import { createParser } from 'eventsource-parser';
import { drain, openStream, post } from './http-requests.mjs';

/** The `initialize` of every client of the trial. */
export const INITIALIZE = {
  jsonrpc: '2.0',
  id: 'initialize',
  method: 'initialize',
  params: {
    protocolVersion: '2025-06-18',
    capabilities: {},
    clientInfo: { name: 'load', version: '1.0.0' },
  },
};

/** A client that speaks HTTP+SSE, and whose connection can be mistreated. */
export class SseSession {
  /** When the last heartbeat came, by `performance.now()`. */
  lastHeartbeatAt = 0;
  heartbeats = 0;
  isClosed = false;
  #response;
  #endpoint;
  /** @type {Map<string, (message: any) => void>} what waits for an answer, by the id of its request */
  #waiting = new Map();
  /** @type {(message: any) => void} */
  #onNotification = () => {};
  /** @type {(gapMs: number) => void} */
  #onHeartbeat;

  /**
   * Opens a session and initializes it.
   *
   * @param {string} url
   * @param {{ localAddress: string, onHeartbeat?: (gapMs: number) => void }} options
   * @returns {Promise<SseSession>}
   */
  static async open(url, { localAddress, onHeartbeat = () => {} }) {
    const response = await openStream(url, { localAddress });
    if (response.statusCode !== 200) throw new Error(`GET /sse: ${response.statusCode}`);
    const session = new SseSession(response, onHeartbeat);
    session.#endpoint = new URL(await session.#endpointNamed, url).href;
    await session.ask(INITIALIZE);
    await session.tell({ jsonrpc: '2.0', method: 'notifications/initialized' });
    return session;
  }

  /** @type {Promise<string>} */
  #endpointNamed;

  /**
   * @param {import('node:http').IncomingMessage} response
   * @param {(gapMs: number) => void} onHeartbeat
   */
  constructor(response, onHeartbeat) {
    this.#response = response;
    this.#onHeartbeat = onHeartbeat;
    this.#endpoint = '';
    /** @type {(endpoint: string) => void} */
    let named = () => {};
    this.#endpointNamed = new Promise((resolve) => {
      named = resolve;
    });
    const parser = createParser({
      onEvent: ({ event, data }) => (event === 'endpoint' ? named(data) : this.#receive(data)),
      onComment: (comment) => comment.trim() === 'heartbeat' && this.#beat(),
    });
    response.setEncoding('utf8');
    response.on('data', (text) => parser.feed(text));
    response.on('error', () => {});
    response.on('close', () => {
      this.isClosed = true;
      for (const [id, settle] of this.#waiting) settle({ id, lost: true });
      this.#waiting.clear();
    });
  }

  /**
   * Posts a request, and waits for its answer; `{ lost: true }` where the stream ends before.
   *
   * @param {{ id: string }} message
   * @returns {Promise<any>}
   */
  async ask(message) {
    /** @type {Promise<any>} */
    const answered = new Promise((resolve) => this.#waiting.set(message.id, resolve));
    await this.tell(message);
    return answered;
  }

  /**
   * Posts a message.
   *
   * @param {object} message
   */
  async tell(message) {
    const response = await post(this.#endpoint, message);
    await drain(response);
    if (response.statusCode !== 202) throw new Error(`POST: ${response.statusCode}`);
  }

  /** @param {(message: any) => void} listener */
  onNotification(listener) {
    this.#onNotification = listener;
  }

  /** Counts heartbeats anew. */
  listenAnew() {
    this.heartbeats = 0;
    this.lastHeartbeatAt = 0;
  }

  /** Leaves in good order. */
  async leave() {
    this.#response.destroy();
  }

  /** Vanishes with a reset. */
  reset() {
    this.#response.socket.resetAndDestroy();
  }

  /** Reads no more, and says nothing. */
  stopReading() {
    this.#response.pause();
    this.#response.socket.pause();
  }

  /** Closes its end of a connection that something in between keeps. */
  drop() {
    this.#response.socket.destroy();
  }

  #beat() {
    const now = performance.now();
    if (this.lastHeartbeatAt > 0) this.#onHeartbeat(now - this.lastHeartbeatAt);
    this.lastHeartbeatAt = now;
    this.heartbeats += 1;
  }

  /** @param {string} data */
  #receive(data) {
    const message = JSON.parse(data);
    if (message.method !== undefined) {
      this.#onNotification(message);
      return;
    }
    const settle = this.#waiting.get(message.id);
    this.#waiting.delete(message.id);
    settle?.(message);
  }
}
