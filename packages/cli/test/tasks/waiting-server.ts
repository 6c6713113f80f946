import { McpServer } from '@modelcontextprotocol/server';
import { serve, type ServeOptions, type Serving } from '@longwire/server';

/** A server whose tools wait, and what is known of them. */
export interface WaitingServer extends AsyncDisposable {
  readonly url: string;
  /** What tools said of themselves. */
  readonly said: readonly string[];
  /** Lets `gate` go on. */
  open(): void;
}

/** Serves tools that wait, ask and fail: all of them become tasks, but `quick`. */
export async function serveWaiting(options: Partial<ServeOptions> = {}): Promise<WaitingServer> {
  const said: string[] = [];
  let open = (): void => {};
  const gate = new Promise<void>((resolve) => (open = resolve));
  const serving: Serving = await serve({
    create: () => createWaiting(said, gate),
    tasks: { quick: 'optional', '*': 'required' },
    ...options,
  });
  return {
    url: serving.url,
    said,
    open: () => open(),
    [Symbol.asyncDispose]: () => serving.close(),
  };
}

function createWaiting(said: string[], gate: Promise<void>): McpServer {
  const server = new McpServer({ name: 'waiting', version: '1' });
  const text = (words: string): { content: { type: 'text'; text: string }[] } => ({
    content: [{ type: 'text', text: words }],
  });
  server.registerTool('quick', {}, () => text('quick'));
  server.registerTool('gate', {}, async ({ mcpReq }) => {
    said.push('begun');
    let hasEnded = false;
    mcpReq.signal.addEventListener('abort', () => hasEnded || said.push('aborted'));
    const progressToken = mcpReq._meta?.progressToken;
    if (progressToken !== undefined) {
      await mcpReq.notify({
        method: 'notifications/progress',
        params: { progressToken, progress: 3, total: 10, message: 'at the gate' },
      });
    }
    await gate;
    hasEnded = true;
    return text('gone through');
  });
  server.registerTool('greet', {}, async ({ mcpReq }) => {
    const properties = { name: { type: 'string' as const } };
    const requestedSchema = { type: 'object' as const, properties, required: ['name'] };
    const { content } = await mcpReq.elicitInput({ message: 'Your name?', requestedSchema });
    return text(`Hello, ${String(content?.['name'])}`);
  });
  server.registerTool('fails', {}, () => ({ ...text('it went wrong'), isError: true }));
  return server;
}
