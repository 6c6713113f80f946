import { setTimeout as delay } from 'node:timers/promises';
import {
  McpServer,
  ResourceTemplate,
  type CallToolResult,
  type InMemoryServerEventBus,
  type ServerContext,
} from '@modelcontextprotocol/server';
import * as z from 'zod';

/** What the servers of one `serve()` have in common, and what a test sees of their calls. */
export interface KitState {
  /** The keys of the calls of `read` and `write` that ran, in order; one that ran twice is there twice. */
  readonly runs: string[];
  /** Fulfilled once they may answer. */
  held: Promise<void>;
  readonly bus: InMemoryServerEventBus;
}

/** How many steps `steps` takes, and how long after the last one it ends. */
const STEPS = 3;
const LAST_MS = 500;

// Made once: schemas are costly, and a server is made for every session.
const ECHOED = z.object({ message: z.string() });
const KEYED = z.object({ key: z.string() });
const GREETED = z.object({ name: z.string() });

/**
 * Makes a server with what the clients ask for. Its tools:
 *
 * - `echo` returns its message;
 * - `steps` tells its progress and logs, three times;
 * - `read` and `write` are remembered by their keys, wait until they may answer, and return the key;
 * - `fail` returns an error;
 * - `grow` says that the list of tools has changed.
 */
export function createKitServer(state: KitState, era: 'legacy' | 'modern'): McpServer {
  const server = new McpServer(
    { name: 'kit', version: '1.0.0' },
    { capabilities: { logging: {}, tools: { listChanged: true } } },
  );
  server.registerTool(
    'echo',
    { description: 'Echoes', inputSchema: ECHOED, annotations: { readOnlyHint: true } },
    ({ message }) => said(`Echo: ${message}`),
  );
  server.registerTool('steps', {}, takeSteps);
  for (const name of ['read', 'write']) {
    const annotations = { readOnlyHint: name === 'read' };
    server.registerTool(name, { inputSchema: KEYED, annotations }, async ({ key }) => {
      state.runs.push(key);
      await state.held;
      return said(`${name}: ${key}`);
    });
  }
  server.registerTool('fail', {}, () => ({ ...said('as asked'), isError: true }));
  server.registerTool('grow', {}, () => {
    // A server of the modern era lives for one request; what it says goes through the bus.
    if (era === 'modern') state.bus.publish({ kind: 'tools_list_changed' });
    else server.registerTool('grown', {}, () => said('grown'));
    return said('changed');
  });
  server.registerResource('note', 'note://one', { mimeType: 'text/plain' }, ({ href }) => ({
    contents: [{ uri: href, text: 'a note' }],
  }));
  server.registerResource(
    'item',
    new ResourceTemplate('item://{id}', { list: undefined }),
    {},
    ({ href }, { id }) => ({ contents: [{ uri: href, text: `item ${String(id)}` }] }),
  );
  server.registerPrompt('greet', { argsSchema: GREETED }, ({ name }) => ({
    messages: [{ role: 'user', content: { type: 'text', text: `Hello, ${name}` } }],
  }));
  return server;
}

async function takeSteps({ mcpReq }: ServerContext): Promise<CallToolResult> {
  const progressToken = mcpReq._meta?.progressToken;
  for (let progress = 1; progress <= STEPS; progress++) {
    if (progressToken !== undefined) {
      const params = { progressToken, progress, total: STEPS };
      await mcpReq.notify({ method: 'notifications/progress', params });
    }
    await mcpReq.log('info', `step ${progress}`);
  }
  // The official client drops what it reads together with the result, and a busy machine reads late.
  await delay(LAST_MS);
  return said('done');
}

function said(text: string): { content: [{ type: 'text'; text: string }] } {
  return { content: [{ type: 'text', text }] };
}
