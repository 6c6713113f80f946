import { afterEach, describe, expect, it } from 'vitest';
import { createClient, type ClientOptions, type LongwireClient } from '@longwire/client';
import { apiKey, bearer, cache, tokenRefresh } from '@longwire/client/middleware';
import { expectNothingLeftOpen } from '../support/open-handles.ts';
import { until } from '../support/until.ts';
import { startUserServer, tokenOf, type UserServer } from './user-server.ts';

expectNothingLeftOpen();
const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const quick: ClientOptions = { retry: { firstDelayMs: 5, maxDelayMs: 50 } };

async function serve(options?: { toolEvents: boolean }): Promise<UserServer> {
  const server = await startUserServer(options);
  closers.push(() => server.close());
  return server;
}

function clientOf(url: string, options: ClientOptions = {}): LongwireClient {
  const client = createClient(url, { ...quick, ...options });
  closers.push(() => client.close());
  return client;
}

const said = (text: string): object => ({ content: [{ type: 'text', text }] });
const failureOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => 'no failure',
    (error: unknown) => error,
  );
const isHeld = { principals: { maxSessions: 1, idleMs: Infinity } };

const ways: [string, string, ClientOptions][] = [
  ['HTTP+SSE', '/sse', {}],
  ['Streamable HTTP', '/mcp', { protocol: '2025-11-25' }],
  ['2026-07-28', '/mcp', { protocol: '2026-07-28' }],
];

