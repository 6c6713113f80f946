/**
 * A server for which a pool is made: MCP over Streamable HTTP (2025-11-25) with the tool `echo`,
 * which takes 10 ms, and only one call of a session is worked on at a time. It runs in a process of
 * its own and ends with its parent.
 */
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { readBody } from '../calls/body.mjs';
import { answer } from '../calls/echo.mjs';

const VERSION = '2025-11-25';
const CALL_MS = 10;

/** By session: the end of its last call. @type {Map<unknown, Promise<void>>} */
const sessions = new Map();

/**
 * @param {import('node:http').ServerResponse} response
 * @param {number} status
 * @param {object} body
 * @param {Record<string, string>} [headers]
 */
function send(response, status, body, headers) {
  response
    .writeHead(status, { 'content-type': 'application/json', ...headers })
    .end(JSON.stringify(body));
}

const NO_SESSION = {
  jsonrpc: '2.0',
  id: null,
  error: { code: -32000, message: 'Bad Request: No valid session ID provided' },
};

/**
 * @param {unknown} session the one that the request names
 * @param {import('node:http').ServerResponse} response
 * @param {any} message
 */
function receive(session, response, message) {
  if (message.method === 'initialize') {
    const opened = randomUUID();
    sessions.set(opened, Promise.resolve());
    send(response, 200, answer(VERSION, message), { 'mcp-session-id': opened });
    return;
  }
  const last = sessions.get(session);
  if (last === undefined) {
    send(response, session === undefined ? 400 : 404, NO_SESSION);
  } else if (message.id === undefined) {
    response.writeHead(202).end();
  } else if (message.method === 'tools/call') {
    const done = last.then(() => sleep(CALL_MS));
    sessions.set(session, done);
    void done.then(() => send(response, 200, answer(VERSION, message)));
  } else {
    send(response, 200, answer(VERSION, message));
  }
}

const server = createServer((request, response) => {
  const session = request.headers['mcp-session-id'];
  if (request.method === 'POST') {
    readBody(request, (body) => receive(session, response, JSON.parse(body)));
  } else if (request.method === 'DELETE') {
    response.writeHead(sessions.delete(session) ? 200 : 404).end();
  } else {
    response.writeHead(405, { allow: 'POST, DELETE' }).end();
  }
});
process.on('disconnect', () => process.exit());
server.listen(0, '127.0.0.1', () => {
  const address = /** @type {import('node:net').AddressInfo} */ (server.address());
  process.send?.({ url: `http://127.0.0.1:${address.port}/mcp` });
});
