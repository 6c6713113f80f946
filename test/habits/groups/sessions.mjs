import {
  event,
  inStream,
  json,
  on,
  page,
  errorReply,
  rpcError,
  SILENT,
  status,
  text,
} from '../replies.mjs';

/**
 * @typedef {import('../server.mjs').Habit} Habit
 * @typedef {import('../server.mjs').Rule} Rule
 */

/** @param {string} name @param {Rule['reply']} reply @param {Partial<Habit>} [more] @returns {Habit} */
const gone = (name, reply, more = {}) => ({
  name: `answers ${name}`,
  trial: 'restart',
  rules: [on('gone', reply)],
  ...more,
});

/** @param {number} code @param {string} message @param {number} code of HTTP */
const refused =
  (http, code, message) => (/** @type {import('../server.mjs').Incoming} */ incoming) =>
    status(http, errorReply(code, message)(incoming));

const issue = (/** @type {string} */ path) => `https://github.com/${path}`;

/** @type {Habit[]} */
export const sessions = [
  gone(
    '404 with a JSON-RPC error without an id: "Session not found"',
    status(404, json(rpcError(-32001, 'Session not found'))),
  ),
  gone(
    '404 with a JSON-RPC error that has the id of the request',
    refused(404, -32600, 'Session not found'),
    {
      seen: issue('yantrikos/yantrikdb-mcp/pull/28'),
    },
  ),
  gone('404 with an empty body', status(404)),
  gone('404 with the text "session not found"', status(404, text('session not found\n'))),
  gone('404 with a page of HTML', status(404, page('404 Not Found'))),
  gone('404 with JSON that is no JSON-RPC', status(404, json({ error: 'Session expired' }))),
  gone('404 "Invalid session ID" as text', status(404, text('Invalid session ID\n'))),
  gone(
    '400 "Bad Request: No valid session ID provided"',
    status(400, json(rpcError(-32000, 'Bad Request: No valid session ID provided'))),
  ),
  gone(
    '400 "No valid session ID or not an initialize request"',
    status(
      400,
      json(rpcError(-32000, 'Bad Request: No valid session ID or not an initialize request')),
    ),
    {
      seen: issue('DAWNCR0W/affine-mcp-server/issues/301'),
    },
  ),
  gone('400 "Invalid or missing session ID"', status(400, text('Invalid or missing session ID'))),
  gone(
    '400 "Bad Request: Server not initialized"',
    status(400, json(rpcError(-32000, 'Bad Request: Server not initialized'))),
  ),
  gone(
    '400 "Bad Request: No valid session ID provided" with the id of the request',
    refused(400, -32600, 'Bad Request: No valid session ID provided'),
    {
      seen: issue('modelcontextprotocol/python-sdk/issues/1004'),
    },
  ),
  gone(
    '400 "Invalid request parameters" with the id of the request',
    refused(400, -32602, 'Invalid request parameters'),
  ),
  gone('400 with an empty body', status(400)),
  gone('400 with JSON that is no JSON-RPC', status(400, json({ error: 'invalid_session' }))),
  gone('400 with a text in another language', status(400, text('会话不存在'))),
  gone(
    '400 "Mcp-Session-Id header is required"',
    status(400, json({ detail: 'Mcp-Session-Id header is required' })),
  ),
  gone('401 with an empty body, to good credentials', status(401)),
  gone('401 "session expired"', status(401, json({ error: 'session expired' }))),
  gone(
    '401 with a JSON-RPC error that has the id of the request',
    refused(401, -32000, 'Invalid session'),
  ),
  gone('403 with an empty body', status(403)),
  gone(
    '403 "Session does not belong to this instance"',
    status(403, json({ error: 'Session does not belong to this instance' })),
  ),
  gone('405 with an empty body', status(405)),
  gone(
    '409 "Session not initialized"',
    status(409, json(rpcError(-32000, 'Session not initialized'))),
  ),
  gone('410 with an empty body', status(410)),
  gone('410 with a JSON-RPC error', status(410, json(rpcError(-32001, 'Session terminated')))),
  gone('412 "Unknown session"', status(412, text('Unknown session'))),
  gone('419 "Session expired", as PHP frameworks do', status(419, page('Page Expired'))),
  gone('422 "unknown session"', status(422, json({ detail: 'unknown session' }))),
  gone('428 "Precondition Required"', status(428, text('initialize first'))),
  gone('440, the time-out of a login', status(440)),
  gone('500 "Session not found"', status(500, text('Session not found'))),
  gone(
    '500 with a JSON-RPC error of its own fault',
    status(
      500,
      json(rpcError(-32603, "Cannot read properties of undefined (reading 'handleRequest')")),
    ),
  ),
  gone('500 with an empty body', status(500)),
  gone('501 with an empty body', status(501)),
  gone(
    '503 "unknown session, please reconnect"',
    status(503, text('unknown session, please reconnect')),
    {
      seen: issue('markmhendrickson/neotoma/issues/1923'),
    },
  ),
  gone('503 with an empty body', status(503)),
  gone('200 with a JSON-RPC error: "Session not found"', refused(200, -32001, 'Session not found')),
  gone(
    '200 with a JSON-RPC error: "Server not initialized"',
    refused(200, -32002, 'Server not initialized'),
  ),
  gone('200 with a JSON-RPC error without an id', json(rpcError(-32001, 'Session not found'))),
  gone('200 with a JSON-RPC error in an event', ({ message }) =>
    inStream(
      event(rpcError(-32600, 'Received request before initialization was complete', message?.id)),
    ),
  ),
  gone('200 with an event that is no JSON-RPC', inStream(event({ error: 'Session not found' })), {
    seen: issue('actionhero/keryx/issues/503'),
  }),
  gone('200 with JSON that is no JSON-RPC', json({ error: 'Session not found' })),
  gone('200 with an empty body', status(200)),
  gone('202 with an empty body', status(202)),
  gone('by breaking the connection off', { isCut: true }),
  gone('nothing at all', SILENT),
  {
    name: 'knows its session again, though it was restarted',
    trial: 'restart',
    rules: [
      on('gone', ({ server, headers, url, usual }) => {
        server.openSession(server.sessionOf({ headers, url }));
        return usual();
      }),
    ],
  },
  {
    name: 'has no sessions, and no id of one',
    trial: 'restart',
    rules: [
      on('GET', status(405)),
      on('notification', status(202)),
      on('request', ({ server, message }) =>
        server.answer(/** @type {import('../messages.mjs').Message} */ (message)),
      ),
    ],
  },
  gone('404 "Could not find session" over HTTP+SSE', status(404, text('Could not find session')), {
    speaks: 'sse',
  }),
  gone(
    '400 "No transport found for sessionId" over HTTP+SSE',
    status(400, text('No transport found for sessionId')),
    { speaks: 'sse' },
  ),
  gone(
    '500 "SSE connection not established" over HTTP+SSE',
    status(500, text('SSE connection not established')),
    { speaks: 'sse' },
  ),
];
