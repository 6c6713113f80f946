import { connect } from '@longwire/client';

const client = await connect(process.env.MARKET_URL);
console.log((await client.listTools()).map(({ name }) => name).join(', '));
const { content } = await client.callTool('price', { symbol: 'AAPL' });
console.log(content[0].text);
await client.close();
