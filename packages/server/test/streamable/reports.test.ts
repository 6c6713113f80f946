import { Client as Client1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as Http1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import fastify, { type LightMyRequestResponse } from 'fastify';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { mcp, type McpMount } from '../../src/index.ts';
import { call, endpointOf, listening, open, opened, post, serving, stream } from '../fixture.ts';
import { createSample } from '../sample-server.ts';

const INITIALIZE = { jsonrpc: '2.0', id: 0, method: 'initialize' };
const ACCEPT = { accept: 'application/json, text/event-stream' };

describe('a session of Streamable HTTP', () => {
  it('is not asked again and again by the official client for a call that it cancelled', async () => {
    let mount: McpMount | undefined;
    const { mcpUrl, samples } = await serving({
      retryMs: 1,
      onMount: (made) => {
        mount = made;
      },
    });
    let gets = 0;
    const heard: string[] = [];
    const client = new Client1({ name: 'c', version: '1' });
    client.fallbackNotificationHandler = async ({ method }) => void heard.push(method);
    const counting: typeof fetch = (url, init) => {
      if (init?.method === 'GET') gets++;
      return fetch(url, init);
    };
    await client.connect(new Http1(new URL(mcpUrl), { fetch: counting }) as never);
    open.push(() => client.close());
    for (let round = 0; round < 3; round++) {
      const ending = new AbortController();
      const waiting = client.callTool({ name: 'wait' }, undefined, { signal: ending.signal });
      await samples[0]!.waiting;
      ending.abort();
      await expect(waiting).rejects.toThrow();
    }
    // A stream that ended without an answer is resumed once, not between any two of these.
    for (let round = 0; round < 50; round++) await client.ping();
    expect(gets).toBeLessThanOrEqual(1 + 3);
    mount!.notify.toolsChanged();
    await client.ping();
    expect(heard).toEqual(['notifications/tools/list_changed']);
  });

  it('sends what came while its stream was away, also where the stream had said nothing', async () => {
    let mount: McpMount | undefined;
    const { mcpUrl } = await serving({
      onMount: (made) => {
        mount = made;
      },
    });
    const headers = await opened(mcpUrl);
    const first = await stream(mcpUrl, headers);
    const { id = '', data } = (await first.next()) ?? {};
    expect(data).toBe('');
    first.close();
    mount!.notify.toolsChanged();
    const again = await stream(mcpUrl, { ...headers, 'last-event-id': id });
    expect(await again.nextOf('message')).toContain('list_changed');
  });

  it('is not left behind by a handshake that failed', async () => {
    const { mcpUrl } = await serving({ maxSessionsPerAddress: 1 });
    const bad = await post(mcpUrl, { ...INITIALIZE, params: {} }, ACCEPT);
    expect(bad.text).toContain('"error"');
    await opened(mcpUrl);
  });

  it('hears of a resource only where the server granted the subscription', async () => {
    let mount: McpMount | undefined;
    const { url } = await serving({
      create: () => {
        const { server } = createSample();
        server.server.setRequestHandler('resources/subscribe', ({ params: { uri } }) => {
          if (uri === 'sample://secret') throw new Error('not yours');
          return {};
        });
        return server;
      },
      onMount: (made) => {
        mount = made;
      },
    });
    const raw = await stream(url);
    const endpoint = await endpointOf(raw, url);
    const params = {
      protocolVersion: '2025-06-18',
      capabilities: {},
      clientInfo: { name: 'c', version: '1' },
    };
    await post(endpoint, { ...INITIALIZE, params });
    for (const [index, uri] of ['sample://secret', 'sample://about'].entries()) {
      const subscribe = { jsonrpc: '2.0', id: index + 1, method: 'resources/subscribe' };
      await post(endpoint, { ...subscribe, params: { uri } });
    }
    for (let answers = 0; answers < 3; answers++) await raw.nextOf('message');
    mount!.notify.resourceUpdated('sample://secret');
    mount!.notify.resourceUpdated('sample://about');
    expect(await raw.nextOf('message')).toContain('sample://about');
  });
});

it('answers what an application injects, be it answered at once or later', async () => {
  const app = fastify();
  open.push(() => app.close());
  const sample = createSample();
  await app.register(mcp, { create: () => sample.server, allowedHosts: ['localhost:80'] });
  const params = {
    protocolVersion: '2025-11-25',
    capabilities: {},
    clientInfo: { name: 'c', version: '1' },
  };
  const inject = (payload: object, headers = {}): Promise<LightMyRequestResponse> =>
    app.inject({ method: 'POST', url: '/mcp', headers: { ...ACCEPT, ...headers }, payload });
  const session = (await inject({ ...INITIALIZE, params })).headers['mcp-session-id'];
  const headers = { 'mcp-session-id': session };
  const later = inject(call(1, 'count', { to: 1 }), headers);
  // Its stream opens in the next turn of the event loop.
  await nextTurn();
  sample.release();
  expect((await later).body).toContain('"to":1');
});

it('tells clients the address that a trusted proxy has, which removes a prefix', async () => {
  const app = fastify({ trustProxy: '127.0.0.1' });
  await app.register(mcp, { create: () => createSample().server });
  const url = `${await listening(app)}/sse`;
  const forwarded = { 'x-forwarded-for': '10.0.0.9' };
  const endpoint = async (prefix: string, headers = forwarded): Promise<string> => {
    const raw = await stream(url, { ...headers, 'x-forwarded-prefix': prefix });
    return (await raw.nextOf('endpoint')).replace(/\?.*/, '');
  };
  expect(await endpoint('/tools/')).toBe('/tools/messages');
  expect(await endpoint('//evil.example')).toBe('/messages');
  expect(await endpoint('/tools', {} as never)).toBe('/messages');
});
