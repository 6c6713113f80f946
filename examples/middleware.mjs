/**
 * A middleware of one's own: it times every call, and adds a field to the response.
 */
import { connect } from '@longwire/client';
import { startMarket } from './market.mjs';

/** @type {import('@longwire/client').Middleware} */
const timing = async (request, next) => {
  const startedAt = performance.now();
  const response = await next();
  const ms = performance.now() - startedAt;
  console.log(`${request.method} took ${ms < 1000 ? 'less' : 'more'} than a second`);
  response.result = { ...response.result, _meta: { ...response.result._meta, timed: true } };
  return response;
};

const market = await startMarket();
const client = await connect(market.url, { middleware: [timing] });
const result = await client.callTool('price', { symbol: 'AAPL' });
console.log(result.content, result._meta);
await client.close();
await market.close();
