import { afterEach, describe, expect, it } from 'vitest';
import { McpServer } from '@modelcontextprotocol/server';
import type { ClientOptions, TargetOption } from '@longwire/client';
import { createGroup } from '@longwire/client/group';
import { tokenRefresh } from '@longwire/client/middleware';
import { createPool, type LongwirePool, type PoolOptions } from '@longwire/client/pool';
import { createFaultyProxy } from '@longwire/testing';
import { expectNothingLeftOpen } from '../support/open-handles.ts';
import { until } from '../support/until.ts';
import { startUserServer, tokenOf, type UserServer } from './user-server.ts';

expectNothingLeftOpen();
const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function serve(): Promise<UserServer> {
  const server = await startUserServer();
  closers.push(() => server.close());
  return server;
}

/** A server that can be cut off. */
async function behindProxy(): Promise<{
  server: UserServer;
  proxy: Awaited<ReturnType<typeof createFaultyProxy>>;
}> {
  const server = await serve();
  const proxy = await createFaultyProxy({ target: server.origin });
  closers.push(() => proxy.close());
  return { server, proxy };
}

function poolOf(target: TargetOption | TargetOption[], options: PoolOptions = {}): LongwirePool {
  const pool = createPool(target, { retry: { firstDelayMs: 5, maxDelayMs: 50 }, ...options });
  closers.push(() => pool.close());
  return pool;
}

const users = ['alice', 'bob', 'carol'];
const said = (text: string): object => ({ content: [{ type: 'text', text }] });
const failureOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => 'no failure',
    (error: unknown) => error,
  );

const ways: [string, string, ClientOptions][] = [
  ['HTTP+SSE', '/sse', {}],
  ['Streamable HTTP', '/mcp', { protocol: '2025-11-25' }],
  ['2026-07-28', '/mcp', { protocol: '2026-07-28' }],
];

