/**
 * `node:http` and the fewest steps that each protocol allows. No limits, checks, timeouts,
 * heartbeats or resumption.
 */
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { readBody } from '../../calls/body.mjs';
import { listen } from './listen.mjs';

/** @typedef {import('node:http').IncomingMessage} IncomingMessage */
/** @typedef {import('node:http').ServerResponse} ServerResponse */

/**
 * @typedef {object} BareSession
 * @property {ServerResponse | undefined} stream for what the server says unasked
 * @property {Answerer} answerer
 *
 * @typedef {object} Answerer what answers the messages of one session
 * @property {(message: any, reply: (answer: object) => void) => void} receive
 * @property {() => void} [close]
 *
 * @typedef {(say: (message: object) => void) => Answerer} MakeAnswerer `say` sends what answers
 *   nothing
 */

const EVENTS = { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' };
/** With its length, which is cheaper than chunks. */
const ACCEPTED_HEADERS = { 'content-type': 'text/plain', 'content-length': 8 };
const MODERN = '2026-07-28';
const LIST_CHANGED = 'notifications/tools/list_changed';

/** @param {object} message */
const event = (message) => `event: message\ndata: ${JSON.stringify(message)}\n\n`;

/** @param {ServerResponse} response @param {object} message @param {Record<string, string>} [headers] */
function sendJson(response, message, headers) {
  const text = JSON.stringify(message);
  response.writeHead(200, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
    ...headers,
  });
  response.end(text);
}

/**
 * @param {MakeAnswerer} makeAnswerer
 * @param {(method: string, params: any) => object} resultOf what a stateless request is answered
 */
export async function startBareHttp(makeAnswerer, resultOf) {
  /** @type {Map<string, BareSession>} */
  const sessions = new Map();
  /** Streams of `subscriptions/listen`, by the id that a notification carries. */
  /** @type {Map<string, ServerResponse>} */
  const listeners = new Map();

  /** @returns {[string, BareSession]} */
  function open() {
    const id = randomUUID();
    /** @type {BareSession} */
    const session = {
      stream: undefined,
      answerer: makeAnswerer((message) => session.stream?.write(event(message))),
    };
    sessions.set(id, session);
    return [id, session];
  }

  /** @param {string} id */
  function end(id) {
    sessions.get(id)?.answerer.close?.();
    sessions.delete(id);
  }

  /** 2024-11-05. @param {ServerResponse} stream */
  function openSse(stream) {
    const [id, session] = open();
    session.stream = stream;
    stream.on('close', () => end(id));
    stream.writeHead(200, EVENTS);
    stream.write(`event: endpoint\ndata: /messages?sessionId=${id}\n\n`);
  }

  /** @param {BareSession | undefined} session @param {ServerResponse} response @param {string} body */
  function receiveSse(session, response, body) {
    if (session === undefined) {
      response.writeHead(404).end();
      return;
    }
    response.writeHead(202, ACCEPTED_HEADERS).end('Accepted');
    session.answerer.receive(JSON.parse(body), (answer) => session.stream?.write(event(answer)));
  }

  /** 2025-11-25. @param {string | undefined} given @param {ServerResponse} response @param {any} message */
  function receiveInSession(given, response, message) {
    const [id, session] =
      message.method === 'initialize' ? open() : [given ?? '', sessions.get(given ?? '')];
    if (session === undefined) {
      response.writeHead(404).end();
      return;
    }
    if (message.id === undefined) response.writeHead(202).end();
    session.answerer.receive(message, (answer) => {
      sendJson(response, answer, { 'mcp-session-id': id });
    });
  }

  /** 2026-07-28. @param {ServerResponse} response @param {any} message */
  function receiveStateless(response, { id, method, params }) {
    if (method !== 'subscriptions/listen') {
      const result = { resultType: 'complete', ...resultOf(method, params) };
      sendJson(response, { jsonrpc: '2.0', id, result });
      return;
    }
    const subscription = String(id);
    const key = randomUUID();
    listeners.set(key, response);
    response.on('close', () => listeners.delete(key));
    response.writeHead(200, EVENTS);
    const _meta = { 'io.modelcontextprotocol/subscriptionId': subscription };
    const { notifications } = params;
    const acknowledged = { _meta, notifications };
    response.write(
      event({
        jsonrpc: '2.0',
        method: 'notifications/subscriptions/acknowledged',
        params: acknowledged,
      }),
    );
  }

  /** @param {IncomingMessage} request @param {ServerResponse} response */
  function onRequest(request, response) {
    const { method, url = '', headers } = request;
    const id = /** @type {string | undefined} */ (headers['mcp-session-id']);
    if (method === 'POST' && url === '/mcp') {
      const isModern = headers['mcp-protocol-version'] === MODERN;
      readBody(request, (body) => {
        const message = JSON.parse(body);
        if (isModern) receiveStateless(response, message);
        else receiveInSession(id, response, message);
      });
    } else if (method === 'POST') {
      const session = sessions.get(url.slice(url.indexOf('=') + 1));
      readBody(request, (body) => receiveSse(session, response, body));
    } else if (method === 'GET' && url === '/sse') {
      openSse(response);
    } else if (method === 'GET') {
      const session = sessions.get(id ?? '');
      if (session) session.stream = response;
      response.writeHead(session ? 200 : 404, EVENTS).flushHeaders();
    } else {
      end(id ?? '');
      response.writeHead(200).end();
    }
  }

  const origin = await listen(createServer(onRequest));
  return {
    origin,
    broadcast() {
      const text = event({ jsonrpc: '2.0', method: LIST_CHANGED });
      for (const { stream } of sessions.values()) stream?.write(text);
      for (const stream of listeners.values()) stream.write(text);
    },
  };
}
