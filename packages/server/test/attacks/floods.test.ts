import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { until } from '../../../../test/support/until.ts';
import { deferred } from '../fixture.ts';
import { ask } from './ask.ts';
import { attacked, bareSocket, sseSession, StreamableClient } from './attacked.ts';

/** As many as one address gets connections without a thought. */
const CROWD = 1_000;

describe('a crowd of connections', () => {
  it('that send their headers slowly is thrown out, and nobody waits for it', async () => {
    const server = await attacked(
      {},
      { http: { headersTimeout: 1_000, requestTimeout: 1_000, connectionsCheckingInterval: 100 } },
    );
    const sockets = Array.from({ length: CROWD }, () => bareSocket(server.port));
    let said = '';
    const closed = sockets.map(async (socket) => {
      socket.setEncoding('utf8').on('data', (text: string) => (said += text));
      await once(socket, 'close');
    });
    for (const [at, socket] of sockets.entries()) {
      socket.write(at % 2 === 0 ? 'GET /sse HT' : 'POST /mcp HTTP/1.1\r\nHost: localhost\r\nX-A');
    }
    await server.expectAlive();
    await Promise.all(closed);
    expect(said).toContain('HTTP/1.1 408 ');
    const thrownOut = server.lines.filter(({ msg }) => msg === 'client timeout');
    expect(thrownOut).toHaveLength(CROWD);
    await server.expectAlive();
  });
});

describe('a flood', () => {
  it('of calls in flight is refused above maxInFlight, and nobody else notices', async () => {
    const released = deferred();
    const server = await attacked(
      { maxInFlight: 10 },
      {
        extend: (mcp) => {
          mcp.registerTool('hold', {}, async () => {
            await released.promise;
            return { content: [{ type: 'text', text: 'held' }] };
          });
        },
      },
    );
    const client = await StreamableClient.open(server.origin, 'mallory');
    const calls = Array.from({ length: 50 }, async () => client.call('hold'));
    let refused = 0;
    for (const one of calls) {
      void one.then(({ status, headers }) => {
        if (status !== 429) return;
        expect(headers['retry-after']).toBe('1');
        refused += 1;
      });
    }
    await until(() => refused === 40);
    server.expectRefusalLogged(429, /maxInFlight/);
    await server.expectAlive();
    released.resolve();
    const answered = (await Promise.all(calls)).filter(({ status }) => status === 200);
    expect(answered).toHaveLength(10);
  });

  it('of calls is refused above its rate, with the time to come back', async () => {
    const server = await attacked({ rates: { perPrincipal: { max: 20, windowMs: 60_000 } } });
    const client = await StreamableClient.open(server.origin, 'mallory');
    const answers = await Promise.all(
      Array.from({ length: 100 }, async (_, at) => client.call('note', { text: String(at) })),
    );
    const refused = answers.filter(({ status }) => status === 429);
    expect(refused.length).toBeGreaterThanOrEqual(80);
    for (const { headers } of refused) {
      expect(Number(headers['retry-after'])).toBeGreaterThan(0);
    }
    expect(server.ran.length).toBe(100 - refused.length);
    server.expectRefusalLogged(429, /perPrincipal/);
    await server.expectAlive();
  });

  it('of sessions is refused above what one principal may have, and one that leaves makes room', async () => {
    const server = await attacked({ maxSessionsPerPrincipal: 3 });
    const { origin } = server;
    const sessions = [];
    for (let count = 0; count < 3; count++) {
      sessions.push(await StreamableClient.open(origin, 'mallory'));
    }
    await expect(StreamableClient.open(origin, 'mallory')).rejects.toThrow('429');
    const headers = { 'x-user': 'mallory' };
    const sse = await ask(`${origin}/sse`, { method: 'GET', headers });
    expect(sse.status).toBe(429);
    expect(Number(sse.headers['retry-after'])).toBeGreaterThan(0);
    server.expectRefusalLogged(429, /maxSessionsPerPrincipal/);
    await StreamableClient.open(origin, 'alice');
    await ask(`${origin}/mcp`, {
      method: 'DELETE',
      headers: { ...headers, 'mcp-session-id': sessions[0]!.id },
    });
    await StreamableClient.open(origin, 'mallory');
    await server.expectAlive();
  });
});

