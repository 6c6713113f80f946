/**
 * A server with a live page of its sessions and calls, which one principal may open.
 */
import { connect } from '@longwire/client';
import { apiKeys, hashApiKey, serve } from '@longwire/server';
import { McpServer } from '@modelcontextprotocol/server';
import { page } from 'longwire/page';

function create() {
  const server = new McpServer({ name: 'notes', version: '1.0.0' });
  server.registerTool('count', {}, () => ({ content: [{ type: 'text', text: '3 notes' }] }));
  return server;
}

const keys = { ann: 'a-key-of-ann', operator: 'a-key-of-the-operator' };
const serving = await serve({
  create,
  port: Number(process.env.PORT ?? 3001),
  auth: apiKeys({
    keys: Object.entries(keys).map(([principal, key]) => ({ principal, sha256: hashApiKey(key) })),
  }),
  // The page is at /page. Without `values: true` it has no arguments, and no results.
  page: page({ allow: ({ id }) => id === 'operator' }),
});
const { origin } = new URL(serving.url);

// What the page is made of: a picture of now, and every line from then on.
const authorization = `Bearer ${keys.operator}`;
const stream = await fetch(`${origin}/page/api/stream`, { headers: { authorization } });
const reader = stream.body.pipeThrough(new TextDecoderStream()).getReader();
let seen = '';
const sees = async (text) => {
  while (!seen.includes(text)) seen += (await reader.read()).value;
};

const client = await connect(serving.url, { headers: { authorization: `Bearer ${keys.ann}` } });
await client.callTool('count');
await sees('"outcome":"result"');
const line = seen.split(/(?<=\}),/).find((one) => one.includes('"tools/call"'));
console.log(line.replace(/"at":[\d.]+,/, ''));

const isAllowed = async (key) => {
  const headers = key === undefined ? {} : { authorization: `Bearer ${key}` };
  return (await fetch(`${origin}/page`, { headers })).status;
};
console.log(`nobody: ${await isAllowed()}, ann: ${await isAllowed(keys.ann)}`);
console.log(`operator: ${await isAllowed(keys.operator)}`);

await client.close();
await serving.close();
