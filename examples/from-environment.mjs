/**
 * A server that the environment names: MARKET_URL, MARKET_TOKEN and so on.
 */
import { connect } from '@longwire/client';
import { fromEnvironment } from '@longwire/client/config';
import { startMarket } from './market.mjs';

const market = await startMarket({ token: () => 'secret' });
const env = {
  MARKET_URL: market.url,
  MARKET_TOKEN: 'secret',
  MARKET_USER_AGENT: 'market-watch/1.0',
  MARKET_TIMEOUT: '5',
  MARKET_HEADERS: '{"X-Tenant": "blue"}',
};

// A program leaves the second argument out.
const { target, options } = fromEnvironment('MARKET', env);
const client = await connect(target, options);
console.log((await client.callTool('price', { symbol: 'AAPL' })).content);
const headers = market.requests.at(-1);
console.log(headers?.['user-agent'], headers?.['x-tenant']);
await client.close();

try {
  fromEnvironment('MARKET', { ...env, MARKET_URL: '' });
} catch (error) {
  console.log(/** @type {Error} */ (error).message);
}
await market.close();
