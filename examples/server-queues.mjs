/**
 * A heavy tool behind a queue: one call runs at a time, others wait and are told their place, and one
 * too many is refused.
 */
import { connect } from '@longwire/client';
import { serve } from '@longwire/server';
import { McpServer } from '@modelcontextprotocol/server';
import { setTimeout as delay } from 'node:timers/promises';

function create() {
  const server = new McpServer({ name: 'mine', version: '1.0.0' });
  server.registerTool('render', {}, async () => {
    await delay(300);
    return { content: [{ type: 'text', text: 'rendered' }] };
  });
  return server;
}

const serving = await serve({
  create,
  port: Number(process.env.PORT ?? 3001),
  queues: {
    render: { concurrency: 1, maxQueued: 2, timeoutMs: 60_000, perPrincipal: 10 },
  },
});

const client = await connect(serving.url);
const calls = ['first', 'second', 'third', 'fourth'].map(async (name) => {
  const onProgress = ({ message }) => console.log(`${name}: ${message}`);
  const answer = await client.callTool('render', {}, { onProgress }).then(
    ({ content }) => content[0].text,
    (error) => error.message,
  );
  console.log(`${name}: ${answer}`);
});
await Promise.all(calls);
await client.close();
await serving.close();
