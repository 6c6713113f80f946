import { randomUUID } from 'node:crypto';
import { eventText, HostileServer, parseJson } from './hostile.mjs';
import { Session } from './session.mjs';

/**
 * @typedef {import('./hostile.mjs').Request} Request
 * @typedef {import('./hostile.mjs').Response} Response
 * @typedef {import('./hostile.mjs').Post} Post
 * @typedef {import('./hostile.mjs').HttpAnswer} HttpAnswer
 */

/** How long after its beginning an answer ends early: late enough for the head to arrive. */
const BREAK_OFF_MS = 50;

/** The events of one stream, which may be carried by several HTTP answers one after another. */
class EventLog {
  id = randomUUID();
  /** How often it was cut after it was resumed. */
  resumedCuts = 0;
  /** @type {Response | undefined} */
  response;
  #events = /** @type {string[]} */ ([]);
  #hasIds;
  #isOver = false;

  /** @param {boolean} hasIds */
  constructor(hasIds) {
    this.#hasIds = hasIds;
  }

  /** The id of its last event. */
  get lastId() {
    return `${this.id}:${this.#events.length}`;
  }

  /** @param {Response} response */
  carriedBy(response) {
    this.response = response;
    response.once('close', () => {
      if (this.response === response) this.response = undefined;
    });
  }

  /** An event that says nothing, so that there is an id from the beginning. */
  prime() {
    if (this.#hasIds) this.#add(`id: ${this.id}:${this.#events.length + 1}\ndata:\n\n`);
  }

  /** @param {any} message */
  say(message) {
    const id = this.#hasIds ? `${this.id}:${this.#events.length + 1}` : undefined;
    this.#add(eventText('message', { jsonrpc: '2.0', ...message }, id));
  }

  /** Says again what came after an event. @param {string} eventId */
  replayAfter(eventId) {
    const seen = Number(eventId.slice(eventId.indexOf(':') + 1));
    for (const text of this.#events.slice(seen)) this.response?.write(text);
    if (this.#isOver) this.response?.end();
  }

  end() {
    this.#isOver = true;
    this.response?.end();
  }

  /** @param {string} text */
  #add(text) {
    this.#events.push(text);
    this.response?.write(text);
  }
}

/** A session, and the streams that belong to it. */
class StreamableSession extends Session {
  /** The streams by id: that of each request, and the one of the session itself. */
  logs = /** @type {Map<string, EventLog>} */ (new Map());
  serverStream;

  /** @param {StreamableServer} server */
  constructor(server) {
    super(server);
    this.serverStream = this.log(server.eventIds);
  }

  /** @param {boolean} hasIds */
  log(hasIds) {
    const log = new EventLog(hasIds);
    this.logs.set(log.id, log);
    return log;
  }

  /** Says something that belongs to no request. @param {any} message */
  send(message) {
    this.serverStream.say(message);
  }
}

/** A strict MCP server over Streamable HTTP (protocol 2025-11-25) that goes wrong as it is told to. */
export class StreamableServer extends HostileServer {
  transport = /** @type {const} */ ('streamable');
  path = '/mcp';
  protocolVersion = '2025-11-25';
  /** Whether events have ids, so that a broken stream can be resumed. */
  eventIds = false;
  /** How requests are answered. */
  answersAs = /** @type {'sse' | 'json'} */ ('sse');
  /** How a request is answered that names a session that is not there. */
  gone = { status: 404, body: errorBody(-32001, 'Session not found') };
  /** How often each stream that is resumed is cut before its first event. */
  resumedToCut = 0;
  /**
   * Whether the answer to a POST ends early without having said anything, and how.
   *
   * @type {((post: Post) => 'end' | 'cut' | undefined) | undefined}
   */
  breaksOff;
  /** @type {Map<string, StreamableSession>} */
  sessions = new Map();
  /** Sessions in the order in which they were opened, gone ones included. @type {StreamableSession[]} */
  opened = [];
  /** Streams by the key of their call. @type {Map<string, EventLog>} */
  #logs = new Map();

  /** How often `initialize` was accepted, in all sessions. */
  get initializes() {
    return this.opened.reduce((sum, session) => sum + session.initializes, 0);
  }

  /** The stream of the first call with this key. @param {string} key */
  logOf(key) {
    return this.#logs.get(key);
  }

  /** Drops all sessions and keeps their streams open, as a restart behind a proxy does. */
  dropSessions() {
    this.sessions.clear();
  }

  /** @override @param {Request} request @param {Response} response */
  handle(request, response) {
    const { method, url } = request;
    if (url.pathname !== this.path) response.writeHead(404).end();
    else if (method === 'POST') void this.#take(request, response);
    else if (method === 'GET') this.#open(request, response);
    else if (method === 'DELETE') this.#end(request, response);
    else response.writeHead(405).end();
  }

  /** @param {Request} request @param {Response} response */
  #open(request, response) {
    if (this.answerGet?.(request, response)) return;
    const { headers } = request;
    const session = this.sessions.get(idIn(headers));
    const wrong = headers.accept?.includes('text/event-stream')
      ? this.#wrongSession(headers, session)
      : { status: 406, body: errorBody(-32000, 'Not Acceptable: text/event-stream') };
    if (wrong !== undefined || session === undefined) {
      respond(response, wrong ?? this.gone);
      return;
    }
    const lastEventId = headers['last-event-id']?.toString();
    const log =
      lastEventId === undefined
        ? session.serverStream
        : session.logs.get(lastEventId.split(':')[0] ?? '');
    if (log === undefined) {
      respond(response, { status: 400, body: errorBody(-32000, 'Invalid event ID') });
      return;
    }
    const resumed = lastEventId !== undefined;
    const what = { sessionId: session.id, lastEventId, resumed };
    this.beginStream(response, what, { 'mcp-session-id': session.id });
    if (resumed && log.resumedCuts < this.resumedToCut) {
      log.resumedCuts += 1;
      setTimeout(() => response.destroy(), BREAK_OFF_MS);
      return;
    }
    log.carriedBy(response);
    if (resumed) log.replayAfter(lastEventId);
  }

  /** @param {Request} request @param {Response} response */
  #end({ headers }, response) {
    const session = this.sessions.get(idIn(headers));
    const wrong = this.#wrongSession(headers, session);
    if (wrong !== undefined || session === undefined) {
      respond(response, wrong ?? this.gone);
      return;
    }
    this.sessions.delete(session.id);
    session.end();
    for (const log of session.logs.values()) log.end();
    response.writeHead(200).end();
  }

