import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import Fastify from 'fastify';
import { describe, expect, it } from 'vitest';
import { until } from '../../../../test/support/until.ts';
import { createClient } from '../../src/index.ts';
import { healthHandler, type HealthHandler, type Readyz } from '../../src/group/index.ts';
import { createPool } from '../../src/pool/index.ts';
import { failureOf } from '../support/failure-of.ts';
import { quick } from '../support/recovery.ts';
import { groupsOfThisFile, latch, statusOf } from './support.ts';

const { serve, gateTo, closeLater, group: groupOf } = groupsOfThisFile();

const nowhere = 'http://127.0.0.1:9/sse?token=secret';

/** Asks as a framework of the Fetch standard would. */
async function ask(handle: HealthHandler, path: string): Promise<[number, Readyz]> {
  const response = handle(new Request(`http://pod${path}`));
  return [response.status, (await response.json()) as Readyz];
}

const isReady = { state: 'ready', required: true, ready: true };

describe('a health handler', () => {
  it.each([[{ params: {} }], [undefined], [null]])(
    'gives a Response where a framework passes %j beside the request',
    async (context) => {
      const handle = healthHandler(groupOf({ idle: { target: nowhere, lazy: true } }));
      const response = handle(new Request('http://pod/livez'), context);
      expect(await response.json()).toEqual({ status: 'ok' });
    },
  );

  it('is ready when every server that is required is ready', async () => {
    const gate = await gateTo(await serve());
    const group = groupOf({
      a: gate.url,
      idle: { target: nowhere, lazy: true },
      off: { target: nowhere, disabled: true },
    });
    const handle = healthHandler(group);
    await group.server('a').connect();
    expect(await ask(handle, '/readyz')).toEqual([
      200,
      {
        status: 'ok',
        servers: {
          a: isReady,
          idle: { state: 'idle', required: false, ready: true },
          off: { state: 'idle', required: false, ready: false },
        },
      },
    ]);

    gate.shut();
    await until(() => expect(statusOf(group, 'a').state).toBe('resting'));
    const [status, body] = await ask(handle, '/readyz');
    expect(status).toBe(503);
    expect(body).toMatchObject({
      status: 'not-ready',
      servers: { a: { state: 'resting', required: true, ready: false, error: 'connect-failed' } },
    });
    expect(await ask(handle, '/livez')).toEqual([200, { status: 'ok' }]);

    await gate.open();
    await group.reconnect('a');
    expect((await ask(handle, '/readyz'))[0]).toBe(200);
  });

  it('requires what the program says, and what is not there is not ready', async () => {
    const group = groupOf({ a: (await serve()).url, b: { target: nowhere, lazy: true } });
    await group.server('a').connect();
    const all = healthHandler(group, { required: ['a', 'b', 'c'] });
    expect(await ask(all, '/readyz')).toMatchObject([
      503,
      {
        status: 'not-ready',
        servers: {
          a: isReady,
          b: { state: 'idle', required: true, ready: true },
          c: { state: 'missing', required: true, ready: false },
        },
      },
    ]);
    await failureOf(group.callTool('b__echo'));
    const [, { servers }] = await ask(all, '/readyz');
    expect(servers['b']).toMatchObject({ state: 'resting', ready: false, error: 'connect-failed' });
    expect((await ask(healthHandler(group, { required: ['a'] }), '/readyz'))[0]).toBe(200);
    expect((await ask(healthHandler(group, { required: [] }), '/readyz'))[0]).toBe(200);
    expect(JSON.stringify(servers)).not.toMatch(/secret|127\.0\.0\.1/);
  });

  it('is not ready while a breaker is open, while it drains, and once it is closed', async () => {
    const held = latch();
    const server = await serve();
    const group = groupOf({ a: server.url }, { breaker: { failures: 1, openMs: 60_000 } });
    const handle = healthHandler(group);
    await group.listTools();
    server.mischief.failOn = 'tools/call';
    await failureOf(group.callTool('echo'));
    expect(await ask(handle, '/readyz')).toMatchObject([
      503,
      { status: 'not-ready', servers: { a: { state: 'ready', breaker: 'open', ready: false } } },
    ]);

    const other = groupOf({ a: (await serve({ holdPost: () => held.opened })).url });
    const ready = healthHandler(other);
    held.open();
    await other.listTools();
    const slow = latch();
    const listed = other.server('a');
    const call = failureOf(listed.callTool('hang', {}, { onProgress: () => slow.open() }));
    const closed = other.close({ drainMs: 60_000 });
    expect(await ask(ready, '/readyz')).toMatchObject([503, { status: 'closing' }]);
    expect((await ask(ready, '/livez'))[0]).toBe(200);
    await other.close();
    await closed;
    expect(await call).toMatchObject({ code: 'closed' });
    expect(await ask(ready, '/readyz')).toMatchObject([503, { status: 'closing' }]);
    await other.listTools();
    expect((await ask(ready, '/readyz'))[0]).toBe(200);
  });

  it('asks nothing, and does not wait for a server that hangs', async () => {
    const server = await serve();
    const gate = await gateTo(server);
    const client = closeLater(createClient(gate.url, { ...quick, name: 'one' }));
    const handle = healthHandler(client);
    expect(await ask(handle, '/readyz')).toMatchObject([
      200,
      { servers: { one: { state: 'idle' } } },
    ]);
    await client.connect();
    const requests = server.requests.length;
    gate.freeze();
    expect(await ask(handle, '/readyz')).toEqual([
      200,
      { status: 'ok', servers: { one: isReady } },
    ]);
    expect(server.requests).toHaveLength(requests);
    gate.shut();
    await until(() => expect(client.state.name).not.toBe('ready'));
    expect((await ask(handle, '/readyz'))[0]).toBe(503);
  });

  it('finds a server ready that connects for each call, whatever its tools do', async () => {
    const gate = await gateTo(await serve());
    const client = closeLater(createClient(gate.url, { ...quick, name: 'one', keepAlive: false }));
    const handle = healthHandler(client);
    await failureOf(client.callTool('no-such-tool'));
    await failureOf(client.callTool('hang', {}, { timeoutMs: 5 }));
    await until(() => expect(client.state.name).toBe('closed'));
    expect(await ask(handle, '/readyz')).toEqual([
      200,
      { status: 'ok', servers: { one: { state: 'closed', required: true, ready: true } } },
    ]);
    gate.shut();
    await failureOf(client.callTool('echo'));
    expect((await ask(handle, '/readyz'))[0]).toBe(503);
  });

  it('takes a pool, with its breaker', async () => {
    const pool = closeLater(createPool(nowhere, { name: 'many', breaker: { failures: 1 } }));
    const handle = healthHandler(pool);
    expect((await ask(handle, '/readyz'))[0]).toBe(200);
    await failureOf(pool.callTool('echo'));
    expect(await ask(handle, '/readyz')).toMatchObject([
      503,
      { servers: { many: { state: 'resting', ready: false, breaker: 'open' } } },
    ]);
  });

  it('refuses options that are wrong', () => {
    const group = groupOf({ a: nowhere });
    expect(() => healthHandler(group, { required: 'a' as never })).toThrow(
      new TypeError('required: not an array'),
    );
    expect(() => healthHandler(group, { requires: [] } as never)).toThrow(
      new TypeError('requires: no such option; there are required'),
    );
  });
});

