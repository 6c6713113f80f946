import { connect, textOf } from '@longwire/client';

const client = await connect(process.env.MARKET_URL);
await client.listTools(); // it learns which tools only look
for (const [tool, args] of [
  ['price', { symbol: 'AAPL' }],
  ['ticker', { ticks: 10 }],
  ['price', { symbol: 'MSFT' }],
]) {
  console.log(textOf(await client.callTool(tool, args)));
}
await client.close();
