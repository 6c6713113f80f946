/**
 * The bare loop's line to the server: one undici POST per message, one SSE stream, and nothing
 * that the job could do without. It trusts the server (LF, one `data` line an event), has no
 * limits, no timeouts and no recovery; it is the floor that the others are compared with.
 *
 * `dispatch` with the handler methods of undici's core is the cheapest way to make a POST that
 * undici has; `npm run bench -- floor` measures it against the other ways.
 */
import { StringDecoder } from 'node:string_decoder';
import { Agent } from 'undici';

const POST_HEADERS = ['content-type', 'application/json'];

/** One POST, settled when the server has taken it. */
class Post {
  /** @param {() => void} resolve @param {(error: Error) => void} reject */
  constructor(resolve, reject) {
    this.resolve = resolve;
    this.reject = reject;
    this.statusCode = 0;
  }
  onConnect() {}
  /** @param {number} statusCode */
  onHeaders(statusCode) {
    this.statusCode = statusCode;
    return true;
  }
  onData() {
    return true;
  }
  onComplete() {
    if (this.statusCode === 202) this.resolve();
    else this.reject(new Error(`POST answered ${this.statusCode}`));
  }
  /** @param {Error} error */
  onError(error) {
    this.reject(error);
  }
}

/** The stream, cut at blank lines. */
class EventStream {
  /** @param {(data: string) => void} onEvent @param {(error: Error) => void} onEnd */
  constructor(onEvent, onEnd) {
    this.onEvent = onEvent;
    this.onEnd = onEnd;
    this.decoder = new StringDecoder('utf8');
    this.rest = '';
  }
  onConnect() {}
  onHeaders() {
    return true;
  }
  /** @param {Buffer} chunk */
  onData(chunk) {
    const text = this.rest + this.decoder.write(chunk);
    let start = 0;
    let end;
    while ((end = text.indexOf('\n\n', start)) !== -1) {
      this.onEvent(text.slice(text.indexOf('data: ', start) + 6, end));
      start = end + 2;
    }
    this.rest = text.slice(start);
    return true;
  }
  onComplete() {
    this.onEnd(new Error('The stream ended'));
  }
  /** @param {Error} error */
  onError(error) {
    this.onEnd(error);
  }
}

/** In the shape of the SDK's `Transport`, so that its `Client` can run over it. */
export class BareTransport {
  /** @type {import('undici').Dispatcher} */
  dispatcher = new Agent();
  origin;
  path = '';
  #url;
  /** @type {((message: any) => void) | undefined} */
  onmessage;
  /** @type {(() => void) | undefined} */
  onclose;
  /** @type {((error: Error) => void) | undefined} */
  onerror;

  /** @param {string} url */
  constructor(url) {
    this.#url = new URL(url);
    this.origin = this.#url.origin;
  }

  /** @returns {Promise<void>} fulfilled when the server has named its endpoint */
  start() {
    return new Promise((resolve, reject) => {
      const stream = new EventStream(
        (data) => {
          if (this.path === '') {
            this.path = data;
            resolve();
          } else {
            this.onmessage?.(JSON.parse(data));
          }
        },
        (error) => {
          reject(error);
          this.onerror?.(error);
        },
      );
      this.dispatcher.dispatch(
        {
          origin: this.origin,
          path: this.#url.pathname,
          method: 'GET',
          headers: ['accept', 'text/event-stream'],
          bodyTimeout: 0,
        },
        stream,
      );
    });
  }

  /**
   * @param {unknown} message
   * @returns {Promise<void>}
   */
  send(message) {
    return new Promise((resolve, reject) => {
      this.dispatcher.dispatch(
        {
          origin: this.origin,
          path: this.path,
          method: 'POST',
          headers: POST_HEADERS,
          body: JSON.stringify(message),
        },
        new Post(resolve, reject),
      );
    });
  }

  async close() {
    this.onerror = undefined;
    await this.dispatcher.destroy();
    this.onclose?.();
  }
}
