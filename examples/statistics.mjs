/**
 * What a client has done so far, and how its server is just now.
 */
import { connect } from '@longwire/client';
import { startMarket } from './market.mjs';

const market = await startMarket();
const client = await connect(market.url);
for (const symbol of ['AAPL', 'MSFT', 'NVDA']) await client.callTool('price', { symbol });
await client.callTool('slow', { ms: 1000 }, { timeoutMs: 50 }).catch(() => {});

const { calls, messages, bytes, tools, lastError } = client.stats();
console.log(`${calls.succeeded} succeeded, ${calls.failed.timeout} timed out`);
console.log(`messages: ${messages.sent} sent, ${messages.received} received`);
console.log(`bytes: ${bytes.sent > 0 && bytes.received > 0 ? 'counted each way' : 'none'}`);
console.log(
  `price: ${tools['price']?.calls} calls, p95 known: ${tools['price']?.p95Ms !== undefined}`,
);
console.log(`last error: ${lastError?.code}`);
const { status, latencyMs } = await client.health();
console.log(`${status}, ${latencyMs === undefined ? 'no answer' : 'answered'}`);
await client.close();
await market.close();
