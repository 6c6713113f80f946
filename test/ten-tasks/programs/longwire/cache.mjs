import { connect, textOf } from '@longwire/client';
import { cache } from '@longwire/client/middleware';

const client = await connect(process.env.MARKET_URL, { middleware: [cache({ ttlMs: 60_000 })] });
await client.listTools(); // it learns which tools only look
for (const [tool, symbol] of [
  ['price', 'AAPL'],
  ['price', 'AAPL'],
  ['price', 'MSFT'],
  ['buy', 'AAPL'],
  ['buy', 'AAPL'],
]) {
  console.log(textOf(await client.callTool(tool, { symbol })));
}
await client.close();
