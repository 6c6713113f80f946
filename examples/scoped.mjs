/**
 * A lifetime that ends with its scope. Where the language has it, `await using client = …` does the
 * same: a client, a pool and a group are all disposable.
 */
import { connect } from '@longwire/client';
import { startMarket } from './market.mjs';

/**
 * @template T
 * @param {string} url
 * @param {(client: import('@longwire/client').LongwireClient) => Promise<T>} work
 */
async function withClient(url, work) {
  const client = await connect(url);
  try {
    return await work(client);
  } finally {
    await client[Symbol.asyncDispose]();
    console.log(`afterwards: ${client.state.name}`);
  }
}

const market = await startMarket();
const tools = await withClient(market.url, (client) => client.listTools());
console.log(tools.map(({ name }) => name).join(', '));
await withClient(market.url, () => Promise.reject(new Error('something else went wrong'))).catch(
  (error) => console.log(error.message),
);
await market.close();