describe.each(ways)('pool.as over %s', (_name, path, options) => {
  it('keeps users apart over two targets, in all that servers give', async () => {
    const servers = [await serve(), await serve()];
    const pool = poolOf(
      servers.map(({ origin }) => `${origin}${path}`),
      { ...options, size: 2 },
    );
    const check = async (user: string): Promise<void> => {
      const view = pool.as(user, { token: tokenOf(user) });
      const calls = Array.from({ length: 6 }, () => view.callTool('who'));
      for (const result of await Promise.all(calls)) expect(result).toMatchObject(said(user));
      const names = (await view.listTools()).map(({ name }) => name);
      expect(names.filter((name) => name.startsWith('only'))).toEqual([`only-${user}`]);
      expect(await view.callTool('own')).toMatchObject({ structuredContent: { [user]: user } });
      expect(await view.readResource('user://mine')).toMatchObject({ contents: [{ text: user }] });
      expect(view.status().targets).toMatchObject([{ idle: 1 }, { idle: 1 }]);
      expect(view.name).toBe(`of ${user}`);
      expect(view.stats().calls.succeeded).toBe(7);
      expect((await view.health()).status).toBe('healthy');
    };
    await Promise.all(users.map(check));
    expect(pool.state.name).toBe('idle');
    expect(pool.stats()).toMatchObject({ principals: 3, calls: { succeeded: 21, inFlight: 0 } });
    expect(pool.stats().bytes.received).toBeGreaterThan(0);
    for (const { crossed, users: seen } of servers) {
      expect(crossed).toEqual([]);
      expect(new Set(seen)).toEqual(new Set(users));
    }
  });

  it('takes the principal of one operation from its options', async () => {
    const server = await serve();
    const pool = poolOf(`${server.origin}${path}`, options);
    const principal = { id: 'alice', token: tokenOf('alice') };
    expect(await pool.callTool('who', {}, { principal })).toMatchObject(said('alice'));
    const names = (await pool.listTools({ principal: { id: 'alice' } })).map(({ name }) => name);
    expect(names).toContain('only-alice');
    expect(new Set(server.users)).toEqual(new Set(['alice']));
    const wrong = { principal: 'alice' } as never;
    await expect(pool.callTool('who', {}, wrong)).rejects.toThrowError(/^principal: /);
  });

  it('fails at once where credentials are refused, and ejects nothing', async () => {
    const servers = [await serve(), await serve()];
    const pool = poolOf(
      servers.map(({ origin }) => `${origin}${path}`),
      { ...options, breaker: { failures: 1 } },
    );
    const alice = pool.as('alice', { token: tokenOf('alice') });
    const bob = pool.as('bob', { token: tokenOf('bob') });
    for (const server of servers) server.expire('alice', 2);
    for (const whenAway of ['wait', 'fail'] as const) {
      const failure = await failureOf(alice.callTool('who', {}, { whenAway }));
      expect(failure).toMatchObject({ code: 'unauthorized' });
    }
    expect(pool.status()).toMatchObject({
      targets: [
        { ejectedMs: 0, failed: 0 },
        { ejectedMs: 0, failed: 0 },
      ],
      breaker: { state: 'closed' },
    });
    expect(await bob.callTool('who')).toMatchObject(said('bob'));
    pool.as('alice', { token: tokenOf('alice', 2) });
    expect(await alice.callTool('who', {}, { whenAway: 'fail' })).toMatchObject(said('alice'));
  });

  it('serves principals where the pool itself is refused', async () => {
    const servers = [await serve(), await serve()];
    const pool = poolOf(
      servers.map(({ origin }) => `${origin}${path}`),
      { ...options, ejectMs: 60_000 },
    );
    expect(await failureOf(pool.callTool('who'))).toMatchObject({ code: 'unauthorized' });
    expect(pool.status().targets[1]?.ejectedMs).toBeGreaterThan(0);
    const alice = pool.as('alice', { token: tokenOf('alice') });
    expect(alice.status().targets).toMatchObject([{ ejectedMs: 0 }, { ejectedMs: 0 }]);
    expect(await alice.callTool('who', {}, { whenAway: 'fail' })).toMatchObject(said('alice'));
    await alice.callTool('who');
    expect(pool.status().targets.every(({ ejectedMs }) => ejectedMs > 0)).toBe(true);
  });

  it('renews the token of a principal once for all its connections', async () => {
    const server = await serve();
    const asked: string[] = [];
    const refresh = tokenRefresh({
      provider: async ({ principal = 'nobody', reason }) => {
        asked.push(`${principal} ${reason}`);
        await Promise.resolve();
        return tokenOf(principal);
      },
    });
    const pool = poolOf(`${server.origin}${path}`, { ...options, middleware: [refresh] });
    const calls = ['alice', 'bob', 'alice', 'alice'].map(async (user) =>
      expect(await pool.as(user).callTool('who')).toMatchObject(said(user)),
    );
    await Promise.all(calls);
    expect(asked.toSorted()).toEqual(['alice first', 'bob first']);
    expect(server.crossed).toEqual([]);
  });

  it('goes to another target for all principals when one dies', async () => {
    const [one, two] = [await behindProxy(), await behindProxy()];
    const pool = poolOf(
      [one, two].map(({ proxy }) => `${proxy.origin}${path}`),
      { ...options, size: 2, ejectMs: 60_000 },
    );
    const views = users.map((user) => pool.as(user, { token: tokenOf(user) }));
    const all = (): Promise<unknown> =>
      Promise.all(
        views.flatMap((view, i) =>
          [1, 2].map(async () =>
            expect(await view.callTool('who')).toMatchObject(said(users[i] ?? '')),
          ),
        ),
      );
    await all();
    await one.proxy.close();
    one.proxy.cutAll();
    await all();
    await until(() => expect(pool.status().targets[0]?.ejectedMs).toBeGreaterThan(0));
    for (const view of views) expect(view.status().targets[0]?.ejectedMs).toBeGreaterThan(0);
    // A principal that comes now does not try it.
    const { failed } = pool.status().targets[0] ?? {};
    expect(await pool.as('dave', { token: tokenOf('dave') }).callTool('who')).toMatchObject(
      said('dave'),
    );
    expect(pool.status().targets[0]?.failed).toBe(failed);
    expect([...one.server.crossed, ...two.server.crossed]).toEqual([]);
  });
});

