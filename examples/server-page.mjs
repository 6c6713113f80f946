/**
 * A live page of a server's sessions and calls, which one principal opens with a browser.
 */
import { connect } from '@longwire/client';
import { apiKeys, hashApiKey, mcp } from '@longwire/server';
import { McpServer } from '@modelcontextprotocol/server';
import fastify from 'fastify';
import { page } from 'longwire/page';

function create() {
  const server = new McpServer({ name: 'notes', version: '1.0.0' });
  server.registerTool('count', {}, () => ({ content: [{ type: 'text', text: '3 notes' }] }));
  return server;
}

const keys = { ann: 'a-key-of-ann', operator: 'a-key-of-the-operator' };
const app = fastify();
// A browser sends no bearer token with an address. It asks for a password, which is the key here.
app.addHook('onRequest', async (request, reply) => {
  if (!/^\/page(?:[/?]|$)/.test(request.url)) return undefined;
  const [, basic] = /^Basic (\S+)$/.exec(request.headers.authorization ?? '') ?? [];
  if (basic === undefined) {
    return reply.code(401).header('www-authenticate', 'Basic realm="page"').send();
  }
  const [, password = ''] = /^[^:]*:(.*)$/s.exec(Buffer.from(basic, 'base64').toString()) ?? [];
  request.headers.authorization = `Bearer ${password}`;
  return undefined;
});
await app.register(mcp, {
  create,
  auth: apiKeys({
    keys: Object.entries(keys).map(([principal, key]) => ({ principal, sha256: hashApiKey(key) })),
  }),
  page: page({ allow: ({ id }) => id === 'operator' }),
});
const origin = await app.listen({ port: Number(process.env.PORT ?? 3001) });

const opened = async (path, key) => {
  const password = `Basic ${Buffer.from(`me:${key}`).toString('base64')}`;
  return fetch(origin + path, { headers: key === undefined ? {} : { authorization: password } });
};
console.log(`nobody: ${(await opened('/page')).status}`);
console.log(`ann: ${(await opened('/page', keys.ann)).status}`);
console.log(`operator: ${(await opened('/page', keys.operator)).status}`);

const client = await connect(`${origin}/mcp`, { headers: { authorization: `Bearer ${keys.ann}` } });
await client.callTool('count');
await client.close();
// What the page shows, as it can be saved: a line of JSON for everything that happened.
const recording = await (await opened('/page/api/recording', keys.operator)).text();
const lines = recording
  .trim()
  .split('\n')
  .map((text) => JSON.parse(text));
const { call, name, by } = lines.find((line) => line.type === 'call' && line.name === 'count');
const { outcome } = lines.find((line) => line.type === 'end' && line.call === call);
console.log(`${by.who} calls ${name}: ${outcome}`);
await app.close();
