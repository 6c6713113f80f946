import { once } from 'node:events';
import { createServer, get, request, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

/** What the balancer knows of a node. */
interface KnownNode {
  readonly origin: string;
  /** Whether new sessions go there. */
  isReady: boolean;
}

/** A proxy in front of nodes, which learns late that one of them is not ready. */
export interface LateBalancer extends AsyncDisposable {
  readonly origin: string;
  /** Fulfilled when it has learnt that a node is not ready. */
  readonly learnt: Promise<void>;
}

const POLL_MS = 50;

/**
 * Starts the balancer. Requests of a session go where the session is, while that node takes
 * connections; all others go to the first node that is ready. It asks `/readyz`, and acts on what it
 * hears after `lateMs`, as load balancers do that want to see several failures.
 */
export async function startLateBalancer(
  origins: readonly string[],
  lateMs: number,
): Promise<LateBalancer> {
  const nodes = origins.map((origin): KnownNode => ({ origin, isReady: true }));
  const sessions = new Map<string, KnownNode>();
  const ended = new AbortController();
  let learn: () => void;
  const learnt = new Promise<void>((resolve) => {
    learn = resolve;
  });
  const watching = nodes.map(async (node) => {
    while (!ended.signal.aborted && (await isReady(node.origin))) {
      await delay(POLL_MS, undefined, { signal: ended.signal }).catch(() => {});
    }
    await delay(lateMs, undefined, { signal: ended.signal }).catch(() => {});
    node.isReady = false;
    learn();
  });
  const server = createServer((incoming, response) => {
    void forward(incoming, response, { nodes, sessions });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    origin: `http://127.0.0.1:${port}`,
    learnt,
    [Symbol.asyncDispose]: async () => {
      ended.abort();
      await Promise.all(watching);
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

interface Known {
  readonly nodes: readonly KnownNode[];
  readonly sessions: Map<string, KnownNode>;
}

async function forward(
  incoming: IncomingMessage,
  response: ServerResponse,
  { nodes, sessions }: Known,
): Promise<void> {
  const body = Buffer.concat(await incoming.toArray());
  const first =
    sessions.get(sessionIn(incoming, body.toString())) ?? nodes.find(({ isReady: ready }) => ready);
  const others = nodes.filter((node) => node !== first && node.isReady);
  for (const node of first === undefined ? others : [first, ...others]) {
    const upstream = await ask(node.origin, incoming, body);
    // Nobody listens there any more: nothing was sent.
    if (upstream === 'refused') continue;
    if (upstream === 'broken') break;
    const opened = upstream.headers['mcp-session-id'];
    if (typeof opened === 'string') sessions.set(opened, node);
    upstream.on('data', (chunk: Buffer) => {
      const endpoint = /^data: \S*[?&]session_?id=([\w-]+)/im.exec(chunk.toString());
      if (endpoint?.[1] !== undefined) sessions.set(endpoint[1], node);
      response.write(chunk);
    });
    upstream.on('end', () => response.end());
    upstream.on('error', () => response.destroy());
    response.on('close', () => upstream.destroy());
    const { connection: _hop, 'keep-alive': _too, ...headers } = upstream.headers;
    response.writeHead(upstream.statusCode ?? 502, headers);
    response.flushHeaders();
    return;
  }
  response.writeHead(502).end();
}

/** A connection for each request, as proxies do by default: none is reused that its node closes. */
function ask(
  origin: string,
  incoming: IncomingMessage,
  body: Buffer,
): Promise<IncomingMessage | 'refused' | 'broken'> {
  const { method, url, headers } = incoming;
  return new Promise((resolve) => {
    const { host: _named, connection: _hop, ...passed } = headers;
    const asked = request(`${origin}${url}`, {
      agent: false,
      ...(method !== undefined && { method }),
      headers: { ...passed, 'content-length': body.length },
    });
    asked.on('response', resolve);
    asked.on('error', ({ code }: NodeJS.ErrnoException) =>
      resolve(code === 'ECONNREFUSED' ? 'refused' : 'broken'),
    );
    asked.end(body);
  });
}

/** The session that a request is of, wherever its transport puts the id. */
function sessionIn({ headers, url = '' }: IncomingMessage, body: string): string {
  const { searchParams } = new URL(url, 'http://balancer');
  const inQuery = searchParams.get('sessionId') ?? searchParams.get('session_id');
  const inBody = /"session_id":"([\w-]+)"/.exec(body)?.[1];
  const inCursor = String(headers['last-event-id'] ?? '').split('.')[0];
  return String(headers['mcp-session-id'] ?? inQuery ?? inBody ?? inCursor);
}

function isReady(origin: string): Promise<boolean> {
  return new Promise((resolve) => {
    const asked = get(`${origin}/readyz`, { agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    asked.on('error', () => resolve(false));
  });
}
