import {
  ProtocolError,
  Server,
  type CallToolResult,
  type ServerContext,
  type Tool,
} from '@modelcontextprotocol/server';
import { serve } from '@longwire/server';
import { setTimeout as delay } from 'node:timers/promises';

/** A server of the kit with tasks, on one port. */
export interface TaskKit extends AsyncDisposable {
  /** `…/mcp` */
  readonly url: string;
  /** What its tools did, in order. */
  readonly events: readonly string[];
}

/**
 * Serves tools whose calls are tasks; whoever sends `Bearer NAME` is NAME.
 *
 * - `echo` returns its message, and is never a task;
 * - `work` takes its time and tells its progress: a task where the client can take one;
 * - `only` returns a text, `ask` asks for a name, `fail` returns an error and `broken` throws one of the
 *   protocol: they are tasks or nothing.
 */
export async function serveTaskKit(): Promise<TaskKit> {
  const events: string[] = [];
  const serving = await serve({
    create: () => createTaskServer(events),
    tasks: {
      work: { task: 'optional', auto: { afterMs: 20 }, pollIntervalMs: 100 },
      only: { task: 'required', pollIntervalMs: 100 },
      ask: { task: 'required', pollIntervalMs: 100 },
      fail: { task: 'required', pollIntervalMs: 100 },
      broken: { task: 'required', pollIntervalMs: 100 },
    },
    auth: ({ headers }) => ({ id: headers.authorization?.replace('Bearer ', '') ?? 'anonymous' }),
    port: 0,
  });
  return { url: serving.url, events, [Symbol.asyncDispose]: () => serving.close() };
}

const text = { type: 'string' } as const;
const number = { type: 'number' } as const;
const TOOLS: readonly Tool[] = [
  tool('echo', { message: text }),
  tool('work', { steps: number, stepMs: number }),
  ...['only', 'ask', 'fail', 'broken'].map((name) => tool(name, {})),
];

// `McpServer` makes results of the errors that its tools throw.
function createTaskServer(events: string[]): Server {
  const server = new Server({ name: 'kit', version: '1.0.0' }, { capabilities: { tools: {} } });
  server.setRequestHandler('tools/list', () => ({ tools: [...TOOLS] }));
  server.setRequestHandler('tools/call', async ({ params }, { mcpReq }) => {
    const input = params.arguments ?? {};
    switch (params.name) {
      case 'echo':
        return said(`Echo: ${String(input['message'])}`);
      case 'work':
        return work(Number(input['steps']), Number(input['stepMs']), mcpReq, events);
      case 'only':
        return said('only');
      case 'ask':
        events.push('ask');
        return ask(server);
      case 'fail':
        return { ...said('it failed'), isError: true };
      default:
        throw new ProtocolError(-32050, 'it is broken');
    }
  });
  return server;
}

async function work(
  steps: number,
  stepMs: number,
  { _meta, notify, signal }: ServerContext['mcpReq'],
  events: string[],
): Promise<CallToolResult> {
  events.push('work');
  const progressToken = _meta?.progressToken;
  for (let progress = 1; progress <= steps; progress++) {
    if (progressToken !== undefined) {
      const params = { progressToken, progress, total: steps, message: `step ${progress}` };
      await notify({ method: 'notifications/progress', params });
    }
    try {
      await delay(stepMs, undefined, { signal });
    } catch (error) {
      events.push('work cancelled');
      throw error;
    }
  }
  return said('done');
}

async function ask(server: Server): Promise<CallToolResult> {
  const { action, content } = await server.elicitInput({
    mode: 'form',
    message: 'Who are you?',
    requestedSchema: {
      type: 'object',
      properties: { name: { type: 'string' } },
      required: ['name'],
    },
  });
  return said(action === 'accept' ? `Hello, ${String(content?.['name'])}` : action);
}

function tool(name: string, properties: Record<string, { type: string }>): Tool {
  return { name, inputSchema: { type: 'object', properties, required: Object.keys(properties) } };
}

function said(content: string): CallToolResult {
  return { content: [{ type: 'text', text: content }] };
}
