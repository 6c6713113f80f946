/**
 * The server that every contender calls: MCP over HTTP+SSE (protocol 2024-11-05), strict about the
 * handshake as the specification has it. A session ends with its stream, and what ran in it too.
 * Every contender has a path of its own, `/NAME/sse`, by which it is cut off and counted.
 *
 * It runs in a process of its own, takes its orders over the channel to its parent, and ends with it.
 */
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { readBody } from '../calls/body.mjs';

const LARGE_BYTES = 50 * 2 ** 20;
/** For how long the server waits for the calls that an order or a tool counts on. */
const PATIENCE_MS = 10_000;
/** A thousand connections may be opened at once. */
const BACKLOG = 4096;

/** Text in lines, so that there is something to unescape. */
const largeText = randomBytes(LARGE_BYTES)
  .toString('base64')
  .replaceAll(/.{76}/g, '$&\n')
  .slice(0, LARGE_BYTES);
const largeResult = Buffer.from(
  JSON.stringify({ content: [{ type: 'text', text: largeText }] }),
  'utf8',
);

/** @typedef {(args: Record<string, any>, call: Call) => void} Tool */

/**
 * All of them are safe to call again, and say so.
 *
 * @type {Record<string, Tool>}
 */
const TOOLS = {
  /** Returns the message that it was given. */
  echo: ({ message }, call) => call.answer(message),
  /** The same, after `ms` milliseconds. */
  hold: ({ message, ms }, call) => call.answerIn(ms, message),
  /** The same, when `calls` calls of it are running in the session, to all of them. */
  gather: ({ message, calls }, call) => {
    const { gathered } = call.session;
    gathered.push(() => call.answer(message));
    if (gathered.length < calls) return;
    for (const answer of gathered.splice(0)) answer();
  },
  /** Returns 50 MiB of text. */
  large: (_args, call) => call.answerWith(largeResult),
};

/** One session: its stream, and what runs in it. */
class Session {
  id = randomUUID();
  /** @type {'new' | 'initializing' | 'ready'} */
  state = 'new';
  /** @type {Set<Call>} */
  running = new Set();
  /** @type {(() => void)[]} */
  gathered = [];

  /** @param {Contender} contender @param {import('node:http').ServerResponse} stream */
  constructor(contender, stream) {
    this.contender = contender;
    this.stream = stream;
  }

  /** @param {any} message */
  receive({ id, method, params }) {
    if (method === 'notifications/initialized' && this.state === 'initializing') {
      this.state = 'ready';
    }
    if (id === undefined || method === undefined) return;
    if (method === 'initialize' ? this.state !== 'new' : this.state !== 'ready') {
      const message = `${method} is not allowed while the session is ${this.state}`;
      this.send(JSON.stringify({ jsonrpc: '2.0', id, error: { code: -32600, message } }));
    } else if (method === 'tools/call') {
      this.#call(id, params);
    } else {
      if (method === 'initialize') this.state = 'initializing';
      this.send(JSON.stringify({ jsonrpc: '2.0', id, ...answerTo(method) }));
    }
  }

  /** @param {string | number} id @param {any} params */
  #call(id, params) {
    const call = new Call(id, this);
    this.running.add(call);
    this.contender.peak = Math.max(this.contender.peak, this.running.size);
    TOOLS[params.name]?.(params.arguments, call);
  }

  /** @param {string} message */
  send(message) {
    this.stream.write(`event: message\ndata: ${message}\n\n`);
  }

  end() {
    for (const call of this.running) clearTimeout(call.timer);
  }
}

/** One call of a tool. */
class Call {
  /** @type {NodeJS.Timeout | undefined} */
  timer;

  /** @param {string | number} id @param {Session} session */
  constructor(id, session) {
    this.id = id;
    this.session = session;
  }

  /** @param {string} text */
  answer(text) {
    this.session.running.delete(this);
    const result = { content: [{ type: 'text', text }] };
    this.session.send(JSON.stringify({ jsonrpc: '2.0', id: this.id, result }));
  }

  /** @param {number} ms @param {string} text */
  answerIn(ms, text) {
    this.timer = setTimeout(() => this.answer(text), ms);
  }

  /** @param {Buffer} result as JSON */
  answerWith(result) {
    const { stream, running } = this.session;
    running.delete(this);
    stream.write(
      `event: message\ndata: {"jsonrpc":"2.0","id":${JSON.stringify(this.id)},"result":`,
    );
    stream.write(result);
    stream.write('}\n\n');
  }
}

