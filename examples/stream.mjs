/**
 * A call as a stream: its progress as it comes, and its result at the end.
 */
import { connect } from '@longwire/client';
import { startMarket } from './market.mjs';

const market = await startMarket();
const client = await connect(market.url);
for await (const event of client.stream('ticker', { symbol: 'AAPL', ticks: 3 })) {
  if (event.type === 'progress')
    console.log(`${event.progress.progress}: ${event.progress.message}`);
  else if (event.type === 'result') console.log(event.result.content);
}
for await (const event of client.stream('ticker', { symbol: 'NVDA', ticks: 100 })) {
  if (event.type === 'progress') break;
}
console.log('left early, and the server was told');
await client.close();
await market.close();