describe('a request', () => {
  it('that is replayed runs once, and every copy gets the first answer', async () => {
    const server = await attacked();
    const client = await StreamableClient.open(server.origin, 'alice');
    const answers = await Promise.all(
      Array.from({ length: 20 }, async () => client.call('note', { text: 'once' }, 'same')),
    );
    answers.push(await client.call('note', { text: 'once' }, 'same'));
    for (const { message } of answers) {
      expect(message).toMatchObject({ id: 'same', result: { content: [{ text: 'once' }] } });
    }
    expect(server.ran).toEqual(['once']);
    await server.expectAlive();
  });

  it('of an id in use with another body is refused; once that has ended it runs', async () => {
    const released = deferred();
    const begun = deferred();
    const server = await attacked(
      {},
      {
        extend: (mcp) => {
          mcp.registerTool('hold', {}, async () => {
            begun.resolve();
            await released.promise;
            return { content: [] };
          });
        },
      },
    );
    const client = await StreamableClient.open(server.origin, 'alice');
    const first = client.call('hold', {}, 'same');
    await begun.promise;
    const second = await client.call('note', { text: 'another' }, 'same');
    expect(second.message).toMatchObject({ error: { code: -32600 } });
    expect(server.ran).toEqual([]);
    server.expectRefusalLogged(400, /A request of this id is in flight/);
    released.resolve();
    await first;
    const third = await client.call('note', { text: 'another' }, 'same');
    expect(third.message).toMatchObject({ result: { content: [{ text: 'another' }] } });
    expect(server.ran).toEqual(['another']);
    await server.expectAlive();
  });

  it.each([
    ['an id that is very long', 'x'.repeat(100_000)],
    ['an id with ends of lines', 'a\r\ndata: b\n\nevent: c\ndata: {}\n\n'],
    ['an id with a null byte', 'a\u0000b'],
    ['an id of __proto__', '__proto__'],
    ['a fraction as its id', 1.5],
    ['a huge number as its id', 1e300],
  ])('with %s makes no event of its own', async (_what, id) => {
    const server = await attacked();
    const headers = { 'x-user': 'mallory' };
    const { raw, endpoint } = await sseSession(server.origin, 'mallory');
    const refused = await ask(endpoint, { body: { jsonrpc: '2.0', id, method: 'ping' }, headers });
    const body = { jsonrpc: '2.0', id: 'after', method: 'ping' };
    expect((await ask(endpoint, { body, headers })).status).toBe(202);
    const first = JSON.parse(await raw.nextOf('message')) as object;
    expect(first).toMatchObject({ id: refused.status === 202 ? id : 'after' });
    if (refused.status === 202) {
      expect(JSON.parse(await raw.nextOf('message'))).toMatchObject({ id: 'after' });
    }
    await server.expectAlive();
  });
});

describe('an event log', () => {
  it('that is pushed over its limit keeps within it, and the session goes on', async () => {
    const maxBytes = 100_000;
    const released = deferred();
    const begun = deferred();
    const server = await attacked(
      { eventLog: { maxBytes } },
      {
        extend: (mcp) => {
          mcp.registerTool('chatter', {}, async ({ mcpReq }) => {
            begun.resolve();
            await released.promise;
            for (let progress = 1; progress <= 1_000; progress++) {
              const params = { progressToken: 1, progress, message: 'x'.repeat(1_000) };
              await mcpReq.notify({ method: 'notifications/progress', params });
            }
            return { content: [{ type: 'text', text: 'said all' }] };
          });
        },
      },
    );
    const key = 'k'.repeat(43);
    const headers = { 'x-user': 'alice' };
    const first = await sseSession(server.origin, 'alice', { query: `?resume=${key}` });
    const params = { name: 'chatter', arguments: {}, _meta: { progressToken: 1 } };
    const body = { jsonrpc: '2.0', id: 'chatter', method: 'tools/call', params };
    await ask(first.endpoint, { body, headers });
    await begun.promise;
    first.raw.close();
    released.resolve();
    await until(() => server.lines.some(({ msg }) => /event log/.test(msg)));
    const again = await sseSession(server.origin, 'alice', { query: `?resume=${key}` });
    expect(again.id).toBe(first.id);
    // The answer is the newest, and so the last that goes.
    for (;;) {
      const message = JSON.parse(await again.raw.nextOf('message')) as { id?: string };
      if (message.id !== 'chatter') continue;
      expect(message).toMatchObject({ result: { content: [{ text: 'said all' }] } });
      break;
    }
    await server.expectAlive();
  });
});