/**
 * What is known of a contender.
 *
 * @typedef {object} Contender
 * @property {Set<Session>} open sessions whose stream is open
 * @property {number} opened sessions that were ever opened
 * @property {number} peak the most calls that ran in one session at once
 */

/** @type {Map<string, Contender>} */
const contenders = new Map();
/** @type {Map<string, Session>} */
const sessions = new Map();

/** @param {string} name */
function contenderOf(name) {
  const contender = contenders.get(name) ?? { open: new Set(), opened: 0, peak: 0 };
  contenders.set(name, contender);
  return contender;
}

/** @param {string} method */
function answerTo(method) {
  switch (method) {
    case 'initialize':
      return {
        result: {
          protocolVersion: '2024-11-05',
          capabilities: { tools: {} },
          serverInfo: { name: 'bench-server', version: '1.0.0' },
        },
      };
    case 'ping':
      return { result: {} };
    case 'tools/list':
      return {
        result: {
          tools: Object.keys(TOOLS).map((name) => ({
            name,
            inputSchema: { type: 'object' },
            annotations: { readOnlyHint: true },
          })),
        },
      };
    default:
      return { error: { code: -32601, message: 'Method not found' } };
  }
}

/** @type {import('node:http').RequestListener} */
function onRequest(request, response) {
  const url = new URL(request.url ?? '', 'http://server');
  const [, name, last] = url.pathname.split('/');
  const session = sessions.get(url.searchParams.get('session_id') ?? '');
  if (request.method === 'GET' && name !== undefined && last === 'sse') {
    openStream(name, response);
  } else if (request.method === 'POST' && session !== undefined) {
    receiveMessage(request, response, session);
  } else {
    request.resume();
    response.writeHead(404).end('No such session');
  }
}

/** @param {string} name @param {import('node:http').ServerResponse} response */
function openStream(name, response) {
  const contender = contenderOf(name);
  const session = new Session(contender, response);
  sessions.set(session.id, session);
  contender.open.add(session);
  contender.opened++;
  response.on('close', () => removeSession(session));
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' });
  response.write(`event: endpoint\ndata: /messages?session_id=${session.id}\n\n`);
}

/** @param {Session} session */
function removeSession(session) {
  sessions.delete(session.id);
  session.contender.open.delete(session);
  session.end();
}

/**
 * @param {import('node:http').IncomingMessage} request
 * @param {import('node:http').ServerResponse} response
 * @param {Session} session
 */
function receiveMessage(request, response, session) {
  readBody(request, (body) => {
    response.writeHead(202).end('Accepted');
    session.receive(JSON.parse(body));
  });
}

/**
 * Cuts a contender's streams as soon as so many of its calls are running.
 *
 * @param {string} name
 * @param {number} running
 * @returns {Promise<{ cutAtNs: string }>} when, on the clock that all processes share
 */
async function cut(name, running) {
  const { open } = contenderOf(name);
  const endAt = performance.now() + PATIENCE_MS;
  const count = () => [...open].reduce((sum, session) => sum + session.running.size, 0);
  while (open.size === 0 || count() < running) {
    if (performance.now() > endAt) {
      throw new Error(`${name} has ${open.size} streams and ${count()} calls running`);
    }
    await new Promise(setImmediate);
  }
  const cutAtNs = process.hrtime.bigint().toString();
  for (const session of open) {
    session.stream.destroy();
    removeSession(session);
  }
  return { cutAtNs };
}

/**
 * @typedef {{ type: 'cut', name: string, running: number } | { type: 'count', name: string }} Order
 * @param {Order} order
 */
async function carryOut(order) {
  if (order.type === 'cut') return cut(order.name, order.running);
  const { open, opened, peak } = contenderOf(order.name);
  return { open: open.size, opened, peak };
}

process.on('disconnect', () => process.exit());
process.on('message', (order) => {
  carryOut(/** @type {Order} */ (order)).then(
    (answer) => process.send?.(answer),
    (error) => process.send?.({ error: error.message }),
  );
});

const server = createServer(onRequest);
server.listen({ port: 0, host: '127.0.0.1', backlog: BACKLOG }, () => {
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  const sha256 = createHash('sha256').update(largeText).digest('hex');
  process.send?.({ origin: `http://127.0.0.1:${port}`, large: { length: LARGE_BYTES, sha256 } });
});
