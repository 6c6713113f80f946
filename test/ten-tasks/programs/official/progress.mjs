import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';

const client = new Client({ name: 'tasks', version: '1.0.0' });
await client.connect(new StreamableHTTPClientTransport(new URL(process.env.MARKET_URL)));
const onprogress = ({ progress, total }) => console.log(`${progress} of ${total}`);
const ticker = (ticks) => ({ name: 'ticker', arguments: { ticks } });
const { content } = await client.callTool(ticker(3), { onprogress });
console.log(content[0].text);
const cancel = new AbortController();
const options = { signal: cancel.signal, onprogress: () => cancel.abort() };
await client.callTool(ticker(1000), options).catch(() => console.log('cancelled'));
const price = await client.callTool({ name: 'price', arguments: { symbol: 'AAPL' } });
console.log(price.content[0].text);
await client.close();
