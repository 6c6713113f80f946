import { randomUUID } from 'node:crypto';
import { HttpPlace } from '../scoreboard/server/http.mjs';
import { parseJson, resultOf } from './messages.mjs';
import { inStream, json, messagesIn, rpcError } from './replies.mjs';

/**
 * @typedef {import('./messages.mjs').Message} Message
 * @typedef {import('../scoreboard/server/http.mjs').Response} Response
 *
 * @typedef {object} Reply what one HTTP request is answered with
 * @property {number} [status] default 200
 * @property {Record<string, string | string[]>} [headers]
 * @property {string | Buffer | AsyncIterable<string | Buffer>} [body]
 * @property {true} [staysOpen] the body does not end
 * @property {true} [isSilent] there is no answer at all, and the connection stays
 * @property {true} [isCut] the connection breaks off: after the body, if there is one
 * @property {string} [pushed] what is written to the open stream of the session after that
 *
 * @typedef {object} Incoming one HTTP request
 * @property {string} method
 * @property {URL} url
 * @property {import('node:http').IncomingHttpHeaders} headers
 * @property {Message | undefined} message the JSON of its body
 * @property {HabitServer} server
 * @property {number} count how often the rule that looks at it was met before
 * @property {() => Reply} usual what a server without habits answers; it acts on the message
 *
 * @typedef {object} Rule
 * @property {string} what it is about
 * @property {(incoming: Incoming) => boolean} when
 * @property {Reply | ((incoming: Incoming) => Reply | Promise<Reply>)} reply
 *
 * @typedef {object} Habit
 * @property {string} name continues "a server that"
 * @property {readonly Rule[]} rules the first one that fits answers
 * @property {'streamable-http' | 'sse' | 'stateless'} [speaks] default `streamable-http`
 * @property {'json' | 'stream'} [form] of answers; default `json`
 * @property {string} [path] of the server, default `/mcp`, or `/sse`
 * @property {string} [urlPath] of the URL that the client is given, where it is another
 * @property {'calls' | 'restart' | 'away'} [trial] default `calls`
 * @property {readonly string[]} [tools] that are to be found, if others than `read` and `write`
 * @property {RegExp} [says] what a clear error names, besides the status and the server's words
 * @property {number} [progress] how often the call of `read` tells its progress
 * @property {(tools: readonly unknown[]) => unknown} [list] the result of `tools/list`
 * @property {(text: string) => unknown} [result] of a call that says this
 * @property {string} [seen] the address of a report
 */

/** How one may say that a connection was cut. */
const CUT_WORDS = ['broke off', 'dropped', 'closed', 'reset', 'hang up', 'terminated', 'aborted'];

/** So much of a text is enough to tell it from others. */
const WORDS_LENGTH = 30;

/** An MCP server that does well, but for one habit. */
export class HabitServer {
  /** @type {Set<number>} */
  static #ports = new Set();

  runs = { read: 0, write: 0 };
  /** Statuses, content types, places and words that clients were given. @type {Set<string>} */
  told = new Set();
  /** What clients answered to requests of this server. @type {Message[]} */
  answers = [];
  /** By `performance.now()`. @type {number | undefined} */
  restartedAt;
  /** Sessions and their open streams. @type {Map<string, Response | undefined>} */
  #sessions = new Map();
  /** @type {Map<Rule, number>} */
  #counts = new Map();
  #place = new HttpPlace((request, response) => void this.#take(request, response));

  /** @param {Habit} habit */
  constructor(habit) {
    this.habit = habit;
  }

