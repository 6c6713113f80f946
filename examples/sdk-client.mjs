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
  // The list tells the connection which tools are safe to call again.
  await client.listTools();
  return client;
}

/** @param {string} url */
async function printTools(url) {
  const client = await connectSdkClient(url);
  for (const { name, description } of (await client.listTools()).tools) {
    console.log(`${name}: ${description ?? ''}`);
  }
  await client.close();
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await printTools(process.argv[2] ?? 'http://127.0.0.1:3001/sse').catch((error) => {
    console.error(error.message);
    process.exitCode = 1;
  });
}
