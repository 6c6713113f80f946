import { connect, textOf } from '@longwire/client';

const client = await connect(process.env.MARKET_URL);
const onProgress = ({ progress, total }) => console.log(`${progress} of ${total}`);
console.log(textOf(await client.callTool('ticker', { ticks: 3 }, { onProgress })));
const cancel = new AbortController();
const options = { signal: cancel.signal, onProgress: () => cancel.abort() };
await client.callTool('ticker', { ticks: 1000 }, options).catch(() => console.log('cancelled'));
console.log(textOf(await client.callTool('price', { symbol: 'AAPL' })));
await client.close();
