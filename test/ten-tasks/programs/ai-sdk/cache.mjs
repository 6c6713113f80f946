import { createMCPClient } from '@ai-sdk/mcp';

const client = await createMCPClient({ transport: { type: 'http', url: process.env.MARKET_URL } });
const { tools } = await client.listTools();
const looks = new Set(tools.filter((tool) => tool.annotations?.readOnlyHint).map((t) => t.name));

const kept = new Map();
async function call(name, args) {
  const ask = () => client.callTool({ name, arguments: args });
  if (!looks.has(name)) return ask();
  const key = JSON.stringify([name, args]);
  const found = kept.get(key);
  if (found && found.until > Date.now()) return found.result;
  const result = await ask();
  if (!result.isError) kept.set(key, { result, until: Date.now() + 60_000 });
  if (kept.size > 1000) kept.delete(kept.keys().next().value); // the oldest one
  return result;
}

for (const [tool, symbol] of [
  ['price', 'AAPL'],
  ['price', 'AAPL'],
  ['price', 'MSFT'],
  ['buy', 'AAPL'],
  ['buy', 'AAPL'],
]) {
  console.log((await call(tool, { symbol })).content[0].text);
}
await client.close();
