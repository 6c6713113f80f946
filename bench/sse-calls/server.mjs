/**
 * The server that every contender calls: MCP over HTTP+SSE (protocol 2024-11-05) with one tool,
 * `echo`, and as little work per call as `node:http` allows, so that the clients are what is
 * measured. It runs in a process of its own and ends with its parent.
 */
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { readBody } from '../calls/body.mjs';
import { answer } from '../calls/echo.mjs';

const PROTOCOL_VERSION = '2024-11-05';

/** @type {Map<string, import('node:http').ServerResponse>} */
const streams = new Map();

/** @type {import('node:http').RequestListener} */
function onRequest(request, response) {
  const url = request.url ?? '';
  if (request.method === 'GET' && url === '/sse') {
    openStream(response);
  } else if (request.method === 'POST' && url.startsWith('/messages?session_id=')) {
    receiveMessage(request, response, url.slice(url.indexOf('=') + 1));
  } else {
    response.writeHead(404).end();
  }
}

/** @param {import('node:http').ServerResponse} response */
function openStream(response) {
  const session = randomUUID();
  streams.set(session, response);
  response.on('close', () => streams.delete(session));
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' });
  response.write(`event: endpoint\ndata: /messages?session_id=${session}\n\n`);
}

/**
 * @param {import('node:http').IncomingMessage} request
 * @param {import('node:http').ServerResponse} response
 * @param {string} session
 */
function receiveMessage(request, response, session) {
  const stream = streams.get(session);
  if (!stream) {
    response.writeHead(404).end();
    return;
  }
  readBody(request, (body) => {
    // What the reference server answers, to the byte.
    response.writeHead(202).end('Accepted');
    const message = JSON.parse(body);
    if (message.id === undefined || message.method === undefined) return;
    const reply = answer(PROTOCOL_VERSION, message);
    stream.write(`event: message\ndata: ${JSON.stringify(reply)}\n\n`);
  });
}

const server = createServer(onRequest);
process.on('disconnect', () => process.exit());
server.listen(0, '127.0.0.1', () => {
  const address = /** @type {import('node:net').AddressInfo} */ (server.address());
  process.send?.({ url: `http://127.0.0.1:${address.port}/sse` });
});
