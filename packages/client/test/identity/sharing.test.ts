import { AsyncLocalStorage } from 'node:async_hooks';
import type { OAuthClientProvider } from '@modelcontextprotocol/client';
import { describe, expect, it } from 'vitest';
import { startModernServer } from '../../../../test/support/modern-server.ts';
import { oauth } from '../../src/auth/oauth.ts';
import { clientOptionsOf, parseConfig } from '../../src/config/index.ts';
import {
  connect,
  createClient,
  createTransport,
  type ClientOptions,
  type Middleware,
} from '../../src/index.ts';
import { createGroup } from '../../src/group/index.ts';
import { createPool } from '../../src/pool/index.ts';
import {
  apiKey,
  basic,
  bearer,
  builtIns,
  cache,
  logging,
  rateLimit,
  requestId,
  retry,
  timeout,
  tokenRefresh,
} from '../../src/middleware/index.ts';
import { ToolCatalog } from '../../src/tools/catalog.ts';
import { metrics } from '../../src/middleware/metrics.ts';
import { tracing } from '../../src/middleware/tracing.ts';
import { atTheEndOfEachTest, quick } from '../support/recovery.ts';
import { failureOf } from '../support/failure-of.ts';
import { startPrincipalServer, type PrincipalServer } from './principal-server.ts';

const { closeLater, client: clientOf } = atTheEndOfEachTest();
const user = new AsyncLocalStorage<string>();
const as = <T>(name: string, run: () => T): T => user.run(name, run);
const token = (): string => user.getStore() ?? 'nobody';

const serve = async (name = 'A'): Promise<PrincipalServer> =>
  closeLater(await startPrincipalServer(name));
const said = (text: string): unknown => ({ content: [{ type: 'text', text }] });
const all = { tools: { '*': true } };
const nowhere = 'http://127.0.0.1:1/mcp';
const logger = { debug() {}, info() {}, warn() {}, error() {} };
const unknown: Middleware = (_request, next) => next();

