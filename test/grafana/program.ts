import { createServer } from 'node:http';
import { EventEmitter, once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { createGroup } from '@longwire/client/group';
import { cache } from '@longwire/client/middleware';
import { metrics } from '@longwire/client/middleware/metrics';
import { createPool } from '@longwire/client/pool';
import { serve } from '@longwire/server';
import { createFaultyProxy } from '@longwire/testing';
import { McpServer } from '@modelcontextprotocol/server';
import { Registry } from 'prom-client';
import * as z from 'zod';
import { everythingCommand } from '../support/peers.ts';

/** A program with servers, clients and users, as metrics see it. */
export interface Program extends AsyncDisposable {
  /** Where the metrics of its clients are. */
  readonly clients: string;
  /** Where those of its server are. */
  readonly server: string;
}

/**
 * Starts a server of the kit, and a program that uses it by a group and by a pool, over a connection that
 * breaks and comes back; and with it a server of somebody else, over stdio. All the time something is called.
 */
export async function startProgram(): Promise<Program> {
  const events = new EventEmitter();
  const serving = await serve({
    create: () => marketWith(events),
    metrics: { registry: new Registry() },
    queues: { render: { concurrency: 1, maxQueued: 10, timeoutMs: 60_000, perPrincipal: 10 } },
  });
  const proxy = await createFaultyProxy({ target: serving.url });
  const market = proxy.origin + new URL(serving.url).pathname;
  const figures = metrics();
  const kept = cache();
  const group = createGroup(
    {
      market,
      everything: everythingCommand(),
    },
    {
      shared: { middleware: [figures, kept], retry: { firstDelayMs: 5, maxDelayMs: 50 } },
      breaker: {},
    },
  );
  const pool = createPool(serving.url, { name: 'pool', size: 2, middleware: [figures] });
  for (const source of [group, pool, kept]) figures.observe(source);
  const scraped = createServer((_request, response) => {
    response.setHeader('content-type', figures.registry.contentType);
    void figures.text().then((text) => response.end(text));
  }).listen(0, '127.0.0.1');
  await once(scraped, 'listening');
  await group.connect();
  await group.listTools();

  // The connection breaks under a call that may not be sent again.
  const begun = once(events, 'begun');
  const cut = group.callTool('market__buy', {}).catch(() => {});
  await begun;
  proxy.refuse();
  proxy.cutAll();
  await cut;
  await proxy.resume();
  await group.callTool('market__price', { symbol: 'AAPL' });

  let isStopped = false;
  const using = async (): Promise<void> => {
    while (!isStopped) {
      await Promise.allSettled([
        group.callTool('market__price', { symbol: 'AAPL' }),
        group.callTool('market__fail', {}),
        group.callTool('market__render', {}),
        group.callTool('everything__echo', { message: 'hello' }),
        pool.callTool('price', { symbol: String(Math.random()) }),
        // Of another page.
        fetch(serving.url, { method: 'POST', headers: { origin: 'http://elsewhere.example' } }),
      ]);
      await delay(20);
    }
  };
  const done = using();
  return {
    clients: `127.0.0.1:${(scraped.address() as AddressInfo).port}`,
    server: new URL(serving.url).host,
    [Symbol.asyncDispose]: async () => {
      isStopped = true;
      await done;
      await Promise.all([group.close(), pool.close()]);
      await proxy.close();
      await serving.close();
      scraped.closeAllConnections();
      scraped.close();
    },
  };
}

/** Prices, and tools that fail, wait their turn, or never end. */
function marketWith(events: EventEmitter): McpServer {
  const server = new McpServer({ name: 'market', version: '1.0.0' });
  const done = { content: [{ type: 'text' as const, text: 'done' }] };
  const inputSchema = z.object({ symbol: z.string() });
  const price = { inputSchema, annotations: { readOnlyHint: true } };
  server.registerTool('price', price, () => done);
  server.registerTool('fail', {}, () => ({ ...done, isError: true }));
  server.registerTool('render', {}, async () => {
    await delay(5);
    return done;
  });
  server.registerTool('buy', {}, async ({ mcpReq }) => {
    events.emit('begun');
    if (!mcpReq.signal.aborted) await once(mcpReq.signal, 'abort');
    return done;
  });
  return server;
}
