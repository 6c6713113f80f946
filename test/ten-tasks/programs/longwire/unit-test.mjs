import { connect, textOf } from '@longwire/client';
import { McpServer } from '@modelcontextprotocol/server';
import assert from 'node:assert/strict';
import * as z from 'zod';

function createMarket() {
  const server = new McpServer({ name: 'market', version: '1.0.0' });
  const inputSchema = z.object({ symbol: z.string() });
  server.registerTool('price', { inputSchema }, ({ symbol }) => ({
    content: [{ type: 'text', text: `${symbol} 1` }],
  }));
  return server;
}

const client = await connect({ server: createMarket });
assert.equal(textOf(await client.callTool('price', { symbol: 'AAPL' })), 'AAPL 1');
console.log('passed');
await client.close();