describe('a cache', () => {
  const credentials: [string, Middleware][] = [
    ['bearer', bearer('t')],
    ['bearer of a function', bearer(token)],
    ['apiKey', apiKey('k')],
    ['basic', basic('u', 'p')],
    ['tokenRefresh', tokenRefresh({ provider: () => 't' })],
    ['one of the program’s own', unknown],
    ['tracing, whose baggage may tell', tracing()],
    ['requestId, whose ids the program makes', requestId({ generate: () => 'id' })],
  ];

  it.each(credentials)(
    'refuses what may tell the server who asks behind it: %s',
    (_what, behind) => {
      const options: ClientOptions = { middleware: [metrics(), cache(), retry(), behind] };
      const refused =
        'middleware[3]: tells the server who the caller is, but middleware[1], a cache,';
      expect(() => createClient(nowhere, options)).toThrow(refused);
      expect(() => createTransport(nowhere, { middleware: options.middleware ?? [] })).toThrow(
        refused,
      );
      expect(() => createPool(nowhere, options)).toThrow(refused);
      expect(() => createGroup({ a: nowhere }, { shared: options })).toThrow(refused);
      expect(() => createGroup({ a: { target: nowhere, options } })).toThrow(refused);
      expect(() => createClient(nowhere, options)).toThrow(TypeError);
      expect(() =>
        createClient(nowhere, { middleware: [behind, cache({ key: token }), behind] }),
      ).not.toThrow();
    },
  );

  it('refuses headers of a function, which it cannot know', async () => {
    const headers = () => ({ authorization: token() });
    expect(() => createClient(nowhere, { headers, middleware: [cache()] })).toThrow(
      'headers: a function tells the server who the caller is, but middleware[0], a cache,',
    );
    const refused = await connect(nowhere, { headers, middleware: [cache()] }).catch(
      (error: unknown) => error,
    );
    expect(refused).toBeInstanceOf(TypeError);
    expect(() =>
      createClient(nowhere, { headers, middleware: [cache({ key: token })] }),
    ).not.toThrow();
    expect(() =>
      createClient(nowhere, { headers: { authorization: 'a' }, middleware: [cache()] }),
    ).not.toThrow();
  });

  it('takes what tells nothing of who asks', () => {
    const silent = [
      retry(),
      timeout({ defaultMs: 1 }),
      rateLimit({ perSecond: 1 }),
      logging(logger),
      metrics(),
      requestId(),
      cache(),
    ];
    expect(() => createClient(nowhere, { middleware: [cache(), ...silent] })).not.toThrow();
    const own: Middleware = Object.assign((...[, next]: Parameters<Middleware>) => next(), {
      addsNoIdentity: true,
    });
    expect(() => createClient(nowhere, { middleware: [cache(), own] })).not.toThrow();
  });

  it('is refused in a configuration by file, line and server', async () => {
    const configured = async (middleware: string): Promise<unknown> => {
      const text = `{ "servers": { "market": { "url": "${nowhere}", "middleware": ${middleware} } } }`;
      const [server] = parseConfig(text, { env: {} }).servers;
      return server && clientOptionsOf(server, builtIns());
    };
    await expect(configured('["cache", { "name": "bearer", "token": "t" }]')).rejects.toThrow(
      /longwire\.json:1: server "market": middleware\[1\]: .*put it before the cache/,
    );
    await expect(
      configured('[{ "name": "bearer", "token": "t" }, "cache"]'),
    ).resolves.toBeDefined();
  });

  it.each([
    ['bearer of a function', [bearer(token), cache(all)]],
    [
      'one of the program’s own',
      [
        ((request, next) => {
          request.headers['x-user'] = token();
          return next();
        }) satisfies Middleware,
        cache(all),
      ],
    ],
    [
      '_meta',
      [
        ((request, next) => {
          request.params = { ...request.params, _meta: { 'example.com/user': token() } };
          return next();
        }) satisfies Middleware,
        cache(all),
      ],
    ],
    [
      'a key of the program’s, with bearer behind it',
      [cache({ ...all, key: token }), bearer(token)],
    ],
  ])('gives nobody the result of another, told apart by %s', async (_how, middleware) => {
    const server = await serve();
    const client = clientOf(`${server.origin}/mcp`, { ...quick, middleware });
    await client.connect();
    const call = (): Promise<unknown> => client.callTool('read');
    const first = await Promise.all(['alice', 'bob'].map((name) => as(name, call)));
    const again = await Promise.all(['bob', 'alice'].map((name) => as(name, call)));
    expect(again).toEqual(first.toReversed());
    expect(server.calls).toHaveLength(2);
  });

  it('gives nobody the result of another, told apart by headers of a call', async () => {
    const server = await serve();
    const client = clientOf(`${server.origin}/mcp`, { ...quick, middleware: [cache(all)] });
    for (const name of ['alice', 'bob', 'alice']) {
      const headers = { authorization: name };
      expect(await client.callTool('read', {}, { headers })).toEqual(said(`A ${name}`));
    }
    expect(server.calls).toHaveLength(2);
  });

  it('fails a call for which the program’s key is none', async () => {
    const server = await serve();
    const key = () => user.getStore() as string;
    const client = clientOf(`${server.origin}/mcp`, {
      ...quick,
      middleware: [cache({ ...all, key })],
    });
    expect(await failureOf(client.callTool('read'))).toMatchObject({
      code: 'config',
      message: expect.stringContaining('cache.key gave undefined') as unknown,
    });
    expect(server.calls).toEqual([]);
  });

  it('refuses a key that is no function', () => {
    expect(() => cache({ key: 'me' as never })).toThrow('cache.key: not a function');
  });

  it('that several clients have answers each of them with its own server’s results', async () => {
    const [a, b] = [await serve('A'), await serve('B')];
    const kept = cache();
    const options: ClientOptions = { ...quick, middleware: [kept] };
    const clients = [a, b].map(({ origin }) => clientOf(`${origin}/mcp`, options));
    const group = createGroup({ a: `${a.origin}/mcp`, b: `${b.origin}/mcp` }, { shared: options });
    closeLater(group);
    for (const client of clients) await client.listTools();
    await group.listTools();
    for (let times = 0; times < 2; times++) {
      const results = await Promise.all([
        ...clients.map((client) => client.callTool('read')),
        group.callTool('a__read'),
        group.callTool('b__read'),
      ]);
      expect(results).toEqual(['A ', 'B ', 'A ', 'B '].map(said));
    }
    expect([a.calls.length, b.calls.length]).toEqual([2, 2]);
  });

  it('drops what one server’s tools had answered, and no other’s, when they change', async () => {
    const kept = cache(all);
    const [one, other] = [{}, {}];
    const send = (client: object): Promise<unknown> => {
      const request = {
        method: 'tools/call',
        params: { name: 'read', arguments: {} },
        headers: {},
        signal: new AbortController().signal,
        idempotent: false,
        internal: false,
        metadata: {},
        client,
        origin: undefined,
        server: 'market',
        trustHints: true,
        redact: (text: string) => text,
        abort: () => {},
      };
      return kept(request, async () => ({ result: {}, metadata: {} })).then(
        ({ metadata }) => metadata['cache'],
      );
    };
    expect([await send(one), await send(other)]).toEqual(['miss', 'miss']);
    kept.onToolsChanged?.(one);
    expect([await send(one), await send(other)]).toEqual(['miss', 'hit']);
  });

  it('is of all connections of a pool, which are to one server', async () => {
    const server = await serve();
    const pool = closeLater(
      createPool(`${server.origin}/mcp`, { ...quick, size: 3, middleware: [cache(all)] }),
    );
    await Promise.all(['1', '2', '3'].map((n) => pool.callTool('read', { n })));
    await Promise.all(['3', '2', '1', '1'].map((n) => pool.callTool('read', { n })));
    expect(server.calls).toHaveLength(3);
  });
});

