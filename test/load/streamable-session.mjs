import { createParser } from 'eventsource-parser';
import { request } from 'node:http';
import { drain, post } from './http-requests.mjs';
import { INITIALIZE } from './sse-session.mjs';

/** A client that speaks Streamable HTTP. */
export class StreamableSession {
  #url;
  #headers;
  /** @type {(message: any) => void} */
  #onNotification = () => {};

  /**
   * Opens a session and initializes it.
   *
   * @param {string} url
   * @returns {Promise<StreamableSession>}
   */
  static async open(url) {
    const response = await post(url, INITIALIZE);
    await drain(response);
    const id = response.headers['mcp-session-id'];
    if (typeof id !== 'string')
      throw new Error(`POST initialize: ${response.statusCode}, no session`);
    const session = new StreamableSession(url, id);
    await session.tell({ jsonrpc: '2.0', method: 'notifications/initialized' });
    return session;
  }

  /** @param {string} url @param {string} id */
  constructor(url, id) {
    this.#url = url;
    this.#headers = { 'mcp-session-id': id, 'mcp-protocol-version': '2025-06-18' };
  }

  /** @param {object} message */
  async tell(message) {
    await drain(await post(this.#url, message, this.#headers));
  }

  /**
   * Posts a request, and waits for its answer.
   *
   * @param {{ id: string }} message
   * @returns {Promise<any>}
   */
  async ask(message) {
    const response = await post(this.#url, message, this.#headers);
    response.setEncoding('utf8');
    /** @type {any} */
    let answer = { id: message.id, lost: true };
    const take = (/** @type {string} */ data) => {
      if (data === '') return;
      const received = JSON.parse(data);
      if (received.method === undefined) answer = received;
      else this.#onNotification(received);
    };
    if (response.headers['content-type']?.startsWith('application/json')) {
      let body = '';
      for await (const text of response) body += text;
      take(body);
    } else {
      const parser = createParser({ onEvent: ({ data }) => take(data) });
      for await (const text of response) parser.feed(text);
    }
    return answer;
  }

  /** @param {(message: any) => void} listener */
  onNotification(listener) {
    this.#onNotification = listener;
  }

  /** Leaves in good order. @returns {Promise<void>} */
  leave() {
    return new Promise((resolve, reject) => {
      const left = request(this.#url, { method: 'DELETE', headers: this.#headers });
      left.on('response', (response) => void drain(response).then(resolve, reject));
      left.on('error', reject).end();
    });
  }
}
