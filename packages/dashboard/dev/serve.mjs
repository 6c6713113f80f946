/**
 * The page with made-up servers behind it, by the API of `longwire dash`: for looking at it while it is
 * written, and for its tests. `npm run build`, then `npm run demo -w packages/dashboard`.
 */
import { createServer } from 'node:http';
import { readFile } from 'node:fs/promises';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cutValue, Picture } from '@longwire/recording';
import { World } from './world.mjs';

const DIST = fileURLToPath(new URL('../dist/', import.meta.url));
const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css' };
/** As `longwire dash` sends it: what the page must not need is missed while it is written. */
const POLICY = "default-src 'self'; img-src 'self' data:; media-src data:; style-src 'self'";
const PAST_MS = 180_000;
const STEP_MS = 100;
/** As `longwire dash` sends it, every ten seconds. */
const BEAT = 'event: beat\ndata: {}\n\n';
/** Batches that are kept for streams that come back. */
const MAX_KEPT = 600;

/**
 * Starts the server.
 *
 * @param {object} [options]
 * @param {number} [options.port] Default: a free one.
 * @param {boolean} [options.isMoving] Whether anything happens by itself. Default: yes.
 * @param {number} [options.standsAt] What happened until then, and nothing after it: always the same. Default: until now.
 * @returns {Promise<{ url: string, port: number, say: (lines: object[]) => void, cut: () => void, close: () => Promise<void> }>}
 */
export async function startDevServer({ port = 0, isMoving = true, standsAt } = {}) {
  const picture = new Picture();
  /** @type {{ id: number, lines: object[] }[]} */
  const batches = [];
  /** @type {Set<import('node:http').ServerResponse>} */
  const streams = new Set();
  // Ids of another run are not taken for those of this one.
  let id = Date.now();
  /** @type {object[]} */
  let lines = [];
  const world = new World((line) => {
    picture.apply(line);
    lines.push(line);
  });

  const flush = () => {
    if (lines.length === 0) return;
    batches.push({ id: ++id, lines });
    if (batches.length > MAX_KEPT) batches.shift();
    for (const stream of streams) stream.write(eventOf('lines', id, lines));
    lines = [];
  };
  if (isMoving) past(world, standsAt ?? Date.now());
  lines = [];
  let ticks = 0;
  const timer = setInterval(() => {
    if (isMoving && standsAt === undefined) {
      world.step(Date.now());
      if (ticks % 400 === 399) world.outage(Date.now());
    }
    flush();
    if (++ticks % 100 === 0) for (const stream of streams) stream.write(BEAT);
  }, STEP_MS);

  const server = createServer((request, response) => {
    answer(request, response).catch((error) => {
      response.writeHead(500).end(String(error));
    });
  });

  /** @param {import('node:http').IncomingMessage} request @param {import('node:http').ServerResponse} response */
  async function answer(request, response) {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    response.setHeader('content-security-policy', POLICY);
    response.setHeader('x-content-type-options', 'nosniff');
    response.setHeader('cache-control', 'no-store');
    const [, api, kind, name, action] = pathname.split('/').map(decodeURIComponent);
    if (api !== 'api') return file(pathname, response);
    if (kind === 'stream') return stream(request, response);
    if (kind === 'checks') {
      return json(response, 200, { file: 'longwire.checks.json', version: '1', checks: [] });
    }
    if (request.method === 'GET') {
      const call = kind === 'calls' ? picture.find(Number(name)) : undefined;
      return call === undefined ? refuse(response, 404, 'not-found') : json(response, 200, call);
    }
    const body = JSON.parse((await textOf(request)) || '{}');
    if (kind === 'call') return run(body, response);
    if (kind === 'servers' && action === 'subscribe') {
      world.subscribe(Date.now(), name, body.uri, body.on);
      flush();
    }
    const call = picture.find(Number(name));
    if (kind === 'calls' && action === 'cancel' && call !== undefined) {
      world.cancel(call.call, call.server, Date.now());
    }
    return response.writeHead(204).end();
  }

  function run(body, response) {
    const tools = picture.servers.get(body.server)?.catalogue.tools ?? [];
    const tool = tools.find((one) => one['name'] === body.name);
    const isReading =
      body.method !== 'tools/call' || tool?.['annotations']?.['readOnlyHint'] === true;
    if (!isReading && body.confirmed !== true) {
      const message = 'Its server does not say that this tool only reads: it may change things.';
      return refuse(response, 409, 'not-confirmed', message);
    }
    const call = world.call(
      Date.now(),
      { ...body, by: 'page' },
      body.name === 'reindex' ? 8000 : 700,
    );
    return json(response, 202, { call });
  }

  function stream(request, response) {
    flush();
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    const last = Number(request.headers['last-event-id'] ?? Number.NaN);
    const missed = batches.findIndex((batch) => batch.id === last);
    if (missed === -1) {
      const data = {
        at: standsAt ?? Date.now(),
        mode: 'live',
        canCall: true,
        hasValues: true,
        picture: cut(picture.toJSON()),
      };
      response.write(eventOf('snapshot', id, data));
    } else {
      for (const batch of batches.slice(missed + 1)) {
        response.write(eventOf('lines', batch.id, batch.lines));
      }
    }
    streams.add(response);
    response.on('close', () => streams.delete(response));
  }

  await new Promise((resolve) => server.listen(port, '127.0.0.1', () => resolve(undefined)));
  const address = /** @type {import('node:net').AddressInfo} */ (server.address());
  return {
    url: `http://127.0.0.1:${address.port}/`,
    port: address.port,
    say: (more) => {
      for (const line of more) picture.apply(line);
      lines.push(...more);
    },
    cut: () => {
      for (const response of streams) response.destroy();
    },
    close: async () => {
      clearInterval(timer);
      for (const response of streams) response.end(eventOf('bye', id, {}));
      await new Promise((resolve) => {
        server.close(resolve);
        server.closeAllConnections();
      });
    },
  };
}

/** Three minutes that are over, with an outage in them. @param {World} world @param {number} now */
function past(world, now) {
  world.begin(now - PAST_MS);
  for (let at = now - PAST_MS + 100; at <= now; at += STEP_MS) {
    world.step(at);
    if (at === now - 30_000) world.outage(at);
    if (at === now - 5_000) {
      world.call(at, { server: 'search', name: 'reindex', arguments: {}, by: 'workflow' }, 45_000);
    }
  }
}

/** The picture with the beginnings of its large values. */
function cut(data) {
  const calls = data.calls.map((call) => ({
    ...call,
    arguments: cutValue(call.arguments, 2048),
    ...(call.end && { end: { ...call.end, result: cutValue(call.end.result, 2048) } }),
  }));
  return { ...data, calls };
}

function eventOf(type, id, data) {
  return `id: ${id}\nevent: ${type}\ndata: ${JSON.stringify(data)}\n\n`;
}

function json(response, status, value) {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
}

function refuse(response, status, code, message = code) {
  json(response, status, { error: { code, message } });
}

async function textOf(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

async function file(pathname, response) {
  const path = join(DIST, normalize(pathname === '/' ? '/index.html' : pathname));
  try {
    const content = await readFile(path);
    response.setHeader('content-type', TYPES[extname(path)] ?? 'application/octet-stream');
    response.end(content);
  } catch {
    response.writeHead(404).end();
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { url } = await startDevServer({ port: Number(process.env['PORT'] ?? 4455) });
  console.log(`The page, with made-up servers: ${url}`);
}
