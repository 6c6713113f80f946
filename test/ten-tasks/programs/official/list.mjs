import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';

const client = new Client({ name: 'tasks', version: '1.0.0' });
await client.connect(new StreamableHTTPClientTransport(new URL(process.env.MARKET_URL)));
const { tools } = await client.listTools();
console.log(tools.map(({ name }) => name).join(', '));
const { content } = await client.callTool({ name: 'price', arguments: { symbol: 'AAPL' } });
console.log(content[0].text);
await client.close();
