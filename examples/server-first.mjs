/**
 * The server kit, in ten lines: an MCP server becomes reachable over HTTP, by Streamable HTTP and by
 * HTTP+SSE. Then three clients of different ages use it.
 */
import { connect } from '@longwire/client';
import { serve } from '@longwire/server';
import { McpServer } from '@modelcontextprotocol/server';
import * as z from 'zod';

// Made once, and shared by all sessions.
const echo = { description: 'Says it again', inputSchema: z.object({ message: z.string() }) };

function create() {
  const server = new McpServer({ name: 'mine', version: '1.0.0' });
  server.registerTool('echo', echo, ({ message }) => ({
    content: [{ type: 'text', text: message }],
  }));
  return server;
}

const serving = await serve({ create, port: Number(process.env.PORT ?? 3001) });
console.log(`${serving.url} for most clients, ${serving.sseUrl} for older ones`);

for (const protocol of ['2026-07-28', '2025-11-25', '2024-11-05']) {
  const url = protocol === '2024-11-05' ? serving.sseUrl : serving.url;
  const client = await connect(url, { protocol });
  const { content } = await client.callTool('echo', { message: 'hello' });
  console.log(`${protocol} over ${client.state.transport}: ${content[0].text}`);
  await client.close();
}
await serving.close();