  /** @param {Request} request @param {Response} response */
  async #take({ headers, body }, response) {
    const message = parseJson(body);
    const key = message?.method === 'tools/call' ? message.params?.arguments?.key : undefined;
    const { post, answer } = this.record({ sessionId: idIn(headers), key, message }, response);
    const isHandshake = message?.method === 'initialize';
    let session = this.sessions.get(post.sessionId);
    if (answer !== undefined) {
      if (answer.execute) await session?.receive(message, () => {});
      return;
    }
    const wrong =
      wrongWith(headers, message) ??
      (isHandshake ? undefined : this.#wrongSession(headers, session));
    if (wrong !== undefined) {
      this.refuse(post, response, wrong);
      return;
    }
    if (isHandshake) {
      session = new StreamableSession(this);
      this.opened.push(session);
      this.sessions.set(session.id, session);
    }
    if (session === undefined) return;
    if (message.id === undefined || message.method === undefined) {
      this.refuse(post, response, { status: 202 });
      await session.receive(message, () => {});
    } else {
      post.status = 200;
      const answering = this.answersAs === 'sse' ? this.#stream : this.#json;
      await answering.call(this, session, post);
    }
  }

  /** @param {StreamableSession} session @param {Post} post */
  async #stream(session, post) {
    const { key, message, response } = post;
    const log = session.log(this.eventIds);
    if (key !== undefined && !this.#logs.has(key)) this.#logs.set(key, log);
    this.beginStream(response, undefined, { 'mcp-session-id': session.id });
    post.answeredAt = performance.now();
    log.carriedBy(response);
    if (this.preamble !== '') response.write(this.preamble);
    log.prime();
    const how = this.breaksOff?.(post);
    if (how !== undefined) {
      await session.receive(message, () => {});
      cutAnswer(response, how);
    } else if (message.method !== this.deafTo) {
      await session.receive(message, (said) => log.say(said));
      log.end();
    }
  }

  /** One body for all that is to be said: an array, if that is more than one message. */
  /**
   * One body for all that is to be said: an array, if that is more than one message.
   *
   * @param {StreamableSession} session
   * @param {Post} post
   */
  async #json(session, post) {
    const { message, response } = post;
    this.track(response);
    if (message.method === this.deafTo) return;
    /** @type {object[]} */
    const said = [];
    await session.receive(message, (part) => {
      // Without a stream there is no place for notifications.
      if (part.method === undefined) said.push({ jsonrpc: '2.0', ...part });
    });
    response.writeHead(200, { 'content-type': 'application/json', 'mcp-session-id': session.id });
    response.end(JSON.stringify(said.length === 1 ? said[0] : said));
    post.answeredAt = performance.now();
  }

  /**
   * @param {import('node:http').IncomingHttpHeaders} headers
   * @param {StreamableSession | undefined} session
   * @returns {HttpAnswer | undefined}
   */
  #wrongSession(headers, session) {
    if (idIn(headers) === '') {
      return { status: 400, body: errorBody(-32000, 'Mcp-Session-Id header is required') };
    }
    if (session === undefined) return this.gone;
    const version = headers['mcp-protocol-version']?.toString();
    if (version === this.protocolVersion) return undefined;
    const body = errorBody(-32000, `Unsupported protocol version: ${version ?? 'none'}`);
    return { status: 400, body };
  }
}

/** Breaks off an answer that has begun. @param {Response} response @param {'end' | 'cut'} how */
export function cutAnswer(response, how) {
  setTimeout(() => {
    if (how === 'end') response.end();
    else response.destroy();
  }, BREAK_OFF_MS);
}

/**
 * What is wrong with a POST of either era.
 *
 * @param {import('node:http').IncomingHttpHeaders} headers
 * @param {any} message
 * @returns {HttpAnswer | undefined}
 */
export function wrongWith({ accept = '', ...headers }, message) {
  if (!accept.includes('application/json') || !accept.includes('text/event-stream')) {
    const body = errorBody(-32000, 'Not Acceptable: application/json and text/event-stream');
    return { status: 406, body };
  }
  if (!headers['content-type']?.startsWith('application/json')) return { status: 415 };
  if (message?.jsonrpc !== '2.0') return { status: 400, body: errorBody(-32700, 'Parse error') };
  return undefined;
}

/** @param {import('node:http').IncomingHttpHeaders} headers */
const idIn = (headers) => headers['mcp-session-id']?.toString() ?? '';

/** A JSON-RPC error about no request. @param {number} code @param {string} message */
function errorBody(code, message) {
  return JSON.stringify({ jsonrpc: '2.0', error: { code, message }, id: null });
}

/** @param {Response} response @param {HttpAnswer} answer */
function respond(response, { status, headers = {}, body = '' }) {
  response.writeHead(status, headers).end(body);
}
