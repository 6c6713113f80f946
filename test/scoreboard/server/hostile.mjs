import { HttpPlace } from './http.mjs';
import { TOOLS, Workshop } from './workshop.mjs';

/**
 * @typedef {import('./http.mjs').Request} Request
 * @typedef {import('./http.mjs').Response} Response
 *
 * @typedef {object} Stream one answer to a GET that became a stream
 * @property {number} at when it was opened, on the clock of `performance.now()`
 * @property {string} sessionId
 * @property {string | undefined} lastEventId
 * @property {boolean} resumed whether the session was there before
 * @property {boolean} open
 *
 * @typedef {object} Post one POST of a message
 * @property {number} at when it came
 * @property {number} answeredAt when its status was sent; 0 before
 * @property {number} status
 * @property {string} sessionId
 * @property {string | undefined} key the argument `key`, if it calls a tool
 * @property {any} message
 * @property {Response} response
 *
 * @typedef {object} HttpAnswer
 * @property {number} status 0 if the request is taken and never answered
 * @property {Record<string, string>} [headers]
 * @property {string} [body]
 * @property {boolean} [execute] whether the work is done nevertheless
 */

/** What the hostile servers of all transports over HTTP have in common: records, and ways to go wrong. */
export class HostileServer {
  /** Where it is found. */
  path = '/sse';
  workshop = new Workshop();
  tools = TOOLS;
  /** @type {Stream[]} */
  streams = [];
  /** @type {Post[]} */
  posts = [];
  /** Sessions that were ready to take calls. */
  readySessions = 0;
  /** Written at the beginning of each stream, a `retry:` for example. */
  preamble = '';
  /**
   * Answers a GET instead of the server, if it returns true.
   *
   * @type {((request: Request, response: Response) => boolean) | undefined}
   */
  answerGet;
  /**
   * Answers a POST instead of the server, if it returns something.
   *
   * @type {((post: Post) => HttpAnswer | undefined) | undefined}
   */
  answerPost;
  /** Requests of this method are taken and never answered. @type {string | undefined} */
  deafTo;
  /**
   * Says the answer to a call instead of the server.
   *
   * @type {((say: import('./workshop.mjs').Say, answer: any) => void) | undefined}
   */
  answerCall;
  http = new HttpPlace((request, response) => this.handle(request, response));
  /** What is being answered. @type {Set<Response>} */
  #responses = new Set();

  get url() {
    return `${this.http.origin}${this.path}`;
  }

  get openStreams() {
    return this.streams.filter(({ open }) => open).length;
  }

  /** What is open here and should not outlive the client, in words. @returns {string[]} */
  get left() {
    const count = this.#responses.size;
    return count === 0 ? [] : [`${count} streams or answers open at the server`];
  }

  /** What was opened here, in words. */
  get counts() {
    const opened = `${this.streams.length} streams, ${this.readySessions} sessions initialized`;
    return `${opened}, ${this.http.acceptedConnections} TCP connections`;
  }

  /** Lets another server take the place of this one, with the same workshop. @param {HostileServer} next */
  becomes(next) {
    this.cut();
    next.workshop = this.workshop;
    next.http = this.http;
    this.http.handBy((request, response) => next.handle(request, response));
  }

  /**
   * Where the answer to a call with this key is said.
   *
   * @param {string} key
   * @returns {Response | undefined}
   */
  lineOf(key) {
    return this.postsOf(key)[0]?.response;
  }

  /** The POSTs of calls with this key. @param {string} key */
  postsOf(key) {
    return this.posts.filter((post) => post.key === key);
  }

  async start() {
    await this.http.start();
    return this;
  }

  /** Breaks off everything that is being answered: streams, and bodies that are not complete. */
  cut() {
    for (const response of this.#responses) response.destroy();
  }

  async close() {
    this.workshop.release();
    await this.http.away();
  }

  /**
   * @abstract
   * @param {Request} _request
   * @param {Response} _response
   */
  handle(_request, _response) {
    throw new Error('a transport handles its requests');
  }

  /**
   * Begins an answer that is a stream of events.
   *
   * @param {Response} response
   * @param {Omit<Stream, 'at' | 'open'>} [what] recorded, unless it is the body of a POST
   * @param {Record<string, string>} [headers]
   */
  beginStream(response, what, headers) {
    response.writeHead(200, {
      'content-type': 'text/event-stream',
      'cache-control': 'no-cache',
      ...headers,
    });
    response.flushHeaders();
    this.track(response);
    const stream = { at: performance.now(), open: true, ...what };
    if (what !== undefined) {
      this.streams.push(/** @type {Stream} */ (stream));
      if (this.preamble !== '') response.write(this.preamble);
    }
    response.once('close', () => {
      stream.open = false;
    });
  }

  /** Counts an answer as open until it ends or is cut. @param {Response} response */
  track(response) {
    this.#responses.add(response);
    response.once('close', () => this.#responses.delete(response));
  }

  /**
   * Records a POST, and answers it if something else than the usual is to come.
   *
   * @param {Pick<Post, 'sessionId' | 'key' | 'message'>} what
   * @param {Response} response
   * @returns {{ post: Post, answer: HttpAnswer | undefined }}
   */
  record(what, response) {
    /** @type {Post} */
    const post = { at: performance.now(), answeredAt: 0, status: 0, response, ...what };
    this.posts.push(post);
    const answer = this.answerPost?.(post);
    if (answer !== undefined) this.refuse(post, response, answer);
    return { post, answer };
  }

  /** @param {Post} post @param {Response} response @param {HttpAnswer} answer */
  refuse(post, response, { status, headers = {}, body = '' }) {
    post.status = status;
    if (status === 0) {
      this.track(response);
      return;
    }
    response.writeHead(status, headers).end(body);
    post.answeredAt = performance.now();
  }
}

/** @param {string} event @param {unknown} data @param {string} [id] */
export function eventText(event, data, id) {
  const text = typeof data === 'string' ? data : JSON.stringify(data);
  return `${id === undefined ? '' : `id: ${id}\n`}event: ${event}\ndata: ${text}\n\n`;
}

/** @param {string} text @returns {any} undefined if it is no JSON */
export function parseJson(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
