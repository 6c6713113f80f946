/**
 * What the program of a server does with it while it serves: it tells clients what changed, ends a session,
 * and refuses calls by a gate of its own.
 */
import { connect } from '@longwire/client';
import { serve } from '@longwire/server';
import { McpServer } from '@modelcontextprotocol/server';

function create({ requestState }) {
  // With `requestState`, what a tool keeps while it asks for input is sealed, for its principal alone.
  const server = new McpServer({ name: 'notes', version: '1.0.0' }, { requestState });
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
      hold: ({ method, target }) =>
        isReadOnly && method === 'tools/call' && target === 'write'
          ? { status: 403, code: -32_000, message: 'Notes are only read now' }
          : undefined,
    },
  ],
});

const client = await connect(serving.sseUrl);
const told = new Promise((resolve) => {
  client.on('notification', ({ method }) => resolve(method));
});
// Clients of every version, in the way of theirs.
mount.notify.toolsChanged();
console.log(await told);

isReadOnly = true;
console.log(await client.callTool('write').catch(({ message }) => message));

// It ends with everything that it holds; its client opens another one.
console.log(`ended: ${await mount.endSession(opened[0])}`);
console.log(`${(await client.listTools()).length} tool, ${opened.length} sessions`);
await client.close();
await serving.close();