describe('pool.as', () => {
  it('lets calls of principals finish when the pool drains, and takes no more', async () => {
    const server = await serve();
    const pool = poolOf(`${server.origin}/sse`, { size: 1 });
    const calls = users.flatMap((user) => {
      const view = pool.as(user, { token: tokenOf(user) });
      return [view.callTool('who'), view.callTool('note'), view.callTool('who')];
    });
    const cut: string[] = [];
    const closed = pool.close({ drainMs: 30_000, onCut: ({ what }) => cut.push(what) });
    const late = pool.as('alice').callTool('who');
    await expect(late).rejects.toMatchObject({ code: 'closed', certainty: 'not-sent' });
    expect(pool.as('alice').isClosing).toBe(true);
    await Promise.all(calls);
    await closed;
    expect(cut).toEqual([]);
    expect(pool.stats().principals).toBe(0);
    expect(await pool.as('alice').callTool('who')).toMatchObject(said('alice'));
  });

  it('says which calls of a principal were cut', async () => {
    const server = await serve();
    const pool = poolOf(`${server.origin}/sse`, { size: 1 });
    const alice = pool.as('alice', { token: tokenOf('alice') });
    const bob = pool.as('bob', { token: tokenOf('bob') });
    await bob.callTool('who');
    const calls = Promise.allSettled([alice.callTool('note'), alice.callTool('who')]);
    const cut: string[] = [];
    await alice.close({ onCut: ({ what }) => cut.push(what) });
    for (const call of await calls) {
      expect(call).toMatchObject({ status: 'rejected', reason: { code: 'closed' } });
    }
    expect(cut.toSorted()).toEqual(['the call of note', 'the call of who']);
    expect(alice.state.name).toBe('idle');
    expect(bob.state.name).toBe('ready');
  });

  it('closes the connections of a principal that is idle, and opens them again', async () => {
    const server = await serve();
    const pool = poolOf(`${server.origin}/sse`, { principals: { idleMs: 1 } });
    const view = pool.as('alice', { token: tokenOf('alice') });
    await view.callTool('who');
    await until(() => expect(pool.stats().principals).toBe(0));
    expect(view.state.name).toBe('idle');
    expect(view.status()).toMatchObject({ waiting: 0, targets: [{ busy: 0, idle: 0 }] });
    expect((await view.health()).status).toBe('down');
    expect(await view.callTool('who')).toMatchObject(said('alice'));
    expect(pool.stats().calls.succeeded).toBe(2);
  });

  it('gives connections to one principal after the other where only one may have some', async () => {
    const server = await serve();
    const pool = poolOf(`${server.origin}/mcp`, { principals: { maxSessions: 1 } });
    const results = await Promise.all(
      [...users, ...users].map((user) => pool.as(user, { token: tokenOf(user) }).callTool('who')),
    );
    expect(results).toMatchObject([...users, ...users].map(said));
    expect(pool.stats().principals).toBe(1);
  });

  it('opens the breaker for all principals', async () => {
    const { proxy } = await behindProxy();
    await proxy.close();
    const pool = poolOf(`${proxy.origin}/mcp`, {
      transport: 'streamable-http',
      breaker: { failures: 2, openMs: 60_000 },
    });
    const [alice, bob] = users.map((user) => pool.as(user, { token: tokenOf(user) }));
    const seen: unknown[] = [];
    const stop = bob?.on('breaker', ({ state }) => seen.push(state));
    for (let i = 0; i < 2; i++) {
      expect(await failureOf(alice?.callTool('who') as never)).toMatchObject({
        code: 'connect-failed',
      });
    }
    stop?.();
    expect(seen).toEqual(['open']);
    expect(bob?.status().breaker?.state).toBe('open');
    expect(await failureOf(bob?.callTool('who') as never)).toMatchObject({
      code: 'connection-lost',
      certainty: 'not-sent',
    });
  });

  it('tells of the connections of the principal alone', async () => {
    const server = await serve();
    const pool = poolOf(`${server.origin}/sse`);
    const alice = pool.as('alice', { token: tokenOf('alice') });
    const bob = pool.as('bob', { token: tokenOf('bob') });
    const seen: string[] = [];
    const stop = alice.on('progress', ({ message }) => seen.push(String(message)));
    const onProgress = (): void => {};
    await bob.callTool('steps', {}, { onProgress });
    const ready = alice.once('state');
    await alice.callTool('steps', {}, { onProgress });
    await ready;
    expect(seen).toEqual(['alice']);
    stop();
    expect(() => alice.as('bob')).toThrowError(/as "alice"/);
  });

  it('makes a pool a member of a group that knows principals', async () => {
    const servers = [await serve(), await serve()];
    const pool = poolOf(servers.map(({ origin }) => `${origin}/mcp`));
    const group = createGroup({ many: pool, one: `${servers[0]?.origin}/sse` }, { lazy: true });
    closers.push(() => group.close());
    await Promise.all(
      users.map(async (user) => {
        const view = group.as(user, { token: tokenOf(user) });
        expect(await view.callTool('many__who')).toMatchObject(said(user));
        expect(await view.callTool('one__who')).toMatchObject(said(user));
      }),
    );
  });

  it('makes a server in this process for each principal, which has no credentials', async () => {
    let made = 0;
    const target = {
      server: () => {
        const number = ++made;
        const server = new McpServer({ name: 'near', version: '1.0.0' });
        server.registerTool('number', {}, () => said(String(number)) as never);
        return server;
      },
    };
    const pool = poolOf(target, { size: 1 });
    const results = await Promise.all(users.map((user) => pool.as(user).callTool('number')));
    expect(new Set(results.map((result) => JSON.stringify(result))).size).toBe(3);
    expect(() => pool.as('alice', { token: 'x' })).toThrowError(/not reached by HTTP/);
    const group = createGroup({ near: pool }, { lazy: true });
    closers.push(() => group.close());
    const view = group.as('alice', { token: tokenOf('alice') });
    expect(await view.callTool('number')).toMatchObject(results[0] as object);
  });
});
