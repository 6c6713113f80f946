/**
 * Results of tools that only look are kept for a while: the second call is answered without asking
 * the server.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from '@longwire/client';
import { cache } from '@longwire/client/middleware';
import { startMarket } from './market.mjs';

const market = await startMarket();
const kept = cache({ ttlMs: 60_000, tools: { price: 1000 } });
const client = await connect(market.url, { middleware: [kept] });
// The list says which tools only look.
await client.listTools();

await client.callTool('price', { symbol: 'AAPL' });
await client.callTool('price', { symbol: 'AAPL' });
console.log(`the server was asked ${market.calls.length} time`);
await sleep(1100);
await client.callTool('price', { symbol: 'AAPL' });
console.log(`after the time to live ${market.calls.length} times`);
await client.callTool('buy', { symbol: 'AAPL', count: 1 });
await client.callTool('buy', { symbol: 'AAPL', count: 1 });
console.log(`buying is never kept: ${market.calls.filter((name) => name === 'buy').length} times`);
const { hits, misses } = kept.stats();
console.log(`${hits} hit, ${misses} misses`);
await client.close();
await market.close();