  /** At a port that no server here had before: clients keep what was detected at a URL. */
  async start() {
    for (;;) {
      await this.#place.start();
      if (!HabitServer.#ports.has(this.#place.port)) break;
      await this.#place.close();
    }
    HabitServer.#ports.add(this.#place.port);
    return this;
  }

  close() {
    return this.#place.close();
  }

  get origin() {
    return this.#place.origin;
  }

  get path() {
    return this.habit.path ?? (this.habit.speaks === 'sse' ? '/sse' : '/mcp');
  }

  /** What clients are given. */
  get url() {
    return this.origin + (this.habit.urlPath ?? this.path);
  }

  /** A process of the server's is replaced by another, behind a gateway that stays. */
  restart() {
    this.restartedAt = performance.now();
    this.#counts.clear();
    const streams = [...this.#sessions.values()];
    this.#sessions.clear();
    for (const stream of streams) stream?.destroy();
  }

  /** The same, with a port that is closed for a moment. @param {number} awayMs */
  async goAway(awayMs) {
    this.restart();
    await this.#place.away();
    setTimeout(() => void this.#place.back(), awayMs);
  }

  /** @param {string} id */
  knows(id) {
    return this.#sessions.has(id);
  }

  openSession(id = randomUUID()) {
    this.#sessions.set(id, undefined);
    return id;
  }

  /** Waits for the answer to a request of this server. @param {string | number} id */
  async answerTo(id) {
    for (;;) {
      const answer = this.answers.find((message) => message.id === id);
      if (answer !== undefined) return answer;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  /** The session that a request names. @param {Pick<Incoming, 'headers' | 'url'>} incoming */
  sessionOf({ headers, url }) {
    const named = this.habit.speaks === 'sse' ? url.searchParams.get('session_id') : undefined;
    return String(named ?? headers['mcp-session-id'] ?? '');
  }

  /**
   * @param {import('../scoreboard/server/http.mjs').Request} request
   * @param {Response} response
   */
  async #take({ method, url, headers, body }, response) {
    const message = parseJson(body);
    /** @type {Incoming} */
    const incoming = {
      method,
      url,
      headers,
      message,
      server: this,
      count: 0,
      usual: () => this.#usual(incoming),
    };
    const rule = this.habit.rules.find(({ when }) => when(incoming));
    if (rule === undefined) return this.#send(this.#usual(incoming), incoming, response);
    incoming.count = this.#counts.get(rule) ?? 0;
    this.#counts.set(rule, incoming.count + 1);
    const { reply } = rule;
    const made = typeof reply === 'function' ? await reply(incoming) : reply;
    await this.#send(made, incoming, response);
  }

  /** @param {Reply} reply @param {Incoming} incoming @param {Response} response */
  async #send(reply, incoming, response) {
    const { status = 200, headers = {}, body = '' } = reply;
    if (reply.isSilent) return;
    this.#describe(reply);
    if (reply.isCut && body === '') return void response.destroy();
    response.writeHead(status, headers);
    response.flushHeaders();
    if (reply.staysOpen && incoming.method === 'GET') this.#stand(incoming, response);
    if (typeof body === 'string' || Buffer.isBuffer(body)) {
      if (body.length > 0) response.write(body);
    } else {
      for await (const part of body) response.write(part);
    }
    if (reply.isCut) setTimeout(() => response.destroy(), 20);
    else if (!reply.staysOpen) response.end();
    if (reply.pushed !== undefined) {
      this.#sessions.get(this.sessionOf(incoming))?.write(reply.pushed);
    }
  }

  /** @param {Incoming} incoming @param {Response} response */
  #stand(incoming, response) {
    const id = this.habit.speaks === 'sse' ? [...this.#sessions.keys()].at(-1) : undefined;
    this.#sessions.set(id ?? this.sessionOf(incoming), response);
  }

  /** @param {Reply} reply */
  #describe({ status = 200, headers = {}, body = '', isCut }) {
    const type = headers['content-type'];
    if (isCut) for (const words of CUT_WORDS) this.told.add(words);
    if (status >= 300) this.told.add(String(status));
    for (const words of [type ?? 'content type', headers['location']]) {
      if (typeof words === 'string') this.told.add(words);
    }
    for (const { error } of messagesIn(body)) {
      if (typeof error?.message === 'string') this.told.add(error.message);
    }
    const hasWords = typeof body === 'string' && !/json|event-stream/.test(String(type));
    if (hasWords && body !== '') this.told.add(body.slice(0, WORDS_LENGTH).trim());
  }

  /** @param {Incoming} incoming @returns {Reply} */
  #usual(incoming) {
    if (this.habit.speaks === 'sse') return this.#usualOverSse(incoming);
    const { method, url, message } = incoming;
    if (url.pathname !== this.path) return { status: 404, body: 'no such page' };
    if (this.habit.speaks === 'stateless') return this.#usualWithoutSessions(incoming);
    const session = this.sessionOf(incoming);
    if (message?.method === 'initialize') {
      const id = this.openSession();
      return this.answer(message, { 'mcp-session-id': id });
    }
    if (session === '') {
      const error = rpcError(-32000, 'Bad Request: No valid session ID provided');
      return { status: 400, ...json(error) };
    }
    if (!this.knows(session))
      return { status: 404, ...json(rpcError(-32001, 'Session not found')) };
    if (method === 'GET') return inStream('', { staysOpen: true });
    if (method === 'DELETE') return {};
    return this.#take202(message) ?? this.answer(/** @type {Message} */ (message));
  }

  /** @param {Incoming} incoming @returns {Reply} */
  #usualWithoutSessions({ method, message }) {
    if (method !== 'POST' || message === undefined) return { status: 405 };
    if (message.method === 'initialize') {
      const data = { supported: ['2026-07-28'] };
      return {
        status: 400,
        ...json(rpcError(-32022, 'Unsupported protocol version', message.id, data)),
      };
    }
    if (message.method === 'subscriptions/listen') {
      return { status: 404, ...json(rpcError(-32601, 'Method not found', message.id)) };
    }
    return this.#take202(message) ?? this.answer(message);
  }

  /** @param {Incoming} incoming @returns {Reply} */
  #usualOverSse(incoming) {
    const { method, url, message } = incoming;
    if (url.pathname === this.path) {
      if (method !== 'GET') return { status: 405, body: 'Method Not Allowed' };
      const id = this.openSession();
      return inStream(`event: endpoint\ndata: /messages?session_id=${id}\n\n`, { staysOpen: true });
    }
    if (url.pathname !== '/messages') return { status: 404, body: 'no such page' };
    if (!this.knows(this.sessionOf(incoming)))
      return { status: 404, body: 'Could not find session' };
    const taken = this.#take202(message);
    if (taken !== undefined) return taken;
    const answer = JSON.stringify(this.answerOf(/** @type {Message} */ (message)));
    return { status: 202, body: 'Accepted', pushed: `event: message\ndata: ${answer}\n\n` };
  }

  /** What has no answer. @param {Message | undefined} message @returns {Reply | undefined} */
  #take202(message) {
    if (message === undefined) return { status: 400, body: 'no JSON' };
    if (message.method === undefined) this.answers.push(message);
    return message.method === undefined || message.id === undefined ? { status: 202 } : undefined;
  }

  /** Acts on a request, and answers it in the usual form. @param {Message} message @param {Record<string, string>} [headers] @returns {Reply} */
  answer(message, headers = {}) {
    const answer = this.answerOf(message);
    const reply =
      this.habit.form === 'stream'
        ? inStream(`event: message\ndata: ${JSON.stringify(answer)}\n\n`)
        : json(answer);
    return { ...reply, headers: { ...reply.headers, ...headers } };
  }

  /** Acts on a request. @param {Message} message @returns {Message} */
  answerOf(message) {
    return resultOf(message, this);
  }
}
