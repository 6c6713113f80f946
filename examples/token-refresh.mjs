/**
 * A token that the server refuses after a while: it is renewed once, for however many calls are
 * under way, and every later request carries the new one.
 */
import { connect } from '@longwire/client';
import { tokenRefresh } from '@longwire/client/middleware';
import { startMarket } from './market.mjs';

let valid = 'token-1';
let asked = 0;
const market = await startMarket({ token: () => valid });
const client = await connect(market.url, {
  middleware: [
    tokenRefresh({
      provider: ({ reason }) => {
        asked += 1;
        console.log(`asked for a token: ${reason}`);
        return valid;
      },
    }),
  ],
});
await client.callTool('price', { symbol: 'AAPL' });

valid = 'token-2';
const symbols = ['AAPL', 'MSFT', 'NVDA'];
const prices = await Promise.all(symbols.map((symbol) => client.callTool('price', { symbol })));
console.log(`${prices.length} prices, the provider was asked ${asked} times`);
await client.close();
await market.close();
