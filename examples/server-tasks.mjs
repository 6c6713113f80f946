/**
 * A tool that takes long: its calls become tasks. A client that leaves in the middle asks for the answer
 * later, from another process if it likes.
 */
import { connect } from '@longwire/client';
import { serve } from '@longwire/server';
import { McpServer } from '@modelcontextprotocol/server';
import { setTimeout as delay } from 'node:timers/promises';

function create() {
  const server = new McpServer({ name: 'mine', version: '1.0.0' });
  server.registerTool('export', {}, async ({ mcpReq }) => {
    const { progressToken } = mcpReq._meta;
    for (let progress = 1; progress <= 5; progress++) {
      await delay(100, undefined, { signal: mcpReq.signal });
      const params = { progressToken, progress, total: 5 };
      await mcpReq.notify({ method: 'notifications/progress', params });
    }
    return { content: [{ type: 'text', text: 'exported' }] };
  });
  return server;
}

const serving = await serve({
  create,
  port: Number(process.env.PORT ?? 3001),
  tasks: {
    export: 'required',
    '*': { task: 'optional', auto: { afterMs: 5_000 }, ttlMs: 3_600_000 },
  },
});

const first = await connect(serving.url);
const { taskId } = await new Promise((onTask) => {
  const call = first.callTool('export', {}, { onTask });
  call.catch(({ code }) => console.log(`the first client: ${code}`));
});
// It leaves. The task goes on.
await first.close();

const second = await connect(serving.url);
const task = second.task(taskId);
console.log(`the task is ${(await task.status()).status}`);
const { content } = await task.result({
  onProgress: ({ progress, total }) => console.log(`${progress} of ${total}`),
});
console.log(`the second client: ${content[0].text}`);
await second.close();
await serving.close();