describe.each(ways)('client.as over %s', (_name, path, options) => {
  it('keeps users apart in all that a server gives', async () => {
    const server = await serve();
    const client = clientOf(`${server.origin}${path}`, options);
    const check = async (user: string): Promise<void> => {
      const view = client.as(user, { token: tokenOf(user) });
      const progress: unknown[] = [];
      expect(await view.callTool('who')).toMatchObject(said(user));
      expect((await view.listTools()).map(({ name }) => name)).toContain(`only-${user}`);
      expect((await view.listTools()).filter(({ name }) => name.startsWith('only'))).toHaveLength(
        1,
      );
      expect(await view.callTool('own')).toMatchObject({ structuredContent: { [user]: user } });
      expect(await view.readResource('user://mine')).toMatchObject({ contents: [{ text: user }] });
      await view.callTool('steps', {}, { onProgress: ({ message }) => progress.push(message) });
      expect(progress).toEqual([user]);
      expect(view.instructions).toBe(user);
      expect(view.name).toBe(`of ${user}`);
      expect(client.as(user).state.name).toBe('ready');
    };
    await Promise.all(['alice', 'bob', 'carol'].map(check));
    expect(client.state.name).toBe('idle');
    expect(server.crossed).toEqual([]);
    expect(new Set(server.users)).toEqual(new Set(['alice', 'bob', 'carol']));
  });

  it('takes the principal of one operation from its options', async () => {
    const server = await serve();
    const client = clientOf(`${server.origin}${path}`, options);
    const principal = { id: 'alice', token: tokenOf('alice') };
    expect(await client.callTool('who', {}, { principal })).toMatchObject(said('alice'));
    const { length } = await client.listTools({ principal: { id: 'alice' } });
    expect(length).toBeGreaterThan(0);
    const events = [];
    for await (const event of client.stream('steps', {}, { principal })) events.push(event.type);
    expect(events).toContain('progress');
    expect(events.at(-1)).toBe('result');
    expect(server.made.get('alice')).toBeGreaterThan(0);
    expect(new Set(server.users)).toEqual(new Set(['alice']));
  });

  it('sends what was given last, and the next call comes back from a token that expired', async () => {
    const server = await serve();
    const client = clientOf(`${server.origin}${path}`, options);
    const alice = client.as('alice', { token: tokenOf('alice', 1) });
    expect(await alice.callTool('who')).toMatchObject(said('alice'));
    server.expire('alice', 2);
    expect(await failureOf(alice.callTool('who'))).toMatchObject({ code: 'unauthorized' });
    client.as('alice', { token: tokenOf('alice', 2) });
    expect(await alice.callTool('who')).toMatchObject(said('alice'));
    expect(server.crossed).toEqual([]);
  });

  it('asks for a token again where the server refuses the one before', async () => {
    const server = await serve();
    const client = clientOf(`${server.origin}${path}`, options);
    let number = 1;
    const alice = client.as('alice', { token: async () => tokenOf('alice', number) });
    expect(await alice.callTool('note')).toMatchObject(said('alice'));
    const asked: number[] = [];
    const renewing = client.as('alice', {
      token: () => {
        asked.push(number);
        return tokenOf('alice', number++);
      },
    });
    server.expire('alice', 2);
    expect(await renewing.callTool('note')).toMatchObject(said('alice'));
    expect(asked.slice(0, 2)).toEqual([1, 2]);
  });

  it('renews the token of a principal once for all its calls, and is told whose it is', async () => {
    const server = await serve();
    const asked: string[] = [];
    const numbers = new Map([
      ['alice', 1],
      ['bob', 1],
    ]);
    const refresh = tokenRefresh({
      provider: async ({ principal = 'nobody', reason }) => {
        asked.push(`${principal} ${reason}`);
        await Promise.resolve();
        return tokenOf(principal, numbers.get(principal));
      },
    });
    const client = clientOf(`${server.origin}${path}`, { ...options, middleware: [refresh] });
    const all = (): Promise<unknown> =>
      Promise.all(
        ['alice', 'bob', 'alice', 'alice', 'bob'].map(async (user) =>
          expect(await client.as(user).callTool('who')).toMatchObject(said(user)),
        ),
      );
    await all();
    expect(asked.toSorted()).toEqual(['alice first', 'bob first']);
    server.expire('alice', 2);
    numbers.set('alice', 2);
    await all();
    expect(asked.slice(2)).toEqual(['alice refused']);
    expect(server.crossed).toEqual([]);
  });

  it('keeps results for the principal alone', async () => {
    const server = await serve();
    const kept = cache({ tools: { who: true } });
    const client = clientOf(`${server.origin}${path}`, { ...options, middleware: [kept] });
    for (const user of ['alice', 'bob', 'alice', 'bob']) {
      const view = client.as(user, { token: tokenOf(user) });
      expect(await view.callTool('who')).toMatchObject(said(user));
    }
    expect(kept.stats()).toMatchObject({ hits: 2, misses: 2 });
  });

  it('closes what is idle, and opens it again for the next call', async () => {
    const server = await serve();
    const principals = { idleMs: 1 };
    const client = clientOf(`${server.origin}${path}`, { ...options, principals });
    const alice = client.as('alice', { token: tokenOf('alice') });
    await alice.callTool('who');
    await until(() => expect(alice.state.name).toBe('idle'));
    expect(await client.as('alice').callTool('who')).toMatchObject(said('alice'));
    const stop = alice.on('notification', () => {});
    await alice.callTool('who');
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(alice.state.name).toBe('ready');
    stop();
    await until(() => expect(alice.state.name).toBe('idle'));
  });

  it('closes the one that was idle for longest when another needs a session', async () => {
    const server = await serve();
    const client = clientOf(`${server.origin}${path}`, {
      ...options,
      principals: { maxSessions: 2 },
    });
    const [alice, bob, carol] = ['alice', 'bob', 'carol'].map((user) =>
      client.as(user, { token: tokenOf(user) }),
    ) as [LongwireClient, LongwireClient, LongwireClient];
    await alice.callTool('who');
    await bob.callTool('who');
    await alice.callTool('who');
    await carol.callTool('who');
    const states = [alice, bob, carol].map(({ state }) => state.name);
    expect(states).toEqual(['ready', 'idle', 'ready']);
  });

  it('lets a call wait for a session within its limits, and says why it waited', async () => {
    const server = await serve();
    const client = clientOf(`${server.origin}${path}`, { ...options, ...isHeld });
    const bob = client.as('bob', { token: tokenOf('bob') });
    const stop = client.as('alice', { token: tokenOf('alice') }).on('notification', () => {});
    await client.as('alice').callTool('who');
    const late = await failureOf(bob.callTool('who', {}, { timeoutMs: 20 }));
    expect(late).toMatchObject({ code: 'timeout', certainty: 'not-sent' });
    expect((late as Error).message).toMatch(/1 principals have one.*principals\.maxSessions/);
    const waiting = [bob.callTool('who'), bob.callTool('note')];
    stop();
    expect(await Promise.all(waiting)).toMatchObject([said('bob'), said('bob')]);
    expect(client.as('alice').state.name).toBe('idle');
  });

  it('counts of the client all calls, of a view its own', async () => {
    const server = await serve();
    const client = clientOf(`${server.origin}${path}`, options);
    const [alice, bob] = ['alice', 'bob'].map((user) => client.as(user, { token: tokenOf(user) }));
    await alice?.callTool('who');
    await alice?.callTool('note');
    await bob?.callTool('who');
    const succeededOf = (each?: LongwireClient) => each?.stats().calls.succeeded;
    expect([client, alice, bob].map(succeededOf)).toEqual([3, 2, 1]);
    expect(client.stats().bytes.received).toBeGreaterThan(bob?.stats().bytes.received ?? Infinity);
    expect(client.stats().tools).toMatchObject({ who: { calls: 2 }, note: { calls: 1 } });
  });
});

