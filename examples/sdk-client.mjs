/**
 * The official SDK's own `Client` over Longwire's connection, which makes a new session underneath
 * when the old one is gone, and says of every call that failed how sure it is of the outcome.
 *
 *     node examples/sdk-client.mjs [url]
 */
import { fileURLToPath } from 'node:url';
import { createTransport } from '@longwire/client';
import { Client } from '@modelcontextprotocol/client';

/** @param {string} url */
export async function connectSdkClient(url) {
  const client = new Client(
    { name: 'my-program', version: '1.0.0' },
    { versionNegotiation: { mode: 'auto' } },
  );
  await client.connect(createTransport(url));
  // The connection learns here which tools are safe to call again.
  await client.listTools();
  return client;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const client = await connectSdkClient(process.argv[2] ?? 'http://127.0.0.1:3001/sse');
  for (const { name, description } of (await client.listTools()).tools) {
    console.log(`${name}: ${description ?? ''}`);
  }
  await client.close();
}
