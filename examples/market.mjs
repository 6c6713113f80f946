/**
 * A market, for the other examples to talk to: an MCP server with a few tools that listens on
 * 127.0.0.1 and keeps a record of what it was asked.
 *
 *     node examples/market.mjs
 */
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import { mcp } from '@longwire/server';
import { McpServer } from '@modelcontextprotocol/server';
import fastify from 'fastify';
import * as z from 'zod';

const PRICES = { AAPL: 231.5, MSFT: 498.25, NVDA: 182.75 };

/**
 * @typedef {object} MarketOptions
 * @property {string} [name] what the server calls itself
 * @property {number} [port] default: any free one
 * @property {() => string} [token] requests must carry this one now; default: nobody is asked
 */

/** @param {MarketOptions} [options] */
export async function startMarket({ name = 'market', port = 0, token } = {}) {
  /** @type {Set<McpServer>} */
  const sessions = new Set();
  /** @type {import('node:http').IncomingHttpHeaders[]} */
  const requests = [];
  /** @type {string[]} */
  const calls = [];

  const createSession = () => {
    const server = new McpServer(
      { name, version: '1.0.0' },
      { capabilities: { logging: {}, tools: { listChanged: true } } },
    );
    register(server, calls);
    sessions.add(server);
    server.server.onclose = () => sessions.delete(server);
    return server;
  };

  const app = fastify({ forceCloseConnections: true });
  app.addHook('onRequest', async (request, reply) => {
    requests.push(request.headers);
    if (token !== undefined && request.headers.authorization !== `Bearer ${token()}`) {
      await reply.code(401).send({ error: 'who are you?' });
    }
  });
  await app.register(mcp, { create: createSession });
  await app.listen({ port, host: '127.0.0.1' });
  const address = /** @type {import('node:net').AddressInfo} */ (app.server.address());
  const close = async () => {
    await app.close();
  };

  return {
    url: `http://127.0.0.1:${address.port}/sse`,
    port: address.port,
    /** The headers of every HTTP request. */
    requests,
    /** The names of the tools that ran, in order. */
    calls,
    /**
     * Says something to everybody who is connected.
     *
     * @param {'info' | 'warning' | 'error'} level @param {unknown} data
     */
    async say(level, data) {
      const told = [...sessions].map((server) => server.server.sendLoggingMessage({ level, data }));
      await Promise.all(told);
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** @param {McpServer} server @param {string[]} calls */
function register(server, calls) {
  const symbol = z.enum(['AAPL', 'MSFT', 'NVDA']);
  server.registerTool(
    'price',
    {
      description: 'The price of a share now.',
      inputSchema: z.object({ symbol }),
      annotations: { readOnlyHint: true },
    },
    ({ symbol }) => {
      calls.push('price');
      return text(`${symbol} ${PRICES[symbol]}`);
    },
  );
  server.registerTool(
    'buy',
    {
      description: 'Buys shares. Never do this twice.',
      inputSchema: z.object({ symbol, count: z.number().int().positive() }),
    },
    ({ symbol, count }) => {
      calls.push('buy');
      return text(`bought ${count} ${symbol} for ${(count * PRICES[symbol]).toFixed(2)}`);
    },
  );
  server.registerTool(
    'ticker',
    {
      description: 'Watches a price for some ticks and reports each of them as progress.',
      inputSchema: z.object({ symbol, ticks: z.number().int().positive().max(100) }),
      annotations: { readOnlyHint: true },
    },
    async ({ symbol, ticks }, { mcpReq }) => {
      calls.push('ticker');
      const progressToken = mcpReq._meta?.progressToken;
      for (let tick = 1; tick <= ticks && progressToken !== undefined; tick++) {
        const message = `${symbol} ${(PRICES[symbol] + tick / 100).toFixed(2)}`;
        const params = { progressToken, progress: tick, total: ticks, message };
        await mcpReq.notify({ method: 'notifications/progress', params });
        await sleep(10);
      }
      return text(`${ticks} ticks of ${symbol}`);
    },
  );
  server.registerTool(
    'slow',
    {
      description: 'Takes its time.',
      inputSchema: z.object({ ms: z.number().int().nonnegative().max(10_000) }),
      annotations: { readOnlyHint: true },
    },
    async ({ ms }, { mcpReq }) => {
      calls.push('slow');
      await sleep(ms, undefined, { signal: mcpReq.signal });
      return text(`${ms} ms later`);
    },
  );
}

/** @param {string} line @returns {import('@modelcontextprotocol/server').CallToolResult} */
function text(line) {
  return { content: [{ type: 'text', text: line }] };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const market = await startMarket({ port: 3001 });
  console.log(`listening on ${market.url}`);
}
