import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import { startHttpFixture, type HttpFixture } from './http-fixture.ts';

/** The two ways in which the protocol has tasks. */
export type TaskEra = 'modern' | 'legacy';

/** A JSON-RPC request as it came. */
export interface TaskRequest {
  readonly id: number;
  readonly method: string;
  readonly params: Readonly<Record<string, unknown>>;
  readonly headers: IncomingHttpHeaders;
  /** How many of this method came before it. */
  readonly count: number;
}

/** What answers a request, in place of a result: an error, another HTTP answer, or nothing well-formed. */
export type RawAnswer =
  | { error: { code: number; message: string; data?: unknown } }
  | { http: number; body?: string; type?: string }
  | { raw: string }
  | 'cut'
  | 'silent';

/** A result, or another answer. `undefined`: the usual one. */
export type Answerer = (
  request: TaskRequest,
  server: RawTaskServer,
) => { result: unknown } | RawAnswer | undefined;

/** What a raw server does. */
export interface RawTaskServerOptions {
  era?: TaskEra;
  /** By method. Whatever is not here has the usual answer: each call is a task that works for ever. */
  on?: Readonly<Record<string, Answerer>>;
  /** Whether `subscriptions/listen` takes `taskIds`. Default no: it is not there. */
  listens?: boolean;
  /** Of the tools, in the legacy era. Default `required`. */
  taskSupport?: string;
}

/** A server of tasks that says whatever a test wants it to say. */
export interface RawTaskServer extends AsyncDisposable {
  readonly url: string;
  readonly era: TaskEra;
  readonly http: HttpFixture;
  readonly requests: TaskRequest[];
  /** How many requests of this method came. */
  count(method: string): number;
  /** Says something on each stream on which it may speak unasked. */
  notify(method: string, params: object): void;
}

export const TASKS_EXTENSION = 'io.modelcontextprotocol/tasks';

/** A task as its era spells it. */
export function taskOf(era: TaskEra, task: Record<string, unknown> = {}): Record<string, unknown> {
  const now = new Date().toISOString();
  const common = { taskId: 'task-1', status: 'working', createdAt: now, lastUpdatedAt: now };
  return era === 'modern'
    ? { ...common, ttlMs: 60_000, pollIntervalMs: 1, ...task }
    : { ...common, ttl: 60_000, pollInterval: 1, ...task };
}

/** A result of a tool that says this. */
export function said(text: string): { content: { type: 'text'; text: string }[] } {
  return { content: [{ type: 'text', text }] };
}

/** Starts it on a free port of 127.0.0.1. */
export async function startRawTaskServer({
  era = 'modern',
  on = {},
  listens = false,
  taskSupport = 'required',
}: RawTaskServerOptions = {}): Promise<RawTaskServer> {
  const requests: TaskRequest[] = [];
  /** Open streams, with what belongs into each message of them. */
  const streams = new Map<ServerResponse, object>();

  const fixture = await startHttpFixture((request, response) => {
    if (request.method === 'GET' && era === 'legacy') {
      openStream(response, {});
      return;
    }
    const message = request.json as { id?: number; method?: string; params?: object } | undefined;
    if (request.method !== 'POST' || message === undefined) {
      response.writeHead(405).end();
      return;
    }
    const { id, method, params = {} } = message;
    if (id === undefined || method === undefined) {
      response.writeHead(202).end();
      return;
    }
    const asked: TaskRequest = {
      id,
      method,
      params: params as TaskRequest['params'],
      headers: request.headers,
      count: server.count(method),
    };
    requests.push(asked);
    answer(asked, response);
  });

  function openStream(response: ServerResponse, meta: object): void {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.flushHeaders();
    streams.set(response, meta);
    response.on('close', () => streams.delete(response));
  }

  function answer(asked: TaskRequest, response: ServerResponse): void {
    const made = on[asked.method]?.(asked, server) ?? usualAnswer(asked, response);
    if (made === undefined || made === 'silent') return;
    if (made === 'cut') response.destroy();
    else if ('http' in made) {
      response
        .writeHead(made.http, { 'content-type': made.type ?? 'text/html' })
        .end(made.body ?? '<html><body>Bad Gateway</body></html>');
    } else if ('raw' in made) {
      response.writeHead(200, { 'content-type': 'application/json' }).end(made.raw);
    } else {
      const text = JSON.stringify({ jsonrpc: '2.0', id: asked.id, ...made });
      response.writeHead(200, {
        'content-type': 'application/json',
        ...(asked.method === 'initialize' && { 'mcp-session-id': 'session-1' }),
      });
      response.end(text);
    }
  }

  function usualAnswer(
    { id, method, params }: TaskRequest,
    response: ServerResponse,
  ): { result: unknown } | RawAnswer | undefined {
    if (method === 'subscriptions/listen' && listens && era === 'modern') {
      const meta = { _meta: { 'io.modelcontextprotocol/subscriptionId': id } };
      openStream(response, meta);
      const { notifications } = params as { notifications: { taskIds?: string[] } };
      write(response, 'notifications/subscriptions/acknowledged', { ...meta, notifications });
      return undefined;
    }
    const result = usualResult(method, params);
    if (result === undefined) return { error: { code: -32_601, message: 'Method not found' } };
    if (era === 'legacy' || 'resultType' in result) return { result };
    return { result: { resultType: 'complete', ttlMs: 0, cacheScope: 'private', ...result } };
  }

  function usualResult(method: string, params: TaskRequest['params']): object | undefined {
    const serverInfo = { name: 'raw', version: '1' };
    switch (method) {
      case 'server/discover':
        if (era === 'legacy') return undefined;
        return {
          supportedVersions: ['2026-07-28'],
          capabilities: { tools: {}, extensions: { [TASKS_EXTENSION]: {} } },
          _meta: { 'io.modelcontextprotocol/serverInfo': serverInfo },
        };
      case 'initialize':
        if (era === 'modern') return undefined;
        return {
          protocolVersion: '2025-11-25',
          serverInfo,
          capabilities: {
            tools: {},
            tasks: { list: {}, cancel: {}, requests: { tools: { call: {} } } },
          },
        };
      case 'ping':
        return {};
      case 'tools/list':
        return {
          tools: ['long', 'other'].map((name) => ({
            name,
            inputSchema: { type: 'object' },
            ...(era === 'legacy' && { execution: { taskSupport } }),
          })),
        };
      case 'tools/call':
        return era === 'modern'
          ? { resultType: 'task', ...taskOf(era) }
          : { task: taskOf(era, { taskId: 'task-1' }) };
      case 'tasks/get':
        return taskOf(era, { taskId: params['taskId'] });
      case 'tasks/update':
        return era === 'modern' ? {} : undefined;
      case 'tasks/cancel':
        return era === 'modern' ? {} : taskOf(era, { status: 'cancelled' });
      default:
        return undefined;
    }
  }

  const server: RawTaskServer = {
    url: `${fixture.origin}/mcp`,
    era,
    http: fixture,
    requests,
    count: (method) => requests.filter((request) => request.method === method).length,
    notify: (method, params) => {
      for (const [response, meta] of streams) write(response, method, { ...params, ...meta });
    },
    [Symbol.asyncDispose]: () => fixture.close(),
  };
  return server;
}

function write(response: ServerResponse, method: string, params: object): void {
  const message = JSON.stringify({ jsonrpc: '2.0', method, params });
  response.write(`event: message\ndata: ${message}\n\n`);
}
