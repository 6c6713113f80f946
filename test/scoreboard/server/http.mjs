import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * @typedef {object} Request one HTTP request, as far as it was read
 * @property {string} method
 * @property {URL} url
 * @property {import('node:http').IncomingHttpHeaders} headers
 * @property {string} body
 *
 * @typedef {import('node:http').ServerResponse} Response
 */

/**
 * Below the ports that systems hand out by themselves, so that nobody takes the port of a server
 * that is away for a while.
 */
const FIRST_PORT = 20_000;
const LAST_PORT = 30_000;

/** An HTTP server on 127.0.0.1 that can go away and come back at the same port. */
export class HttpPlace {
  /** Requests that came in, what was refused included. */
  requests = 0;
  /** Connections that were ever accepted. */
  acceptedConnections = 0;
  port = 0;

  /** @type {import('node:http').Server | undefined} */
  #server;
  /** @type {Set<import('node:net').Socket>} */
  #sockets = new Set();
  #handle;

  /** @param {(request: Request, response: Response) => void} handle */
  constructor(handle) {
    this.#handle = handle;
  }

  /** Lets another answer from now on. @param {(request: Request, response: Response) => void} handle */
  handBy(handle) {
    this.#handle = handle;
  }

  get origin() {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Connections that are open now. */
  get openConnections() {
    return this.#sockets.size;
  }

  /** Starts at a free port. */
  async start() {
    for (;;) {
      this.port = FIRST_PORT + Math.floor(Math.random() * (LAST_PORT - FIRST_PORT));
      try {
        await this.back();
        return this;
      } catch (error) {
        if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'EADDRINUSE') throw error;
      }
    }
  }

  /** Closes the port and breaks every connection off. */
  async away() {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return;
    const closed = new Promise((resolve) => server.close(resolve));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  async close() {
    await this.away();
  }

  /** Opens the port again. */
  async back() {
    const server = createServer((request, response) => void this.#take(request, response));
    server.on('connection', (socket) => {
      this.acceptedConnections += 1;
      this.#sockets.add(socket);
      socket.on('error', () => {});
      socket.once('close', () => this.#sockets.delete(socket));
    });
    await new Promise((resolve, reject) => {
      server.once('error', reject).listen(this.port, '127.0.0.1', () => resolve(undefined));
    });
    this.#server = server;
  }

  /**
   * @param {import('node:http').IncomingMessage} request
   * @param {Response} response
   */
  async #take(request, response) {
    this.requests += 1;
    const { method = '', headers } = request;
    const url = new URL(request.url ?? '/', this.origin);
    try {
      let body = '';
      request.setEncoding('utf8');
      for await (const chunk of request) body += chunk;
      this.#handle({ method, url, headers, body }, response);
    } catch {
      // It was cut while it came in.
      response.destroy();
    }
  }
}

/**
 * Waits until something holds.
 *
 * @param {() => boolean} holds
 * @param {number} patienceMs
 * @returns {Promise<number | undefined>} how long it took in milliseconds; undefined when it did not
 */
export async function until(holds, patienceMs) {
  const startedAt = performance.now();
  while (!holds()) {
    if (performance.now() - startedAt > patienceMs) return undefined;
    await sleep(5);
  }
  return performance.now() - startedAt;
}
