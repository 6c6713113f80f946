import { createMCPClient } from '@ai-sdk/mcp';
import { setTimeout as sleep } from 'node:timers/promises';

let client;
let lost; // rejected when the connection of the client fails
async function connect() {
  const transport = { type: 'http', url: process.env.MARKET_URL };
  let fail;
  lost = new Promise((_, reject) => (fail = reject));
  lost.catch(() => {});
  client = await createMCPClient({ transport, onUncaughtError: fail });
}

await connect();
const { tools } = await client.listTools();
const safe = new Set(tools.filter((tool) => tool.annotations?.readOnlyHint).map((t) => t.name));

async function call(name, args) {
  for (let attempt = 1; ; attempt++) {
    try {
      return await Promise.race([client.callTool({ name, arguments: args }), lost]);
    } catch (error) {
      if (!safe.has(name) || attempt === 5) throw error;
      await client.close().catch(() => {});
      await sleep(250 * 2 ** (attempt - 1));
      await connect().catch(() => {}); // the next attempt tells
    }
  }
}

for (const [tool, args] of [
  ['price', { symbol: 'AAPL' }],
  ['ticker', { ticks: 10 }],
  ['price', { symbol: 'MSFT' }],
]) {
  console.log((await call(tool, args)).content[0].text);
}
await client.close();
