import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';

const fetchToken = async () => (await fetch(process.env.ISSUER_URL)).text();
let token; // a promise: all who need one at the same time wait for the same
async function fetchWithToken(url, init) {
  const send = async (using) => {
    const headers = new Headers(init?.headers);
    headers.set('authorization', `Bearer ${await using}`);
    return fetch(url, { ...init, headers });
  };
  const used = (token ??= fetchToken());
  const response = await send(used);
  if (response.status !== 401) return response;
  await response.body?.cancel();
  if (token === used) token = fetchToken(); // nobody else has renewed it
  return send(token);
}

const client = new Client({ name: 'tasks', version: '1.0.0' });
await client.connect(
  new StreamableHTTPClientTransport(new URL(process.env.MARKET_URL), { fetch: fetchWithToken }),
);
async function price(symbol) {
  const { content } = await client.callTool({ name: 'price', arguments: { symbol } });
  return content[0].text;
}
console.log(await price('AAPL'));
console.log((await Promise.all(['AAPL', 'MSFT', 'NVDA'].map(price))).join(', '));
await client.close();
