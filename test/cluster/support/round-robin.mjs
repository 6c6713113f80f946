import { once } from 'node:events';
import { Agent, createServer, get, request } from 'node:http';

/** Those of a connection, which end at a proxy (RFC 9110, 7.6.1). */
const HOP = ['connection', 'keep-alive', 'proxy-connection', 'te', 'transfer-encoding', 'upgrade'];

/** How often a node is asked whether it is ready, and for how long its answer is waited for. */
const CHECK_MS = 250;
const CHECK_TIMEOUT_MS = 1_000;

/**
 * What a request became: of which session it was, and which node answered it.
 *
 * @typedef {object} Passed
 * @property {string} node
 * @property {string} session the id in its header or query; empty if it has none
 * @property {string} what its method and path
 * @property {number} status
 *
 * @typedef {object} RoundRobin
 * @property {string} origin `http://127.0.0.1:PORT`
 * @property {readonly Passed[]} passed every request that a node answered, in order
 * @property {() => void} cut breaks off every answer that has begun and not ended
 * @property {() => string[]} unready names of nodes that are asked only if no other is there
 * @property {() => Promise<void>} close
 *
 * @typedef {import('node:http').IncomingMessage} IncomingMessage
 * @typedef {import('node:http').ServerResponse} ServerResponse
 */

/**
 * Starts a plain proxy on a free port of 127.0.0.1. It knows no sessions: each request goes to the next node,
 * whatever it is of. What a load balancer does beside that, it does as well:
 *
 * - a node that `/readyz` says is not ready, or that does not answer, is asked only if no other is there;
 * - where nobody takes a connection, or the answer is 503, the next node is asked;
 * - what breaks off before it is answered becomes 502; it is not sent again, unless it is a GET;
 * - answers pass as they come, and connections to nodes are kept.
 *
 * Each answer names its node in the header `x-node`.
 *
 * @param {readonly { readonly name: string, readonly origin: string | undefined }[]} nodes looked at each time
 * @returns {Promise<RoundRobin & AsyncDisposable>}
 */
export async function startRoundRobin(nodes) {
  const agent = new Agent({ keepAlive: true });
  /** @type {Passed[]} */
  const passed = [];
  /** Origins that were not ready when they were asked. @type {Set<string>} */
  const unready = new Set();
  /** Answers that have begun. @type {Set<ServerResponse>} */
  const open = new Set();
  let turn = 0;

  const inTurn = () => {
    turn += 1;
    const rotated = nodes.map((_, index) => nodes[(turn + index) % nodes.length]);
    const isUnready = (/** @type {any} */ { origin }) => Number(unready.has(origin));
    return rotated
      .filter((node) => node?.origin !== undefined)
      .sort((a, b) => isUnready(a) - isUnready(b));
  };

  /** @param {IncomingMessage} incoming @param {ServerResponse} response */
  const forward = async (incoming, response) => {
    const body = Buffer.concat(await incoming.toArray());
    const last = nodes.length - 1;
    for (const [index, node] of inTurn().entries()) {
      const { name, origin } = /** @type {{ name: string, origin: string }} */ (node);
      const answer = await ask(`${origin}${incoming.url}`, { incoming, response, body, agent });
      if (response.destroyed) return;
      if (answer === 'refused') continue;
      if (answer === 'broken' && incoming.method === 'GET') continue;
      if (answer === 'broken') break;
      if (answer.statusCode === 503 && index < last) {
        answer.resume();
        continue;
      }
      const what = `${incoming.method} ${incoming.url?.split('?')[0]}`;
      const status = answer.statusCode ?? 502;
      passed.push({ node: name, session: sessionOf(incoming, answer), what, status });
      open.add(response);
      response.once('close', () => open.delete(response));
      pass(answer, response, name);
      return;
    }
    response.writeHead(502, { 'content-type': 'text/plain' }).end('no node answered\n');
  };
  const server = createServer((incoming, response) => {
    // The client may leave while its body is read.
    forward(incoming, response).catch(() => response.destroy());
  });
  // Longer than clients keep theirs: a connection that ends while it is used would break a request.
  server.keepAliveTimeout = 75_000;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');

  const check = async () => {
    const origins = nodes.flatMap(({ origin }) => origin ?? []);
    await Promise.all(
      origins.map(async (origin) => {
        if (await isReady(origin, agent)) unready.delete(origin);
        else unready.add(origin);
      }),
    );
    for (const origin of unready) if (!origins.includes(origin)) unready.delete(origin);
  };
  const checking = setInterval(() => void check(), CHECK_MS);

  const close = async () => {
    clearInterval(checking);
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    agent.destroy();
    await closed;
  };
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  return {
    origin: `http://127.0.0.1:${port}`,
    passed,
    cut: () => open.forEach((response) => response.destroy()),
    unready: () =>
      nodes.flatMap(({ name, origin }) =>
        origin !== undefined && unready.has(origin) ? name : [],
      ),
    close,
    [Symbol.asyncDispose]: close,
  };
}

/**
 * Asks a node. `refused`: nobody took the connection, so that nothing was sent.
 *
 * @param {string} url
 * @param {{ incoming: IncomingMessage, response: ServerResponse, body: Buffer, agent: Agent }} options
 * @returns {Promise<IncomingMessage | 'refused' | 'broken'>}
 */
function ask(url, { incoming: { method, headers }, response, body, agent }) {
  return new Promise((resolve) => {
    const passedOn = withoutHop(headers);
    if (body.length > 0) passedOn['content-length'] = String(body.length);
    const asked = request(url, {
      agent,
      headers: passedOn,
      ...(method !== undefined && { method }),
    });
    const abandon = () => asked.destroy();
    response.once('close', abandon);
    asked.once('response', resolve);
    asked.on('error', (/** @type {NodeJS.ErrnoException} */ { code }) => {
      response.off('close', abandon);
      resolve(code === 'ECONNREFUSED' ? 'refused' : 'broken');
    });
    asked.end(body);
  });
}

/** @param {IncomingMessage} answer @param {ServerResponse} response @param {string} node */
function pass(answer, response, node) {
  response.writeHead(answer.statusCode ?? 502, { ...withoutHop(answer.headers), 'x-node': node });
  response.flushHeaders();
  answer.pipe(response);
  // A node that dies in the middle: its client sees the connection end, too.
  answer.once('error', () => response.destroy());
}

/** @param {import('node:http').IncomingHttpHeaders} headers @returns {Record<string, string | string[]>} */
function withoutHop(headers) {
  /** @type {Record<string, string | string[]>} */
  const kept = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined && !HOP.includes(name)) kept[name] = value;
  }
  return kept;
}

/** @param {IncomingMessage} incoming @param {IncomingMessage} answer */
function sessionOf({ headers, url = '' }, answer) {
  const { searchParams } = new URL(url, 'http://proxy');
  const inQuery = searchParams.get('sessionId') ?? searchParams.get('session_id');
  return String(headers['mcp-session-id'] ?? answer.headers['mcp-session-id'] ?? inQuery ?? '');
}

/** @param {string} origin @param {Agent} agent @returns {Promise<boolean>} */
function isReady(origin, agent) {
  return new Promise((resolve) => {
    const asked = get(`${origin}/readyz`, { agent, timeout: CHECK_TIMEOUT_MS }, (answer) => {
      answer.resume();
      resolve(answer.statusCode === 200);
    });
    asked.once('timeout', () => asked.destroy());
    asked.once('error', () => resolve(false));
  });
}
