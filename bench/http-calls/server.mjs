/**
 * The server that every contender calls: MCP over Streamable HTTP with one tool, `echo`, and as
 * little work per call as `node:http` allows, so that the clients are what is measured. It is strict
 * about the headers that a client must send. It runs in a process of its own and ends with its
 * parent.
 *
 * Arguments of the process: the version of the protocol (2025-11-25, with sessions, or 2026-07-28,
 * stateless), what it answers requests with (`json` or `sse`), and how many servers there are, each
 * on a port of its own (default 1).
 */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { readBody } from '../calls/body.mjs';
import {
  answer as answerWithSession,
  echo,
  methodNotFound,
  SERVER_INFO,
  TOOLS,
} from '../calls/echo.mjs';

/** @typedef {import('node:http').IncomingMessage} IncomingMessage */
/** @typedef {import('node:http').ServerResponse} ServerResponse */

const [version = '', answers = '', servers = '1'] = process.argv.slice(2);
const PATH = '/mcp';
const VERSION_META = 'io.modelcontextprotocol/protocolVersion';
/** Longer than any measurement: nobody is to ask again. */
const TTL_MS = 3_600_000;

/** @type {Set<string | undefined>} */
const sessions = new Set();

/** A message from a client. @typedef {{ id?: string | number, method?: string, params?: any }} Message */
/** @typedef {{ id: string | number, method: string, params?: any }} Request */

/** @param {Message} message @returns {message is Request} */
const isRequest = (message) => message.id !== undefined && message.method !== undefined;

/**
 * Sends the answer to a request.
 *
 * @param {ServerResponse} response
 * @param {object} answer
 * @param {Record<string, string>} [headers]
 */
function send(response, answer, headers) {
  const text = JSON.stringify(answer);
  if (answers === 'json') {
    response.writeHead(200, {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(text),
      ...headers,
    });
    response.end(text);
  } else {
    response.writeHead(200, {
      'content-type': 'text/event-stream',
      'cache-control': 'no-cache',
      ...headers,
    });
    response.end(`event: message\ndata: ${text}\n\n`);
  }
}

/**
 * @param {ServerResponse} response
 * @param {number} status
 * @param {object} answer an error of JSON-RPC
 */
function refuse(response, status, answer) {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
}

/** @param {string | number | null} id @param {number} code @param {string} message */
const errorFor = (id, code, message) => ({ jsonrpc: '2.0', id, error: { code, message } });

/**
 * 2025-11-25.
 *
 * @param {IncomingMessage} request
 * @param {ServerResponse} response
 * @param {Message} message
 */
function receiveInSession({ headers }, response, message) {
  if (isRequest(message) && message.method === 'initialize') {
    const session = randomUUID();
    sessions.add(session);
    send(response, answerWithSession(version, message), { 'mcp-session-id': session });
    return;
  }
  const session = /** @type {string | undefined} */ (headers['mcp-session-id']);
  if (!sessions.has(session)) {
    // As the reference server has it for a request that names no session, and one that is gone.
    const status = session === undefined ? 400 : 404;
    refuse(response, status, errorFor(null, -32000, 'Bad Request: No valid session ID provided'));
  } else if (headers['mcp-protocol-version'] !== version) {
    refuse(response, 400, errorFor(null, -32000, 'Bad Request: Unsupported protocol version'));
  } else if (isRequest(message)) {
    send(response, answerWithSession(version, message));
  } else {
    response.writeHead(202).end();
  }
}

/**
 * 2026-07-28.
 *
 * @param {IncomingMessage} request
 * @param {ServerResponse} response
 * @param {Message} message
 */
function receiveStateless({ headers }, response, message) {
  if (!isRequest(message)) {
    response.writeHead(202).end();
    return;
  }
  const { id, method, params } = message;
  const asked = params?._meta?.[VERSION_META];
  if (asked !== version) {
    const data = { supported: [version], requested: asked };
    const { error, ...rest } = errorFor(id, -32022, 'Unsupported protocol version');
    refuse(response, 400, { ...rest, error: { ...error, data } });
  } else if (
    headers['mcp-protocol-version'] !== version ||
    headers['mcp-method'] !== method ||
    headers['mcp-name'] !== params.name
  ) {
    refuse(response, 400, errorFor(id, -32020, 'Headers do not match the body'));
  } else {
    const result = resultOf(method, params);
    if (result === undefined) refuse(response, 404, methodNotFound(id));
    else send(response, { jsonrpc: '2.0', id, result });
  }
}

/**
 * @param {string} method
 * @param {any} params
 * @returns {object | undefined} undefined for a method that does not exist here
 */
function resultOf(method, params) {
  switch (method) {
    case 'tools/call':
      return { resultType: 'complete', content: echo(params) };
    case 'tools/list':
      return { resultType: 'complete', tools: TOOLS, ttlMs: TTL_MS, cacheScope: 'public' };
    case 'server/discover':
      return {
        resultType: 'complete',
        supportedVersions: [version],
        capabilities: { tools: {} },
        serverInfo: SERVER_INFO,
        ttlMs: TTL_MS,
        cacheScope: 'public',
      };
    default:
      return undefined;
  }
}

const receive = version === '2026-07-28' ? receiveStateless : receiveInSession;

/** @param {IncomingMessage} request @param {ServerResponse} response */
function onRequest(request, response) {
  if (request.url !== PATH) {
    response.writeHead(404).end();
  } else if (request.method === 'POST') {
    const { accept = '', 'content-type': type } = request.headers;
    if (!accept.includes('application/json') || !accept.includes('text/event-stream')) {
      response.writeHead(406).end();
    } else if (type !== 'application/json') {
      response.writeHead(415).end();
    } else {
      readBody(request, (body) => receive(request, response, JSON.parse(body)));
    }
  } else if (request.method === 'DELETE') {
    const known = sessions.delete(/** @type {string} */ (request.headers['mcp-session-id']));
    response.writeHead(known ? 200 : 405).end();
  } else {
    // There is nothing that this server would send by itself.
    response.writeHead(405, { allow: 'POST, DELETE' }).end();
  }
}

/** @returns {Promise<string>} the URL of a new server */
async function listen() {
  const server = createServer(onRequest).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = /** @type {import('node:net').AddressInfo} */ (server.address());
  return `http://127.0.0.1:${address.port}${PATH}`;
}

process.on('disconnect', () => process.exit());
const urls = await Promise.all(Array.from({ length: Number(servers) }, listen));
process.send?.({ url: urls[0], urls });