describe('credentials', () => {
  const tokens = { headers: { authorization: 'Bearer service.1', 'x-app': 'shop' } };

  it.each<[string, ClientOptions]>([
    ['headers', tokens],
    ['a function', { headers: () => tokens.headers }],
    ['bearer', { middleware: [bearer('service.1')] }],
    ['a function of bearer', { middleware: [bearer(() => 'service.1')] }],
    [
      'a middleware of the program',
      {
        middleware: [
          (request, next) => {
            request.headers['authorization'] = 'Bearer service.1';
            return next();
          },
        ],
      },
    ],
    ['auth', { auth: { headers: () => ({ authorization: 'Bearer service.1' }) } }],
    ['tokenRefresh', { middleware: [tokenRefresh({ provider: () => 'service.1' })] }],
  ])(
    'of the client by %s speak for a principal without its own, and never beside its own',
    async (_name, options) => {
      const server = await serve();
      const client = clientOf(`${server.origin}/mcp`, options);
      expect(await client.as('bob').callTool('who')).toMatchObject(said('service'));
      server.users.length = 0;
      const view = client.as('alice', { token: tokenOf('alice') });
      expect(await view.callTool('who')).toMatchObject(said('alice'));
      expect(new Set(server.users)).toEqual(new Set(['alice']));
      expect(server.crossed).toEqual([]);
    },
  );

  it('of the client do not answer what a principal is asked', async () => {
    const server = await serve();
    const challenged: number[] = [];
    const client = clientOf(`${server.origin}/mcp`, {
      auth: {
        headers: () => ({ authorization: 'Bearer service.1' }),
        onChallenge: (status) => {
          challenged.push(status);
          return 'retry';
        },
      },
    });
    server.expire('alice', 2);
    const view = client.as('alice', { token: tokenOf('alice') });
    expect(await failureOf(view.callTool('who'))).toMatchObject({ code: 'unauthorized' });
    expect(challenged).toEqual([]);
    expect(new Set(server.users)).toEqual(new Set(['alice']));
  });

  it('that are a key keep the key of the client away, and what is no credential goes with all', async () => {
    const server = await serve();
    const client = clientOf(`${server.origin}/mcp`, {
      ...tokens,
      middleware: [apiKey('service-key')],
    });
    const view = client.as('alice', { headers: { authorization: 'Bearer alice.1' } });
    await view.callTool('who');
    expect(server.headers.length).toBeGreaterThan(1);
    expect(JSON.stringify(server.headers)).not.toContain('service');
    for (const headers of server.headers) expect(headers).toMatchObject({ 'x-app': 'shop' });
  });

  it('of one call do not reach the handshake, and the error says what does', async () => {
    const server = await serve();
    const client = clientOf(`${server.origin}/sse`);
    const headers = { authorization: `Bearer ${tokenOf('alice')}` };
    const failure = await failureOf(client.callTool('who', {}, { headers }));
    expect(failure).toMatchObject({ code: 'unauthorized', certainty: 'not-sent' });
    expect((failure as Error).message).toContain('client.as(principal, { headers })');
    expect(await client.as('alice', { headers }).callTool('who')).toMatchObject(said('alice'));
  });

  it('that were dropped are asked for again, and nobody else speaks for the principal', async () => {
    const server = await serve();
    const client = clientOf(`${server.origin}/mcp`, {
      ...tokens,
      principals: { maxSessions: 1, idleMs: 0 },
    });
    const alice = client.as('alice', { token: tokenOf('alice') });
    await alice.callTool('who');
    for (let n = 0; n < 20; n++) {
      await client.as(`u${n}`, { token: tokenOf(`u${n}`) }).callTool('who');
    }
    const failure = await failureOf(client.as('alice').callTool('who'));
    expect(failure).toMatchObject({ code: 'config', certainty: 'not-sent' });
    expect((failure as Error).message).toContain('client.as(principal, { token })');
    // The view that was made with them still has them.
    expect(await alice.callTool('who')).toMatchObject(said('alice'));
    expect(await client.as('alice').callTool('who')).toMatchObject(said('alice'));
  });
});

describe('what is refused', () => {
  it.each<[string, string, object]>([
    ['no name', '', {}],
    ['a name of spaces', '  ', {}],
    ['a name without an end', 'x'.repeat(2000), {}],
    ['two credentials', 'a', { token: 't', headers: { Authorization: 'x' } }],
    ['an empty token', 'a', { token: '' }],
    ['a header that HTTP does not allow', 'a', { headers: { 'x-a': 'a\nb' } }],
    ['what is no credential', 'a', { tokens: 't' }],
  ])('%s', async (_name, id, credentials) => {
    const client = clientOf('http://127.0.0.1:1/mcp');
    expect(() => client.as(id, credentials)).toThrowError(TypeError);
    expect(() => client.as(id, credentials)).toThrowError(/^(as|headers)[.:]/);
  });

  it('another principal through the view of one', async () => {
    const client = clientOf('http://127.0.0.1:1/mcp');
    const alice = client.as('alice');
    expect(() => alice.as('bob')).toThrowError(/the client as "alice"/);
    await expect(alice.callTool('x', {}, { principal: { id: 'bob' } })).rejects.toThrowError(
      TypeError,
    );
    expect(alice.as('alice').state.name).toBe('idle');
  });
});