describe('what a server said of its tools', () => {
  it('makes no call to another server a repeatable one', async () => {
    const again = retry({ firstDelayMs: 1, retryOn: () => true });
    const request = (client: object) => ({
      method: 'tools/call',
      params: { name: 'read' },
      headers: {},
      signal: new AbortController().signal,
      idempotent: false,
      internal: false,
      metadata: {},
      client,
      origin: undefined,
      server: 'market',
      trustHints: true,
      redact: (text: string) => text,
      abort: () => {},
    });
    const [a, b] = [new ToolCatalog(), new ToolCatalog()];
    a.learn(undefined, { tools: [{ name: 'read', annotations: { readOnlyHint: true } }] });
    const timesOf = async ({ client }: ToolCatalog): Promise<number> => {
      let times = 0;
      await again(request(client), async () => {
        times++;
        return { result: { isError: true }, metadata: {} };
      });
      return times;
    };
    expect([await timesOf(a), await timesOf(b)]).toEqual([3, 1]);
  });
});

describe('tokenRefresh', () => {
  it('sends the token of one origin to no other', async () => {
    const [a, b] = [await serve('A'), await serve('B')];
    const asked: unknown[] = [];
    const refresh = tokenRefresh({
      provider: ({ origin, reason }) => {
        asked.push([origin, reason]);
        return `for ${origin}`;
      },
    });
    const options: ClientOptions = { ...quick, middleware: [refresh] };
    for (const server of [a, b, a, b]) {
      const client = clientOf(`${server.origin}/mcp`, options);
      await client.callTool('read');
    }
    for (const server of [a, b]) {
      const principals = [...server.calls, ...server.others].map(({ principal }) => principal);
      expect(new Set(principals)).toEqual(new Set([`Bearer for ${server.origin}`]));
    }
    expect(asked).toEqual([
      [a.origin, 'first'],
      [b.origin, 'first'],
    ]);
  });
});

