import { serve, type ServeOptions } from '@longwire/server';
import { McpServer } from '@modelcontextprotocol/server';
import { z } from 'zod';

/** A shop whose calls are tasks. */
export interface TaskShop extends AsyncDisposable {
  url: string;
  /** The calls that have begun. */
  begun: string[];
  /** Those of them whose signal was aborted while they waited. */
  aborted: string[];
  /** What `note` was told. */
  notes: string[];
  /** Lets the calls that wait end. */
  open(): void;
}

/** How calls of its tools become tasks: those of `slow` never do so by themselves. */
const TASKS: NonNullable<ServeOptions['tasks']> = {
  write: { task: 'required', pollIntervalMs: 100 },
  greet: { task: 'required', pollIntervalMs: 100 },
  slow: { task: 'optional', auto: { afterMs: Infinity } },
};

/** Serves it. */
export async function startTaskShop(options: Partial<ServeOptions> = {}): Promise<TaskShop> {
  const begun: string[] = [];
  const aborted: string[] = [];
  const notes: string[] = [];
  let open = (): void => {};
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  const text = (said: string) => ({ content: [{ type: 'text' as const, text: said }] });
  const create = (): McpServer => {
    const server = new McpServer({ name: 'shop', version: '1.0.0' });
    const work = async (tool: string, signal: AbortSignal): Promise<void> => {
      begun.push(tool);
      const onAbort = (): void => void aborted.push(tool);
      signal.addEventListener('abort', onAbort);
      await gate;
      signal.removeEventListener('abort', onAbort);
    };
    const inputSchema = z.object({ n: z.number() });
    server.registerTool('write', { inputSchema }, async ({ n }, { mcpReq }) => {
      await work('write', mcpReq.signal);
      return text(`wrote ${n}`);
    });
    server.registerTool('slow', { inputSchema }, async (_args, { mcpReq }) => {
      await work('slow', mcpReq.signal);
      return text('slow');
    });
    server.registerTool('greet', { inputSchema }, async (_args, { mcpReq }) => {
      begun.push('greet');
      const answer = await mcpReq.elicitInput({
        message: 'Your name?',
        requestedSchema: { type: 'object', properties: { name: { type: 'string' } } },
      });
      return text(`Hello, ${String(answer.content?.['name'])}`);
    });
    server.registerTool('note', { inputSchema: z.object({ was: z.string() }) }, ({ was }) => {
      notes.push(was);
      return text('noted');
    });
    return server;
  };
  const { url, close } = await serve({ create, tasks: TASKS, ...options });
  return {
    url,
    begun,
    aborted,
    notes,
    open,
    [Symbol.asyncDispose]: () => close(),
  };
}
