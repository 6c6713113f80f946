import { Client, InMemoryTransport } from '@modelcontextprotocol/client';
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

const [ours, theirs] = InMemoryTransport.createLinkedPair();
const client = new Client({ name: 'tasks', version: '1.0.0' });
await Promise.all([createMarket().connect(theirs), client.connect(ours)]);
const { content } = await client.callTool({ name: 'price', arguments: { symbol: 'AAPL' } });
assert.equal(content[0].text, 'AAPL 1');
console.log('passed');
await client.close();
