import {
  Client,
  SSEClientTransport,
  StreamableHTTPClientTransport,
  type ClientOptions,
  type Transport,
} from '@modelcontextprotocol/client';
import { McpServer } from '@modelcontextprotocol/server';
import fastify from 'fastify';
import { request } from 'undici';
import { describe, expect, it } from 'vitest';
import { mcp } from '../../src/index.ts';
import { registerLimits, resolveLimits, type LimitOptions } from '../../src/limits/limits.ts';
import { deferred, listening, open } from '../fixture.ts';

interface Limited {
  readonly url: string;
  /** How much waits and runs. */
  readonly depth: () => { readonly waiting: number; readonly running: number } | undefined;
  /** Ends the calls of the tool that has begun first; fulfilled when there is one. */
  readonly endOne: () => Promise<void>;
}

/** A mount with limits, and a heavy tool that ignores its signal. */
async function limited(options: LimitOptions): Promise<Limited> {
  const app = fastify();
  const running: (() => void)[] = [];
  let begun = deferred();
  const limits = await registerLimits(app, resolveLimits(options));
  await app.register(mcp, {
    gates: limits.gates,
    create: () => {
      const server = new McpServer({ name: 'limited', version: '1.0.0' });
      server.registerTool('heavy', {}, async () => {
        const end = deferred();
        running.push(end.resolve);
        begun.resolve();
        await end.promise;
        return { content: [{ type: 'text', text: 'done' }] };
      });
      limits.watch(server);
      return server;
    },
  });
  const address = await listening(app);
  return {
    url: address.replace('[::1]', '127.0.0.1'),
    depth: () => limits.depths().get('heavy'),
    endOne: async () => {
      while (running.length === 0) {
        await begun.promise;
        begun = deferred();
      }
      running.shift()?.();
    },
  };
}

/** Waits until something holds: the network is in between. */
async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await new Promise((resolve) => setTimeout(resolve, 5));
}

const TRANSPORTS: Readonly<
  Record<string, { transport: (url: string) => Transport; options: ClientOptions }>
> = {
  sse: {
    transport: (url) => new SSEClientTransport(new URL(`${url}/sse`)),
    options: { versionNegotiation: { mode: 'legacy' } },
  },
  'streamable-http': {
    transport: (url) => new StreamableHTTPClientTransport(new URL(`${url}/mcp`)),
    options: { versionNegotiation: { mode: 'legacy' } },
  },
  stateless: {
    transport: (url) => new StreamableHTTPClientTransport(new URL(`${url}/mcp`)),
    options: { versionNegotiation: { mode: 'auto' } },
  },
};

async function connected(url: string, name: string): Promise<Client> {
  const { transport, options } = TRANSPORTS[name]!;
  const client = new Client({ name: 'test', version: '1' }, options);
  await client.connect(transport(url));
  open.push(() => client.close());
  return client;
}

describe.each(Object.keys(TRANSPORTS))('limits over %s', (transport) => {
  it('let heavy calls wait, and tell the client its place', async () => {
    const { url, depth, endOne } = await limited({ queues: { heavy: { concurrency: 1 } } });
    const client = await connected(url, transport);
    const told: string[][] = [[], [], []];
    const calls: Promise<unknown>[] = [];
    for (const places of told) {
      calls.push(
        client.callTool(
          { name: 'heavy', arguments: {} },
          { onprogress: ({ message = '' }) => places.push(message) },
        ),
      );
      await until(() => (depth()?.running ?? 0) + (depth()?.waiting ?? 0) === calls.length);
    }
    expect(depth()).toEqual({ waiting: 2, running: 1 });
    await until(() => told[2]?.length === 1);
    await endOne();
    await until(() => told[2]?.length === 2);
    await endOne();
    await endOne();
    for (const result of await Promise.all(calls)) {
      expect(result).toMatchObject({ content: [{ text: 'done' }] });
    }
    expect(told).toEqual([
      [],
      ['1st in the queue of heavy'],
      ['2nd in the queue of heavy', '1st in the queue of heavy'],
    ]);
    await until(() => depth()?.running === 0);
  });

  it('keep the slot of a cancelled call while its tool still runs', async () => {
    const { url, depth, endOne } = await limited({ queues: { heavy: { concurrency: 1 } } });
    const client = await connected(url, transport);
    for (let round = 0; round < 3; round++) {
      const leaving = new AbortController();
      const call = client.callTool({ name: 'heavy', arguments: {} }, { signal: leaving.signal });
      await until(
        () => (depth()?.running ?? 0) + (depth()?.waiting ?? 0) === 1 + Math.min(round, 1),
      );
      leaving.abort();
      await expect(call).rejects.toThrow();
      // Those that only waited are gone, and the first one still runs.
      await until(() => depth()?.waiting === 0);
      expect(depth()?.running).toBe(1);
    }
    const last = client.callTool({ name: 'heavy', arguments: {} });
    await until(() => depth()?.waiting === 1);
    await endOne();
    await endOne();
    expect(await last).toMatchObject({ content: [{ text: 'done' }] });
  });

  it('refuse calls beyond a rate and of a full queue, and the client learns by what', async () => {
    const { url, depth, endOne } = await limited({
      queues: { heavy: { concurrency: 1, maxQueued: 0 } },
      rates: { tools: { heavy: { max: 2, windowMs: 600_000 } } },
    });
    const client = await connected(url, transport);
    const first = client.callTool({ name: 'heavy', arguments: {} });
    await until(() => depth()?.running === 1);
    await expect(client.callTool({ name: 'heavy', arguments: {} })).rejects.toThrow('maxQueued');
    await expect(client.callTool({ name: 'heavy', arguments: {} })).rejects.toThrow('rates.tools[');
    await endOne();
    expect(await first).toMatchObject({ content: [{ text: 'done' }] });
  });
});

describe('limits of a mount', () => {
  it('refuse a flood of calls with 429 and Retry-After, and serve others', async () => {
    const { url } = await limited({ rates: { perPrincipal: { max: 20, windowMs: 60_000 } } });
    const post = async (
      id: number,
      method: string,
    ): Promise<{ status: number; retryAfter: unknown }> => {
      const meta = {
        'io.modelcontextprotocol/protocolVersion': '2026-07-28',
        'io.modelcontextprotocol/clientInfo': { name: 'flood', version: '1' },
        'io.modelcontextprotocol/clientCapabilities': {},
      };
      const { statusCode, headers, body } = await request(`${url}/mcp`, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          accept: 'application/json, text/event-stream',
          'mcp-protocol-version': '2026-07-28',
          'mcp-method': method,
        },
        body: JSON.stringify({ jsonrpc: '2.0', id, method, params: { _meta: meta } }),
      });
      await body.dump();
      return { status: statusCode, retryAfter: headers['retry-after'] };
    };
    const answers = await Promise.all(
      Array.from({ length: 300 }, (_none, id) => post(id + 1, 'tools/list')),
    );
    const refused = answers.filter(({ status }) => status === 429);
    expect(answers.length - refused.length).toBeGreaterThanOrEqual(20);
    expect(refused.length).toBeGreaterThan(200);
    for (const { retryAfter } of refused) expect(Number(retryAfter)).toBeGreaterThanOrEqual(1);
    expect(answers.filter(({ status }) => status === 200).length).toBe(
      answers.length - refused.length,
    );
  });
});
