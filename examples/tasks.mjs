/**
 * A call that survives its process. The server makes a task of each call of `export`; the process that
 * made the call is killed, and another one takes the task up by its id: the tool runs once.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { connect } from '@longwire/client';

if (process.argv[2] === undefined) await survive();
else await call(process.argv[2]);

/** In a process of its own: makes the call, and says which task it has become. */
async function call(url) {
  const client = await connect(url);
  await client.callTool('export', {}, { onTask: ({ taskId }) => process.send?.(taskId) });
}

async function survive() {
  const { serving, runs } = await startServer();
  const first = fork(import.meta.filename, [serving.url]);
  const [taskId] = await once(first, 'message');
  first.kill('SIGKILL');
  await once(first, 'exit');
  console.log('the process that called is gone');

  const client = await connect(serving.url);
  const task = client.task(taskId);
  console.log(`the task is ${(await task.status()).status}`);
  const { content } = await task.result({
    onProgress: ({ progress, total }) => console.log(`${progress} of ${total}`),
  });
  console.log(`${content[0].text}, and the tool ran ${runs()} time`);
  await client.close();
  await serving.close();
}

async function startServer() {
  const { serve } = await import('@longwire/server');
  const { McpServer } = await import('@modelcontextprotocol/server');
  let runs = 0;
  const create = () => {
    const server = new McpServer({ name: 'reports', version: '1.0.0' });
    server.registerTool('export', {}, async ({ mcpReq }) => {
      runs++;
      const { progressToken } = mcpReq._meta ?? {};
      for (let progress = 1; progress <= 4; progress++) {
        await new Promise((resolve) => setTimeout(resolve, 500));
        await mcpReq.notify({
          method: 'notifications/progress',
          params: { progressToken, progress, total: 4 },
        });
      }
      return { content: [{ type: 'text', text: 'exported' }] };
    });
    return server;
  };
  const port = Number(process.env.PORT ?? 3001);
  const serving = await serve({ create, port, tasks: { export: 'required' } });
  return { serving, runs: () => runs };
}