describe('oauth', () => {
  const providerOf = (seen: string[] = []): OAuthClientProvider => ({
    redirectUrl: 'http://127.0.0.1:9/callback',
    clientMetadata: { redirect_uris: [] },
    clientInformation: () => undefined,
    tokens: () => {
      seen.push(token());
      return { access_token: 'secret', token_type: 'Bearer' };
    },
    saveTokens: () => {},
    redirectToAuthorization: () => {},
    saveCodeVerifier: () => {},
    codeVerifier: () => '',
  });
  const refusal = (a: string, b: string): object => ({
    code: 'config',
    message: expect.stringContaining(`are for ${a}, and are never sent to ${b}`) as unknown,
  });

  it.each(['/mcp', '/sse'])('sends a token for one origin to no other (%s)', async (path) => {
    const [a, b] = [await serve('A'), await serve('B')];
    const login = oauth(providerOf(), { url: `${a.origin}${path}` });
    const stranger = clientOf(`${b.origin}${path}`, { ...quick, auth: login });
    expect(await failureOf(stranger.callTool('read'))).toMatchObject(refusal(a.origin, b.origin));
    expect([...b.calls, ...b.others]).toEqual([]);
    const client = clientOf(`${a.origin}${path}`, { ...quick, auth: login });
    expect(await client.callTool('read')).toEqual(said('A Bearer secret'));
  });

  it('is for the origin that it was used for first, where none is named', async () => {
    const [a, b] = [await serve('A'), await serve('B')];
    const provider = providerOf();
    const client = clientOf(`${a.origin}/mcp`, { ...quick, auth: oauth(provider) });
    expect(await client.callTool('read')).toEqual(said('A Bearer secret'));
    const other = clientOf(`${b.origin}/mcp`, { ...quick, auth: oauth(provider) });
    expect(await failureOf(other.callTool('read'))).toMatchObject(refusal(a.origin, b.origin));
    expect([...b.calls, ...b.others]).toEqual([]);
    expect(() => oauth(provider, { url: b.origin })).toThrow(TypeError);
  });

  it('answers no challenge of another origin', async () => {
    const login = oauth(providerOf(), { url: 'http://127.0.0.1:1/mcp' });
    const attempt = {
      method: 'POST',
      url: new URL('http://127.0.0.1:2/mcp'),
      transport: undefined,
      attempt: 1,
      internal: true,
    } as const;
    await expect(login.onChallenge(401, {}, attempt)).rejects.toThrow('never sent');
  });

  it('runs its provider where it was made, whoever calls', async () => {
    const server = await serve();
    const seen: string[] = [];
    const login = as('maker', () => oauth(providerOf(seen)));
    const client = clientOf(`${server.origin}/mcp`, { ...quick, auth: login });
    await Promise.all(['alice', 'bob'].map((name) => as(name, () => client.callTool('read'))));
    expect(new Set(seen)).toEqual(new Set(['maker']));
  });
});

describe('what was read', () => {
  it('is asked for again for everybody, whatever the SDK would keep', async () => {
    const server = closeLater(await startModernServer({ legacy: 'reject' }));
    let reads = 0;
    const counting: Middleware = async (request, next) => {
      const response = await next();
      if (request.method !== 'resources/read') return response;
      reads++;
      return { ...response, result: { ...response.result, ttlMs: 60_000, cacheScope: 'private' } };
    };
    const client = closeLater(await connect(server.url, { middleware: [counting] }));
    await as('alice', () => client.readResource('note:///1'));
    await as('bob', () => client.readResource('note:///1'));
    await as('carol', () => client.sdk.readResource({ uri: 'note:///1' }));
    expect(reads).toBe(3);
  });
});
