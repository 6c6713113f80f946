/**
 * One-shot: the connection is opened for a call and closed behind it. What was found out about the
 * server is kept.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { createClient } from '@longwire/client';
import { startMarket } from './market.mjs';

const market = await startMarket();
const client = createClient(market.url, { keepAlive: false });
client.on('state', ({ name }) => console.log(name));

console.log((await client.callTool('price', { symbol: 'AAPL' })).content);
// Calls of the same moment share a connection; by now the one before is closed.
await sleep(100);
const symbols = ['MSFT', 'NVDA'];
await Promise.all(symbols.map((symbol) => client.callTool('price', { symbol })));
await client.close();
await market.close();
