/**
 * The server kit as a plugin of an application that has routes of its own: below a prefix, with a
 * server that knows for whom it is made.
 */
import { connect } from '@longwire/client';
import { mcp } from '@longwire/server';
import { McpServer } from '@modelcontextprotocol/server';
import fastify from 'fastify';

function createFor(principal) {
  const server = new McpServer({ name: 'mine', version: '1.0.0' });
  server.registerTool('whoami', {}, () => ({ content: [{ type: 'text', text: principal.id }] }));
  return server;
}

const app = fastify();
app.get('/', async () => 'the rest of the application');
await app.register(mcp, {
  prefix: '/api',
  create: ({ principal }) => createFor(principal),
  auth: (request) => ({ id: String(request.headers['x-user'] ?? 'anonymous') }),
});
const origin = await app.listen({ port: Number(process.env.PORT ?? 3001) });

console.log(await (await fetch(origin)).text());
for (const user of ['ada', 'grace']) {
  const client = await connect(`${origin}/api/mcp`, { headers: { 'x-user': user } });
  const { content } = await client.callTool('whoami');
  console.log(`${user} is ${content[0].text}`);
  await client.close();
}
await app.close();
