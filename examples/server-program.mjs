/**
 * What the program of a server does with it while it serves: it tells clients what changed, ends a session,
 * and refuses calls by a gate of its own.
 */
import { connect } from '@longwire/client';
import { serve } from '@longwire/server';
import { McpServer } from '@modelcontextprotocol/server';

const uri = 'notes://today';

function create({ requestState }) {
  const capabilities = { tools: { listChanged: true }, resources: { subscribe: true } };
  // With `requestState`, what a tool keeps while it asks for input is sealed, for its principal alone.
  const options = { capabilities, requestState };
  const server = new McpServer({ name: 'notes', version: '1.0.0' }, options);
  server.registerResource('today', uri, {}, () => ({ contents: [{ uri, text: 'nothing yet' }] }));
  server.registerTool('write', {}, () => ({ content: [{ type: 'text', text: 'written' }] }));
  return server;
}

const opened = [];
let mount;
let isReadOnly = false;
const serving = await serve({
  create,
  port: Number(process.env.PORT ?? 3001),
  onMount: (made) => {
    mount = made;
  },
  observers: [{ sessionOpened: ({ sessionId }) => opened.push(sessionId) }],
  // Every call passes it. What it returns is the answer, and the tool does not run.
  gates: [
    {
      admit: ({ method, target }) =>
        isReadOnly && method === 'tools/call' && target === 'write'
          ? { status: 403, code: -32_000, message: 'Notes are only read now' }
          : undefined,
    },
  ],
});

const client = await connect(serving.url, { protocol: '2025-11-25' });
const told = new Promise((resolve) => {
  client.on('notification', ({ method, params }) => resolve(`${method} ${params.uri}`));
});
await client.subscribeResource(uri);
// Sessions that subscribed to it, and streams of subscriptions/listen.
mount.notify.resourceUpdated(uri);
console.log(await told);

isReadOnly = true;
console.log(await client.callTool('write').catch(({ message }) => message));

// It ends with everything that it holds; its client opens another one.
console.log(`ended: ${await mount.endSession(opened[0])}`);
console.log(`${(await client.listTools()).length} tool, ${opened.length} sessions`);
await client.close();
await serving.close();
