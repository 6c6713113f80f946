import { connect, textOf } from '@longwire/client';
import { tokenRefresh } from '@longwire/client/middleware';

const provider = async () => (await fetch(process.env.ISSUER_URL)).text();
const client = await connect(process.env.MARKET_URL, { middleware: [tokenRefresh({ provider })] });
const price = async (symbol) => textOf(await client.callTool('price', { symbol }));
console.log(await price('AAPL'));
console.log((await Promise.all(['AAPL', 'MSFT', 'NVDA'].map(price))).join(', '));
await client.close();
