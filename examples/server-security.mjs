/**
 * Who may call, and how much: API keys of which the server knows only hashes, names that it answers to,
 * pages that may call, and limits.
 */
import { connect } from '@longwire/client';
import { apiKeys, hashApiKey, serve } from '@longwire/server';
import { McpServer } from '@modelcontextprotocol/server';

const key = 'a-key-that-is-made-at-random-and-long';

function create() {
  const server = new McpServer({ name: 'mine', version: '1.0.0' });
  server.registerTool('price', {}, () => ({ content: [{ type: 'text', text: '231.50' }] }));
  return server;
}

const serving = await serve({
  create,
  port: Number(process.env.PORT ?? 3001),
  auth: apiKeys({ keys: [{ principal: 'ci', sha256: hashApiKey(key) }] }),
  // The names by which clients know the server. Others are refused, against DNS rebinding.
  allowedHosts: ['127.0.0.1', 'mcp.example.com'],
  // The web pages that may call from a browser.
  allowedOrigins: ['https://app.example.com'],
  cors: true,
  rates: {
    perPrincipal: { max: 100, windowMs: 60_000 },
    tools: { price: { max: 2, windowMs: 60_000 } },
  },
  maxBodyBytes: 1024 * 1024,
  maxSessionsPerPrincipal: 10,
  maxInFlight: 100,
});

async function statusOf(headers) {
  const { status } = await fetch(serving.sseUrl, { headers, signal: AbortSignal.timeout(10_000) });
  return status;
}
console.log(`without a key: ${await statusOf({})}`);
console.log(
  `from another page: ${await statusOf({ 'x-api-key': key, origin: 'https://evil.example' })}`,
);

const client = await connect(serving.url, { headers: { authorization: `Bearer ${key}` } });
for (let count = 1; count <= 3; count++) {
  // What is refused may be sent again, and the client does so until its time is up.
  const answer = await client.callTool('price', {}, { timeoutMs: 1_000 }).then(
    ({ content }) => content[0].text,
    (error) => error.code,
  );
  console.log(`price ${count}: ${answer}`);
}
await client.close();
await serving.close();
