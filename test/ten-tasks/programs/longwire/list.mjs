import { connect, textOf } from '@longwire/client';

const client = await connect(process.env.MARKET_URL);
console.log((await client.listTools()).map(({ name }) => name).join(', '));
console.log(textOf(await client.callTool('price', { symbol: 'AAPL' })));
await client.close();
