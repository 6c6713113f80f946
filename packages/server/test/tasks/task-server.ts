import {
  McpServer,
  inputRequired,
  acceptedContent,
  type ServerContext as Context,
} from '@modelcontextprotocol/server';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { ServeOptions, ServerContext } from '../../src/index.ts';
import { ask, request, type StatelessMessage } from '../stateless/requests.ts';
import { serving } from '../fixture.ts';

/** What the tools of a test say and wait for. */
export interface TaskWorld {
  /** Contexts that servers were made for. */
  readonly made: ServerContext[];
  /** What tools said of themselves. */
  readonly said: string[];
  /** Lets `gate` go on. */
  open(): void;
}

const NAME = z.object({ name: z.string() });

/** A server whose tools do what tasks are for. */
export function taskServer(world: TaskWorld, gate: Promise<void>): McpServer {
  const server = new McpServer({ name: 'tasks', version: '1.0.0' });
  const text = (said: string) => ({ content: [{ type: 'text' as const, text: said }] });
  server.registerTool('quick', {}, () => text('quick'));
  const throughGate = async ({ mcpReq }: Context): Promise<ReturnType<typeof text>> => {
    world.said.push('begun');
    mcpReq.signal.addEventListener('abort', () => world.said.push('aborted'));
    const progressToken = mcpReq._meta?.progressToken;
    if (progressToken !== undefined) {
      await mcpReq.notify({
        method: 'notifications/progress',
        params: { progressToken, progress: 3, total: 10 },
      });
    }
    await gate;
    world.said.push('ended');
    return text('gone through');
  };
  const greet = async ({ mcpReq }: Context): Promise<ReturnType<typeof text>> => {
    const answer = await mcpReq.elicitInput({
      message: 'Your name?',
      requestedSchema: { type: 'object', properties: { name: { type: 'string' } } },
    });
    return text(`Hello, ${String(answer.content?.['name'])}`);
  };
  server.registerTool('gate', {}, throughGate);
  server.registerTool('greet', {}, greet);
  // The same, which may run twice.
  server.registerTool('gate_again', { annotations: { idempotentHint: true } }, throughGate);
  server.registerTool('greet_again', { annotations: { readOnlyHint: true } }, greet);
  server.registerTool('greet_newly', {}, ({ mcpReq }) => {
    const given = acceptedContent(mcpReq.inputResponses, 'who', NAME);
    if (given !== undefined) return text(`Hello, ${given.name}`);
    return inputRequired({
      inputRequests: {
        who: inputRequired.elicit({
          message: 'Your name?',
          requestedSchema: { type: 'object', properties: { name: { type: 'string' } } },
        }),
      },
    });
  });
  server.registerTool('two', {}, async ({ mcpReq }) => {
    const asked = { requestedSchema: { type: 'object' as const, properties: {} } };
    const answers = await Promise.all(
      ['one', 'two'].map((message) => mcpReq.elicitInput({ message, ...asked })),
    );
    return text(answers.map(({ action }) => action).join());
  });
  server.registerTool('throws', {}, () => {
    throw new Error('it went wrong');
  });
  server.registerTool('no_result', {}, () => ({ content: 'no content' }) as never);
  server.registerTool('big', {}, () => text('x'.repeat(100_000)));
  server.registerTool('deaf', {}, async () => {
    world.said.push('begun');
    await gate;
    world.said.push('ended');
    return text('too late');
  });
  server.registerTool('closes', {}, async () => {
    await server.close();
    return new Promise<never>(() => {});
  });
  server.registerTool(
    'list',
    { outputSchema: z.array(z.number()), inputSchema: z.object({}) },
    () => ({ content: [], structuredContent: [1, 2, 3] }),
  );
  return server;
}

/** Serves those tools. */
export async function servingTasks(
  options: Partial<ServeOptions> = {},
): Promise<{ url: string; world: TaskWorld; close: () => Promise<void> }> {
  let open = (): void => {};
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  const world: TaskWorld = { made: [], said: [], open: () => open() };
  const { mcpUrl, close } = await serving({
    create: (context) => {
      world.made.push(context);
      return taskServer(world, gate);
    },
    tasks: { '*': 'required' },
    ...options,
  });
  return { url: mcpUrl, world, close };
}

/** What a client says it can do. */
export const CAPABILITIES = {
  elicitation: { form: {} },
  extensions: { 'io.modelcontextprotocol/tasks': {} },
};

/** A request of a client that can take tasks. */
export function taskRequest(
  method: string,
  params: Record<string, unknown> = {},
  capabilities: object = CAPABILITIES,
): StatelessMessage {
  const message = request(method, params);
  const meta = message.params['_meta'] as Record<string, unknown>;
  return {
    ...message,
    params: {
      ...message.params,
      _meta: { ...meta, 'io.modelcontextprotocol/clientCapabilities': capabilities },
    },
  };
}

/** An answer of JSON-RPC. */
export interface RpcAnswer {
  readonly status: number;
  readonly result?: Record<string, unknown>;
  readonly error?: { readonly code: number; readonly message: string; readonly data?: unknown };
}

/** Sends a request, and reads its answer. */
export async function send(
  url: string,
  message: StatelessMessage,
  headers: Record<string, string> = {},
): Promise<RpcAnswer> {
  const { taskId } = message.params;
  const { status, text } = await ask(url, message, {
    ...(typeof taskId === 'string' && { 'mcp-name': taskId }),
    ...headers,
  });
  return { status, ...(JSON.parse(text) as Omit<RpcAnswer, 'status'>) };
}

/** Calls a tool. */
export function call(
  url: string,
  name: string,
  headers: Record<string, string> = {},
): Promise<RpcAnswer> {
  return send(url, taskRequest('tools/call', { name, arguments: {} }), headers);
}

/** Whether a task has ended. */
export function isFinal({ status }: Record<string, unknown>): boolean {
  return status === 'completed' || status === 'failed' || status === 'cancelled';
}

/** Calls a tool that is a task; its id. */
export async function started(url: string, name: string): Promise<string> {
  const { result, error } = await call(url, name);
  if (result?.['resultType'] !== 'task') {
    throw new Error(`no task: ${JSON.stringify(result ?? error)}`);
  }
  return result['taskId'] as string;
}

/** A task as it is now. */
export async function get(url: string, taskId: unknown): Promise<Record<string, unknown>> {
  const { result, error } = await send(url, taskRequest('tasks/get', { taskId }));
  if (result === undefined) throw new Error(`no task: ${JSON.stringify(error)}`);
  return result;
}

/** A task once it is as somebody waits for. */
export async function until(
  url: string,
  taskId: unknown,
  isSo: (task: Record<string, unknown>) => boolean,
): Promise<Record<string, unknown>> {
  for (;;) {
    const task = await get(url, taskId);
    if (isSo(task)) return task;
    await sleep(10);
  }
}
