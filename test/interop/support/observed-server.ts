import { type ServeOptions, serve } from '@longwire/server';
import { McpServer } from '@modelcontextprotocol/server';
import { once } from 'node:events';
import * as z from 'zod';

/** A call that reached a tool of the server. */
export interface ObservedCall {
  tool: string;
  args: Record<string, unknown>;
  /** Why the call was cancelled: what the client said, or an error if its session ended. */
  cancelled?: unknown;
}

/** An MCP server of the test's own over SSE, which tells what happened in it. */
export interface ObservedServer extends AsyncDisposable {
  /** `http://127.0.0.1:PORT/sse`. */
  readonly url: string;
  /** The calls of all sessions, in the order in which they came. */
  readonly calls: readonly ObservedCall[];
  /** Sessions that are open now. */
  openSessions(): number;
  /** Adds a tool of this name, which says its own name, to the servers of all sessions. */
  addTool(name: string): void;
}

/**
 * Starts the server. Its tools: `write` changes things; `meet` returns when as many calls of it
 * as `of` are there; `wait` never returns; `order` has a schema with enums, defaults and `anyOf`.
 */
export async function startObservedServer(
  options: Partial<ServeOptions> = {},
): Promise<ObservedServer> {
  const calls: ObservedCall[] = [];
  const sessions = new Set<McpServer>();
  const meeting = new EventTarget();
  const present = new Set<string>();

  function observe(tool: string, args: Record<string, unknown>, signal: AbortSignal): ObservedCall {
    const call: ObservedCall = { tool, args };
    calls.push(call);
    signal.addEventListener('abort', () => (call.cancelled = signal.reason), { once: true });
    return call;
  }

  function createServer(): McpServer {
    const server = new McpServer({ name: 'observed', version: '1.0.0' });
    server.registerTool(
      'write',
      { inputSchema: z.object({ text: z.string() }), annotations: { destructiveHint: true } },
      (args, { mcpReq }) => {
        observe('write', args, mcpReq.signal);
        return said(`wrote ${args.text}`);
      },
    );
    server.registerTool(
      'meet',
      {
        inputSchema: z.object({ name: z.string(), of: z.number() }),
        annotations: { readOnlyHint: true },
      },
      async (args, { mcpReq }) => {
        observe('meet', args, mcpReq.signal);
        present.add(args.name);
        meeting.dispatchEvent(new Event('arrival'));
        while (present.size < args.of) await once(meeting, 'arrival', { signal: mcpReq.signal });
        return said(`${args.name} met ${present.size}`);
      },
    );
    server.registerTool('wait', { annotations: { readOnlyHint: true } }, async ({ mcpReq }) => {
      observe('wait', {}, mcpReq.signal);
      await new Promise((_resolve, reject) => {
        mcpReq.signal.addEventListener('abort', () => reject(new Error('cancelled')));
      });
      return said('never');
    });
    server.registerTool(
      'order',
      {
        description: 'Orders tea.',
        inputSchema: z.object({
          kind: z.enum(['black', 'green']).default('black').describe('Which tea'),
          amount: z.union([z.int().min(1).max(9), z.literal('a pot')]),
          note: z.string().nullable().default(null),
        }),
      },
      (args, { mcpReq }) => {
        observe('order', args, mcpReq.signal);
        return said('ordered');
      },
    );
    sessions.add(server);
    server.server.onclose = () => sessions.delete(server);
    return server;
  }

  const serving = await serve({ create: () => createServer(), resumeMs: 500, ...options });
  return {
    url: serving.sseUrl,
    calls,
    openSessions: () => sessions.size,
    addTool: (name) => {
      for (const server of sessions) {
        server.registerTool(name, { annotations: { readOnlyHint: true } }, ({ mcpReq }) => {
          observe(name, {}, mcpReq.signal);
          return said(name);
        });
      }
    },
    [Symbol.asyncDispose]: () => serving.close(),
  };
}

function said(text: string): { content: [{ type: 'text'; text: string }] } {
  return { content: [{ type: 'text', text }] };
}
