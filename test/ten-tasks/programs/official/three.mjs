import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';

async function open([name, url]) {
  const client = new Client({ name: 'tasks', version: '1.0.0' });
  try {
    await client.connect(new StreamableHTTPClientTransport(new URL(url)));
    const { tools } = await client.listTools();
    return { name, client, tools };
  } catch {
    await client.close();
    return { name };
  }
}

const servers = await Promise.all(Object.entries(JSON.parse(process.env.MARKET_URLS)).map(open));
for (const { name, tools } of servers) {
  console.log(`${name}: ${tools ? `${tools.length} tools` : 'down'}`);
}
for (const { client } of servers) {
  if (!client) continue;
  const { content } = await client.callTool({ name: 'price', arguments: { symbol: 'AAPL' } });
  console.log(content[0].text);
  await client.close();
}
