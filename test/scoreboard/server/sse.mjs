import { eventText, HostileServer, parseJson } from './hostile.mjs';
import { SseSession } from './sse-session.mjs';

/**
 * @typedef {import('./hostile.mjs').Request} Request
 * @typedef {import('./hostile.mjs').Response} Response
 */

/** A strict MCP server over HTTP+SSE (protocol 2024-11-05) that goes wrong as it is told to. */
export class SseServer extends HostileServer {
  transport = /** @type {const} */ ('sse');
  protocolVersion = '2024-11-05';
  /** Whether events have ids and sessions outlive their streams, to be resumed. */
  eventIds = false;
  /** The data of the `endpoint` event; `SESSION` is replaced. Without it the event never comes. */
  endpoint = /** @type {string | undefined} */ ('/messages?sessionId=SESSION');
  /** How a POST to a session that is not there is answered. */
  gone = { status: 404, body: 'Session not found' };
  /** How many resumed streams are cut after their `endpoint` event. */
  resumedToCut = 0;
  /** @type {Map<string, SseSession>} */
  sessions = new Map();
  /** Sessions in the order in which they were opened, gone ones included. @type {SseSession[]} */
  opened = [];

  /** How often `initialize` was accepted, in all sessions. */
  get initializes() {
    return this.opened.reduce((sum, session) => sum + session.initializes, 0);
  }

  /** Drops all sessions and keeps their streams open, as a restart behind a proxy does. */
  dropSessions() {
    this.sessions.clear();
  }

  /** @override */
  lineOf() {
    return this.opened[0]?.response;
  }

  /** @override @param {Request} request @param {Response} response */
  handle(request, response) {
    const { method, url } = request;
    if (method === 'GET' && url.pathname === '/sse') {
      if (!this.answerGet?.(request, response)) this.#open(request, response);
    } else if (method === 'POST' && url.pathname === '/messages') {
      this.#take(request, response, url.searchParams.get('sessionId') ?? '');
    } else {
      response.writeHead(405).end();
    }
  }

  /** @param {Request} request @param {Response} response */
  #open({ headers }, response) {
    const lastEventId = headers['last-event-id']?.toString();
    const resumable = this.sessions.get(lastEventId?.split(':')[0] ?? '');
    const session = resumable ?? new SseSession(this);
    if (resumable === undefined) this.opened.push(session);
    this.sessions.set(session.id, session);
    this.beginStream(response, {
      sessionId: session.id,
      lastEventId,
      resumed: resumable !== undefined,
    });
    response.once('close', () => {
      if (session.response === response) session.response = undefined;
      if (this.eventIds) return;
      this.sessions.delete(session.id);
      session.end();
    });
    if (this.endpoint === undefined) return;
    response.write(eventText('endpoint', this.endpoint.replace('SESSION', session.id)));
    if (resumable !== undefined && this.resumedToCut > 0) {
      this.resumedToCut -= 1;
      // Late enough for the event to arrive, early enough for nothing to follow it.
      setTimeout(() => response.destroy(), 50);
      return;
    }
    session.response = response;
    if (resumable !== undefined && lastEventId !== undefined) session.replayAfter(lastEventId);
  }

  /** @param {Request} request @param {Response} response @param {string} sessionId */
  #take({ headers, body }, response, sessionId) {
    const message = parseJson(body);
    const key = message?.method === 'tools/call' ? message.params?.arguments?.key : undefined;
    const { post, answer } = this.record({ sessionId, key, message }, response);
    const session = this.sessions.get(sessionId);
    if (answer !== undefined) {
      if (answer.execute) session?.take(message);
    } else if (session === undefined) {
      this.refuse(post, response, this.gone);
    } else if (!headers['content-type']?.startsWith('application/json')) {
      this.refuse(post, response, { status: 415 });
    } else if (message?.jsonrpc !== '2.0') {
      this.refuse(post, response, { status: 400, body: 'no JSON-RPC message' });
    } else {
      this.refuse(post, response, { status: 202, body: 'Accepted' });
      if (message.method !== this.deafTo) session.take(message);
    }
  }
}
