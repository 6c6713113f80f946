import { connect } from '@longwire/client';

const client = await connect(process.env.MARKET_URL);
const onProgress = ({ progress, total }) => console.log(`${progress} of ${total}`);
const { content } = await client.callTool('ticker', { ticks: 3 }, { onProgress });
console.log(content[0].text);
const cancel = new AbortController();
const options = { signal: cancel.signal, onProgress: () => cancel.abort() };
await client.callTool('ticker', { ticks: 1000 }, options).catch(() => console.log('cancelled'));
const price = await client.callTool('price', { symbol: 'AAPL' });
console.log(price.content[0].text);
await client.close();
