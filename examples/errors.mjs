/**
 * Every failed call says by its `code` what happened, and by its `certainty` whether the tool may
 * have run.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect, createClient, LongwireError } from '@longwire/client';
import { startMarket } from './market.mjs';

/** @param {string} what @param {Promise<unknown>} work */
async function tell(what, work) {
  try {
    await work;
    console.log(`${what}: done`);
  } catch (error) {
    if (!(error instanceof LongwireError)) throw error;
    console.log(`${what}: ${error.code}, ${error.certainty}`);
  }
}

const market = await startMarket({ token: () => 'secret' });
const headers = { authorization: 'Bearer secret' };
const unwell = createServer((_request, response) => response.writeHead(503).end());
await once(unwell.listen(0, '127.0.0.1'), 'listening');
const { port } = /** @type {import('node:net').AddressInfo} */ (unwell.address());

const stranger = createClient(market.url);
await tell('without a token', stranger.callTool('price', { symbol: 'AAPL' }));
await stranger.close();

const client = await connect(market.url, { headers });
await tell('a call that takes too long', client.callTool('slow', { ms: 5000 }, { timeoutMs: 100 }));
const sell = await client.callTool('sell', { symbol: 'AAPL' }).catch((error) => error.code);
console.log(`a tool that there is not: ${sell.isError === true ? 'isError, a result' : sell}`);
const underWay = client.callTool('slow', { ms: 5000 });
const told = tell('a call that was under way at the end', underWay);
await client.close();
await told;

const patient = createClient(`http://127.0.0.1:${port}/mcp`);
await tell('a server that is not well', patient.connect());
await patient.close();
unwell.close();

const nowhere = createClient('http://127.0.0.1:1/mcp');
await tell('nothing listens there', nowhere.connect());
await market.close();
