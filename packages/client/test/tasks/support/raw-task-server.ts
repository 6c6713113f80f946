import type { ServerResponse } from 'node:http';
import { startHttpFixture, type HttpFixture } from '../../../../../test/support/http-fixture.ts';

/** A request, as it came. */
export interface RawRequest {
  id: number;
  method: string;
  params: Record<string, unknown>;
}

/** What a server of the test answers: a result, an error, or nothing for now. */
export type RawAnswer =
  | { result: object }
  | { error: { code: number; message: string; data?: unknown } }
  | { stays: (response: ServerResponse) => void };

/** A server of 2025-11-25 over Streamable HTTP that says what the test says, and has tasks. */
export interface RawTaskServer extends AsyncDisposable {
  readonly url: string;
  readonly http: HttpFixture;
  /** What came, with the session on which it came. */
  readonly requests: (RawRequest & { session: string })[];
  of(method: string): RawRequest[];
  /** Sends a notification on the newest stream of a GET. */
  notify(method: string, params: object): void;
  /** Every session of now is unknown from here on. */
  forgetSessions(): void;
}

/** `answer` answers what is not the handshake and not the list of tools. */
export async function startRawTaskServer(
  answer: (request: RawRequest, session: string) => RawAnswer,
  { tools = [] as object[], capabilities = { tasks: ALL_TASKS } as object } = {},
): Promise<RawTaskServer> {
  const requests: RawTaskServer['requests'] = [];
  const sessions = new Set<string>();
  let opened = 0;
  let stream: ServerResponse | undefined;
  const http = await startHttpFixture((request, response) => {
    const session = String(request.headers['mcp-session-id'] ?? '');
    if (request.method === 'GET') {
      stream = response.writeHead(200, { 'content-type': 'text/event-stream' });
      stream.write(': open\n\n');
      return;
    }
    if (request.method !== 'POST') {
      response.writeHead(200).end();
      return;
    }
    const message = request.json as { id?: number; method: string; params?: object };
    const { id, method } = message;
    const params = { ...message.params };
    const send = (body: object, headers = {}): void => {
      response.writeHead(200, { 'content-type': 'application/json', ...headers });
      response.end(JSON.stringify({ jsonrpc: '2.0', id, ...body }));
    };
    if (method === 'server/discover') {
      send({ error: { code: -32_601, message: 'Method not found' } });
      return;
    }
    if (method === 'initialize') {
      const name = `session-${++opened}`;
      sessions.add(name);
      const serverInfo = { name: 'raw-tasks', version: '0' };
      const result = { protocolVersion: '2025-11-25', capabilities, serverInfo };
      send({ result }, { 'mcp-session-id': name });
      return;
    }
    if (!sessions.has(session)) {
      response.writeHead(404, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ jsonrpc: '2.0', id: null, error: GONE }));
      return;
    }
    requests.push({ id: id ?? -1, method, params, session });
    if (id === undefined) response.writeHead(202).end();
    else if (method === 'tools/list') send({ result: { tools } });
    else {
      const answered = answer({ id, method, params }, session);
      if ('stays' in answered) answered.stays(response);
      else send(answered);
    }
  });
  return {
    url: `${http.origin}/mcp`,
    http,
    requests,
    of: (wanted) => requests.filter(({ method }) => method === wanted),
    notify: (method, params) => {
      const message = JSON.stringify({ jsonrpc: '2.0', method, params });
      stream?.write(`event: message\ndata: ${message}\n\n`);
    },
    forgetSessions: () => {
      sessions.clear();
      http.dropConnections();
    },
    [Symbol.asyncDispose]: () => http.close(),
  };
}

const ALL_TASKS = { list: {}, cancel: {}, requests: { tools: { call: {} } } };
const GONE = { code: -32_001, message: 'Session not found' };

/** A task as such a server says it. */
export function rawTask(status: string, more: object = {}): Record<string, unknown> {
  const at = new Date().toISOString();
  return {
    taskId: 't-1',
    status,
    createdAt: at,
    lastUpdatedAt: at,
    ttl: 60_000,
    pollInterval: 100,
    ...more,
  };
}