describe('answers', () => {
  const paths = [
    ['GET', '/livez', 200],
    ['GET', '/healthz', 200],
    ['GET', '/readyz', 503],
    ['GET', '/internal/readyz/?verbose=1', 503],
    ['HEAD', '/readyz', 503],
    ['POST', '/readyz', 405],
    ['GET', '/', 404],
    ['GET', '/notreadyz', 404],
  ] as const;

  async function expectAnswers(origin: string): Promise<void> {
    for (const [method, path, status] of paths) {
      const response = await fetch(`${origin}${path}`, { method });
      expect([method, path, response.status]).toEqual([method, path, status]);
      expect(response.headers.get('cache-control')).toBe('no-store');
      expect(response.headers.get('content-type')).toBe('application/json; charset=utf-8');
      const text = await response.text();
      if (method === 'HEAD') expect(text).toBe('');
      else expect(JSON.parse(text)).toBeTypeOf('object');
      if (status === 405) expect(response.headers.get('allow')).toBe('GET, HEAD');
    }
  }

  it('node:http', async () => {
    const handle = healthHandler(groupOf({ a: nowhere }), { required: ['b'] });
    const server = createServer((request, response) => handle(request, response));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      await expectAnswers(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    } finally {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  });

  it('Fastify', async () => {
    const handle = healthHandler(groupOf({ a: nowhere }), { required: ['b'] });
    const app = Fastify({ forceCloseConnections: true });
    app.all('/*', (request, reply) => handle(request.raw, reply.hijack().raw));
    const origin = await app.listen({ port: 0, host: '127.0.0.1' });
    try {
      await expectAnswers(origin);
    } finally {
      await app.close();
    }
  });

  it('a Request', async () => {
    const handle = healthHandler(groupOf({ a: nowhere }), { required: ['b'] });
    for (const [method, path, status] of paths) {
      expect(handle(new Request(`http://readyz:80${path}`, { method })).status).toBe(status);
    }
  });
});
