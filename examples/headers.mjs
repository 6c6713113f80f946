/**
 * Headers: the program's own on every request, a token from a middleware, and one more for a
 * single call.
 */
import { connect } from '@longwire/client';
import { bearer } from '@longwire/client/middleware';
import { startMarket } from './market.mjs';

const market = await startMarket({ token: () => 'secret' });
const client = await connect(market.url, {
  headers: { 'user-agent': 'market-watch/1.0' },
  middleware: [bearer(() => 'secret')],
});
await client.callTool('price', { symbol: 'AAPL' }, { headers: { 'x-tenant': 'blue' } });

for (const { authorization, ...headers } of market.requests) {
  const tenant = headers['x-tenant'] ?? 'none';
  console.log(
    `${headers['user-agent']}, authorized: ${authorization !== undefined}, ${String(tenant)}`,
  );
}
await client.close();
await market.close();
