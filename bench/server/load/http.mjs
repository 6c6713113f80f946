/**
 * The requests of the load, by undici's dispatcher with the handler methods of its core, which is
 * the cheapest way that it has: what the load costs is to be little, and the same for all.
 */
import { Pool } from 'undici';
import { EventBlocks } from './event-blocks.mjs';

const STREAM_TIMEOUT_MS = 10_000;

/** @typedef {{ status: number, headers: Buffer[], body: Buffer }} Answer */

/** One POST or DELETE, settled when its answer is whole. */
class WholeAnswer {
  #resolve;
  #reject;
  #status = 0;
  /** @type {Buffer[]} */
  #headers = [];
  /** @type {Buffer | undefined} */
  #body;

  /** @param {(answer: Answer) => void} resolve @param {(error: Error) => void} reject */
  constructor(resolve, reject) {
    this.#resolve = resolve;
    this.#reject = reject;
  }
  onConnect() {}
  /** @param {number} status @param {Buffer[]} headers */
  onHeaders(status, headers) {
    this.#status = status;
    this.#headers = headers;
    return true;
  }
  /** @param {Buffer} chunk */
  onData(chunk) {
    this.#body = this.#body === undefined ? chunk : Buffer.concat([this.#body, chunk]);
    return true;
  }
  onComplete() {
    this.#resolve({
      status: this.#status,
      headers: this.#headers,
      body: this.#body ?? Buffer.alloc(0),
    });
  }
  /** @param {Error} error */
  onError(error) {
    this.#reject(error);
  }
}

/** A stream that stays open, settled when its headers are there. */
class OpenStream {
  #resolve;
  #reject;
  #blocks;
  /** @type {(reason?: Error) => void} */
  #abort = () => {};
  #isClosed = false;

  /**
   * @param {(data: string) => void} onData
   * @param {(close: () => void) => void} resolve
   * @param {(error: Error) => void} reject
   */
  constructor(onData, resolve, reject) {
    this.#blocks = new EventBlocks(onData);
    this.#resolve = resolve;
    this.#reject = reject;
  }
  /** @param {(reason?: Error) => void} abort */
  onConnect(abort) {
    this.#abort = abort;
  }
  /** @param {number} status */
  onHeaders(status) {
    if (status === 200) this.#resolve(() => this.close());
    else this.#fail(new Error(`the stream was answered ${status}`));
    return true;
  }
  /** @param {Buffer} chunk */
  onData(chunk) {
    this.#blocks.push(chunk);
    return true;
  }
  onComplete() {
    if (!this.#isClosed) this.#fail(new Error('the server ended the stream'));
  }
  /** @param {Error} error */
  onError(error) {
    if (!this.#isClosed) this.#fail(error);
  }
  close() {
    this.#isClosed = true;
    this.#abort(new Error('closed'));
  }
  /** @param {Error} error */
  #fail(error) {
    this.#isClosed = true;
    this.#reject(error);
    this.#abort(error);
  }
}

/** All requests to one server. */
export class Http {
  #path;
  #origin;
  #posts;
  #streams;

  /** @param {string} url @param {number} connections for all requests but streams */
  constructor(url, connections) {
    const { origin, pathname } = new URL(url);
    this.#origin = origin;
    this.#path = pathname;
    this.#posts = new Pool(origin, { connections, pipelining: 1 });
    // A stream has a connection of its own.
    this.#streams = new Pool(origin, { headersTimeout: STREAM_TIMEOUT_MS, bodyTimeout: 0 });
  }

  /**
   * @param {readonly string[]} headers names and values in turn
   * @param {string} body
   * @param {string} [path] default: that of the URL
   * @returns {Promise<Answer>}
   */
  post(headers, body, path = this.#path) {
    return this.#send('POST', headers, body, path);
  }

  /** @param {readonly string[]} headers @returns {Promise<Answer>} */
  delete(headers) {
    return this.#send('DELETE', headers, null, this.#path);
  }

  /**
   * Opens an event stream: by GET, or with a body by POST.
   *
   * @param {readonly string[]} headers
   * @param {(data: string) => void} onData told the data of every event
   * @param {string | null} [body]
   * @returns {Promise<() => void>} closes the stream
   */
  open(headers, onData, body = null) {
    return new Promise((resolve, reject) => {
      this.#streams.dispatch(
        {
          origin: this.#origin,
          path: this.#path,
          method: body === null ? 'GET' : 'POST',
          headers: [...headers],
          body,
        },
        new OpenStream(onData, resolve, reject),
      );
    });
  }

  /**
   * @param {'POST' | 'DELETE'} method
   * @param {readonly string[]} headers
   * @param {string | null} body
   * @param {string} path
   * @returns {Promise<Answer>}
   */
  #send(method, headers, body, path) {
    return new Promise((resolve, reject) => {
      this.#posts.dispatch(
        { origin: this.#origin, path, method, headers: /** @type {string[]} */ (headers), body },
        new WholeAnswer(resolve, reject),
      );
    });
  }
}

/**
 * The JSON-RPC answer in the body of a response, which is JSON or an event stream.
 *
 * @param {Answer} answer
 * @param {number} id
 * @returns {any} the result
 */
export function resultIn({ status, body }, id) {
  const text = body.toString();
  if (status !== 200) throw new Error(`a request was answered ${status}: ${text.slice(0, 200)}`);
  if (text.startsWith('{')) return resultOf(JSON.parse(text));
  /** @type {any} */
  let found;
  new EventBlocks((data) => {
    const message = JSON.parse(data);
    if (message.id === id && message.method === undefined) found = message;
  }).push(body);
  if (found === undefined) throw new Error('the stream of a request has no answer');
  return resultOf(found);
}

/** @param {any} answer of JSON-RPC */
export function resultOf({ result, error }) {
  if (error !== undefined) throw new Error(error.message);
  return result;
}

/**
 * @param {Answer} answer
 * @param {string} name in lower case
 */
export function headerOf({ headers }, name) {
  for (let at = 0; at < headers.length; at += 2) {
    if (String(headers[at]).toLowerCase() === name) return String(headers[at + 1]);
  }
  return undefined;
}
