import { McpServer } from '@modelcontextprotocol/server';
import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod';

/** A server with one of everything, and what happened to it. */
export interface Sample {
  server: McpServer;
  /** Fulfilled when the server has been closed. */
  closed: Promise<void>;
  /** Fulfilled when a call of `wait` has begun, with its signal. */
  waiting: Promise<AbortSignal>;
  /** Lets `count` answer: the SDK's clients lose progress that arrives together with the result. */
  release: () => void;
}

export function createSample(): Sample {
  const server = new McpServer(
    { name: 'sample', version: '1.2.3' },
    { capabilities: { logging: {}, resources: { subscribe: true } } },
  );
  const closed = new Promise<void>((resolve) => {
    server.server.onclose = resolve;
  });
  let begun: (signal: AbortSignal) => void;
  const waiting = new Promise<AbortSignal>((resolve) => {
    begun = resolve;
  });

  let release: () => void;
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });

  server.registerTool(
    'echo',
    { description: 'Says it again', inputSchema: z.object({ message: z.string() }) },
    ({ message }) => ({ content: [{ type: 'text', text: message }] }),
  );
  server.registerTool(
    'count',
    { description: 'Counts with progress', inputSchema: z.object({ to: z.number() }) },
    async ({ to }, { mcpReq }) => {
      const progressToken = mcpReq._meta?.progressToken;
      for (let progress = 1; progress <= to && progressToken !== undefined; progress++) {
        await mcpReq.notify({
          method: 'notifications/progress',
          params: { progressToken, progress, total: to },
        });
      }
      await mcpReq.log('info', `counted to ${to}`);
      await released;
      return { content: [{ type: 'text', text: String(to) }], structuredContent: { to } };
    },
  );
  server.registerTool('wait', { description: 'Until cancelled' }, async ({ mcpReq }) => {
    begun(mcpReq.signal);
    await sleep(600_000, undefined, { signal: mcpReq.signal });
    return { content: [] };
  });
  server.registerTool(
    'repeat',
    { inputSchema: z.object({ text: z.string(), times: z.number() }) },
    ({ text, times }) => ({ content: [{ type: 'text', text: text.repeat(times) }] }),
  );
  server.registerTool('fail', {}, () => ({
    content: [{ type: 'text', text: 'as asked' }],
    isError: true,
  }));
  server.registerTool('ask', {}, async () => {
    const { roots } = await server.server.listRoots();
    return { content: [{ type: 'text', text: roots.map(({ uri }) => uri).join() }] };
  });
  server.registerTool('grow', {}, () => {
    server.registerTool('grown', {}, () => ({ content: [] }));
    return { content: [{ type: 'text', text: 'grown' }] };
  });
  server.registerResource('about', 'sample://about', { mimeType: 'text/plain' }, ({ href }) => ({
    contents: [{ uri: href, text: 'a sample' }],
  }));
  server.server.setRequestHandler('resources/subscribe', async ({ params: { uri } }) => {
    await server.server.sendResourceUpdated({ uri });
    return {};
  });
  server.registerPrompt('greet', { argsSchema: z.object({ name: z.string() }) }, ({ name }) => ({
    messages: [{ role: 'user', content: { type: 'text', text: `Hello, ${name}` } }],
  }));
  return { server, closed, waiting, release: () => release() };
}
