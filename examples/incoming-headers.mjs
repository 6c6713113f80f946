/**
 * A web server that passes some headers of its own callers on: a tenant and a trace, and never a
 * cookie or what belongs to the connection.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect } from '@longwire/client';
import { inheritHeaders } from '@longwire/client/config';
import { startMarket } from './market.mjs';

const market = await startMarket();
const client = await connect(market.url);
const server = createServer((request, response) => {
  const headers = inheritHeaders(request.headers, ['X-Tenant', 'Traceparent', 'Cookie', 'Host']);
  client.callTool('price', { symbol: 'AAPL' }, { headers }).then(
    ({ content }) => response.end(JSON.stringify(content)),
    (error) => response.writeHead(502).end(error.message),
  );
});
await once(server.listen(0, '127.0.0.1'), 'listening');
const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());

const answer = await fetch(`http://127.0.0.1:${port}/`, {
  headers: { 'X-TENANT': 'blue', cookie: 'session=secret', 'x-other': '1' },
});
console.log(await answer.text());
const passed = market.requests.at(-1) ?? {};
console.log(passed['x-tenant'], passed.cookie, passed['x-other']);
server.close();
server.closeAllConnections();
await client.close();
await market.close();
