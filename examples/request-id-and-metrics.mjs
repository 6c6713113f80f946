/**
 * An id for every request, which the server can log, too; and figures of all of them, for
 * Prometheus and for the program.
 */
import { connect } from '@longwire/client';
import { requestId } from '@longwire/client/middleware';
import { metrics } from '@longwire/client/middleware/metrics';
import { startMarket } from './market.mjs';

const market = await startMarket();
const figures = metrics();
const client = await connect(market.url, { middleware: [requestId(), figures] });
await client.callTool('price', { symbol: 'AAPL' });
await client.callTool('price', { symbol: 'MSFT' });

const ids = market.requests.map((headers) => headers['x-request-id']).filter(Boolean);
console.log(`${new Set(ids).size} request ids reached the server`);
for (const { method, tool, outcome, count } of figures.snapshot()) {
  console.log(`${method} ${tool ?? ''}: ${count} ${outcome}`);
}

// What the client says of itself is read whenever Prometheus asks.
figures.observe(client);
const text = await figures.text();
const wanted = /^(mcp_client_operation_duration_seconds_count|longwire_client_up)\{/;
console.log(
  text
    .split('\n')
    .filter((line) => wanted.test(line))
    .join('\n'),
);
await client.close();
await market.close();
