import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  InMemoryTaskMessageQueue,
  InMemoryTaskStore,
} from '@modelcontextprotocol/sdk/experimental/tasks';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { SSEServerTransport } from '@modelcontextprotocol/sdk/server/sse.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import {
  ElicitResultSchema,
  isInitializeRequest,
  type CallToolResult,
  type ElicitResult,
} from '@modelcontextprotocol/sdk/types.js';
import { z } from 'zod';

/** A task that the server runs: the test says what becomes of it. */
export interface RunningTask {
  readonly taskId: string;
  readonly args: Record<string, unknown>;
  /** The `task` of the request. */
  readonly asked: Record<string, unknown>;
  status(message: string): Promise<void>;
  /** A `notifications/progress` with the token of the call. */
  progress(progress: number, total?: number): Promise<void>;
  ask(message: string): Promise<ElicitResult>;
  finish(result: CallToolResult, status?: 'completed' | 'failed'): Promise<void>;
  /** Ends without a result. */
  fail(message: string): Promise<void>;
  state(): Promise<string | undefined>;
}

/** A server of the official SDK 1.x with tasks of 2025-11-25, over Streamable HTTP and HTTP+SSE. */
export interface SdkTaskServer extends AsyncDisposable {
  readonly streamable: string;
  readonly sse: string;
  /** Every task that was made, in order. */
  readonly tasks: RunningTask[];
  /** The methods of the requests and notifications that came, in order. */
  readonly methods: string[];
  /** Arguments of calls that were no tasks. */
  readonly ordinary: unknown[];
  /** Drops all connections. */
  cut(): void;
  /** Forgets all sessions; tasks stay, unless they belong to sessions. */
  forgetSessions(): Promise<void>;
}

/** How it goes about tasks. */
export interface SdkTaskServerOptions {
  /** Tasks belong to the session that made them, as the SDK has it. Default: to nobody. */
  bound?: boolean;
  pollInterval?: number;
}

