import { createMCPClient } from '@ai-sdk/mcp';

const client = await createMCPClient({ transport: { type: 'http', url: process.env.MARKET_URL } });
const { tools } = await client.listTools();
console.log(tools.map(({ name }) => name).join(', '));
const { content } = await client.callTool({ name: 'price', arguments: { symbol: 'AAPL' } });
console.log(content[0].text);
await client.close();
