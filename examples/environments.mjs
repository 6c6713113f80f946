/**
 * Development, staging and production: one file, and what a profile lays over it.
 */
import { connect } from '@longwire/client';
import { clientOptionsOf, parseConfig } from '@longwire/client/config';
import { builtIns } from '@longwire/client/middleware';
import { startMarket } from './market.mjs';

const market = await startMarket();
const text = `{
  // The same for everybody.
  "servers": {
    "market": {
      "url": "${market.url}",
      "headers": { "x-stage": "\${STAGE:-development}" },
      "middleware": ["requestId"]
    }
  },
  "profiles": {
    "staging": { "servers": { "market": { "headers": { "x-stage": "staging" } } } },
    "production": {
      "servers": {
        "market": {
          "headers": { "x-stage": "production", "authorization": "Bearer \${MARKET_TOKEN}" },
          "middleware": ["requestId", { "name": "cache", "ttlMs": 1000 }]
        }
      }
    }
  }
}`;

for (const profile of [undefined, 'staging', 'production']) {
  const env = { MARKET_TOKEN: 'secret' };
  const config = parseConfig(text, { env, ...(profile !== undefined && { profile }) });
  for (const server of config.servers) {
    const client = await connect(server.target, await clientOptionsOf(server, builtIns()));
    await client.callTool('price', { symbol: 'AAPL' });
    const { authorization, ...headers } = market.requests.at(-1) ?? {};
    console.log(
      `${server.name} in ${String(headers['x-stage'])}, token: ${authorization !== undefined}`,
    );
    await client.close();
  }
}

try {
  parseConfig(text, { env: {}, profile: 'production' });
} catch (error) {
  console.log(/** @type {Error} */ (error).message);
}
await market.close();