/** Starts it on a free port of 127.0.0.1. */
export async function startSdkTaskServer({
  bound = false,
  pollInterval = 50,
}: SdkTaskServerOptions = {}): Promise<SdkTaskServer> {
  const store = bound ? new InMemoryTaskStore() : new UnboundTaskStore();
  const queue = new InMemoryTaskMessageQueue();
  const tasks: RunningTask[] = [];
  const methods: string[] = [];
  const ordinary: unknown[] = [];
  const streamable = new Map<string, StreamableHTTPServerTransport>();
  const sse = new Map<string, SSEServerTransport>();

  const create = (): McpServer => {
    const server = new McpServer(
      { name: 'sdk-tasks', version: '0' },
      {
        capabilities: { tasks: { list: {}, cancel: {}, requests: { tools: { call: {} } } } },
        taskStore: store,
        taskMessageQueue: queue,
      },
    );
    for (const taskSupport of ['required', 'optional'] as const) {
      server.experimental.tasks.registerToolTask(
        taskSupport,
        { inputSchema: { n: z.number().optional() }, execution: { taskSupport } },
        {
          createTask: async (args, extra) => {
            const asked =
              extra.taskRequestedTtl === undefined ? {} : { ttl: extra.taskRequestedTtl };
            const { taskStore } = extra;
            const task = await taskStore.createTask({ ...asked, pollInterval });
            const { taskId } = task;
            const relatedTask = { taskId };
            const progressToken = extra._meta?.progressToken;
            tasks.push({
              taskId,
              args,
              asked,
              status: (message) => unheard(taskStore.updateTaskStatus(taskId, 'working', message)),
              progress: async (progress, total) => {
                if (progressToken === undefined) throw new Error('the call has no progress token');
                const params = { progressToken, progress, ...(total !== undefined && { total }) };
                await server.server.notification(
                  { method: 'notifications/progress', params },
                  { relatedTask },
                );
              },
              ask: async (message) => {
                await taskStore.updateTaskStatus(taskId, 'input_required', message);
                const requestedSchema = { type: 'object' as const, properties: {} };
                const answer = await server.server.request(
                  { method: 'elicitation/create', params: { message, requestedSchema } },
                  ElicitResultSchema,
                  { relatedTask },
                );
                await taskStore.updateTaskStatus(taskId, 'working', 'answered');
                return answer;
              },
              finish: (result, status = 'completed') =>
                unheard(taskStore.storeTaskResult(taskId, status, result)),
              fail: (message) => unheard(taskStore.updateTaskStatus(taskId, 'failed', message)),
              state: async () => (await store.getTask(taskId))?.status,
            });
            return { task };
          },
          getTask: (_args, { taskStore, taskId }) => taskStore.getTask(taskId),
          getTaskResult: (_args, { taskStore, taskId }) =>
            taskStore.getTaskResult(taskId) as Promise<CallToolResult>,
        },
      );
    }
    server.registerTool('plain', { inputSchema: { n: z.number().optional() } }, (args) => {
      ordinary.push(args);
      return { content: [{ type: 'text', text: 'plain' }] };
    });
    return server;
  };

  const note = (body: unknown): void => {
    const { method } = (body ?? {}) as { method?: string };
    if (method !== undefined) methods.push(method);
  };
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = new URL(request.url ?? '/', 'http://h');
    const body = request.method === 'POST' ? await readJson(request) : undefined;
    note(body);
    if (url.pathname === '/sse') {
      const transport = new SSEServerTransport('/messages', response);
      sse.set(transport.sessionId, transport);
      response.on('close', () => sse.delete(transport.sessionId));
      await create().connect(transport);
    } else if (url.pathname === '/messages') {
      const transport = sse.get(url.searchParams.get('sessionId') ?? '');
      if (transport === undefined) response.writeHead(404).end();
      else await transport.handlePostMessage(request, response, body);
    } else {
      const known = streamable.get(String(request.headers['mcp-session-id']));
      if (known !== undefined) await known.handleRequest(request, response, body);
      else if (isInitializeRequest(body)) {
        const transport = new StreamableHTTPServerTransport({
          sessionIdGenerator: randomUUID,
          onsessioninitialized: (id) => void streamable.set(id, transport),
        });
        await create().connect(transport as Parameters<McpServer['connect']>[0]);
        await transport.handleRequest(request, response, body);
      } else {
        const error = { code: -32001, message: 'Session not found' };
        response.writeHead(404, { 'content-type': 'application/json' });
        response.end(JSON.stringify({ jsonrpc: '2.0', id: null, error }));
      }
    }
  };
  const http = createServer((request, response) => {
    handle(request, response).catch((error: unknown) => response.destroy(error as Error));
  });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  const origin = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
  const forgetSessions = async (): Promise<void> => {
    const open = [...streamable.values(), ...sse.values()];
    streamable.clear();
    sse.clear();
    http.closeAllConnections();
    for (const transport of open) await transport.close();
  };
  return {
    streamable: `${origin}/mcp`,
    sse: `${origin}/sse`,
    tasks,
    methods,
    ordinary,
    cut: () => http.closeAllConnections(),
    forgetSessions,
    [Symbol.asyncDispose]: async () => {
      const closed = once(http, 'close');
      http.close();
      await forgetSessions();
      await closed;
      store.cleanup();
    },
  };
}

/** The SDK tells the session that made a task of each change, and fails if that is closed. */
async function unheard(change: Promise<void>): Promise<void> {
  await change.catch((error: Error) => {
    if (error.message !== 'Not connected') throw error;
  });
}

/** Whoever knows a task may ask for it, on whatever session. */
class UnboundTaskStore extends InMemoryTaskStore {
  override getTask(taskId: string) {
    return super.getTask(taskId);
  }

  override getTaskResult(taskId: string) {
    return super.getTaskResult(taskId);
  }

  override storeTaskResult(
    ...[taskId, status, result]: Parameters<InMemoryTaskStore['storeTaskResult']>
  ) {
    return super.storeTaskResult(taskId, status, result);
  }

  override updateTaskStatus(
    ...[taskId, status, message]: Parameters<InMemoryTaskStore['updateTaskStatus']>
  ) {
    return super.updateTaskStatus(taskId, status, message);
  }
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return JSON.parse(Buffer.concat(chunks).toString('utf8')) as unknown;
}
