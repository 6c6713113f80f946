import { AsyncLocalStorage } from 'node:async_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import type { OAuthClientProvider } from '@modelcontextprotocol/client';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { oauth } from '../../src/auth/oauth.ts';
import {
  createClient,
  type ClientOptions,
  type Middleware,
  type ToolSource,
} from '../../src/index.ts';
import { createGroup } from '../../src/group/index.ts';
import { createPool } from '../../src/pool/index.ts';
import {
  bearer,
  cache,
  logging,
  rateLimit,
  requestId,
  retry,
  timeout,
  tokenRefresh,
} from '../../src/middleware/index.ts';
import { metrics } from '../../src/middleware/metrics.ts';
import { createFaultyProxy, type FaultyProxy } from '@longwire/testing';
import { startPrincipalServer, TOOLS, type PrincipalServer } from './principal-server.ts';

/** How many histories there are. */
const HISTORIES = 30;

const user = new AsyncLocalStorage<string>();
/** Whoever asks; `service` is the program itself, which makes clients. */
const who = (): string => user.getStore() ?? 'nobody';

/** By what the server is told who asks. */
const WAYS = [
  'headers-function',
  'bearer-function',
  'own-middleware',
  'headers-of-call',
  'token-refresh',
  'oauth',
] as const;
type Way = (typeof WAYS)[number];
/** Those by which all callers of a client are one, which is another for each origin. */
const BY_ORIGIN: ReadonlySet<Way> = new Set(['token-refresh', 'oauth']);

const AROUND = ['retry', 'timeout', 'logging', 'metrics', 'rateLimit', 'requestId'] as const;

type Step =
  | { do: 'call'; by: string; server: number; tool: number }
  | { do: 'settle' }
  | { do: 'outage'; server: number; ms: number }
  | { do: 'cut'; server: number }
  | { do: 'drop-sessions'; server: number }
  | { do: 'refuse'; server: number; status: number };

const server = fc.nat(1);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('call' as const),
      by: fc.constantFrom('alice', 'bob', 'carol'),
      server,
      tool: fc.nat(TOOLS.length - 1),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('settle' as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('outage' as const),
      server,
      ms: fc.integer({ min: 1, max: 20 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('cut' as const), server }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('drop-sessions' as const), server }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('refuse' as const),
      server,
      status: fc.constantFrom(401, 429, 503),
    }),
  },
);

const histories = fc.record({
  holder: fc.constantFrom('client', 'pool', 'group'),
  path: fc.constantFrom('/mcp', '/sse'),
  way: fc.constantFrom(...WAYS),
  /** The middlewares around, in an order; where the cache stands among them, and the credentials. */
  around: fc.shuffledSubarray([...AROUND]),
  cacheAt: fc.option(fc.nat(AROUND.length), { nil: undefined, freq: 4 }),
  keyed: fc.boolean(),
  credentialsAt: fc.nat(AROUND.length),
  steps: fc.array(step, { minLength: 4, maxLength: 30 }),
});
type History = typeof histories extends fc.Arbitrary<infer T> ? T : never;

const silent = { debug() {}, info() {}, warn() {}, error() {} };
const makers: Record<(typeof AROUND)[number], () => Middleware> = {
  retry: () => retry({ firstDelayMs: 1, maxDelayMs: 5 }),
  timeout: () => timeout({ defaultMs: 2000 }),
  logging: () => logging(silent),
  metrics: () => metrics(),
  rateLimit: () => rateLimit({ perSecond: 2000, burst: 3 }),
  requestId: () => requestId(),
};

/** Says of whom a call is, by what neither a server nor a cache takes for that. */
const claiming: Middleware = (request, next) => {
  if (!request.internal) {
    request.params = { ...request.params, _meta: { traceparent: who() } };
  }
  return next();
};

const own: Middleware = async (request, next) => {
  await delay(0);
  request.headers['authorization'] = `Bearer ${who()}`;
  return next();
};

function providerOf(secret: string): OAuthClientProvider {
  return {
    redirectUrl: 'http://127.0.0.1:9/callback',
    clientMetadata: { redirect_uris: [] },
    clientInformation: () => undefined,
    tokens: () => ({ access_token: secret, token_type: 'Bearer' }),
    saveTokens: () => {},
    redirectToAuthorization: () => {},
    saveCodeVerifier: () => {},
    codeVerifier: () => '',
  };
}

/** What the clients of both servers are made with: the very same objects. */
interface Made {
  options: ClientOptions;
  /** Whether a cache cannot know who asks. */
  isRefused: boolean;
}

function make(history: History): Made {
  const { way, around, keyed, cacheAt, credentialsAt } = history;
  const options: ClientOptions = {
    retry: { maxAttempts: 20, firstDelayMs: 1, maxDelayMs: 10, firstConnect: true },
  };
  const chain: Middleware[] = around.map((name) => makers[name]());
  const cached =
    cacheAt === undefined
      ? undefined
      : cache({ ttlMs: 60_000, tools: { '*': true }, ...(keyed && { key: who }) });
  if (cached !== undefined) chain.splice(Math.min(cacheAt ?? 0, chain.length), 0, cached);
  const credentials: Middleware | undefined =
    way === 'bearer-function'
      ? bearer(async () => {
          await delay(0);
          return who();
        })
      : way === 'own-middleware'
        ? own
        : way === 'token-refresh'
          ? tokenRefresh({ provider: ({ origin }) => `for ${origin}` })
          : undefined;
  if (credentials !== undefined) {
    chain.splice(Math.min(credentialsAt, chain.length), 0, credentials);
  }
  if (way === 'headers-function') {
    options.headers = async () => {
      await delay(0);
      return { authorization: `Bearer ${who()}` };
    };
  }
  const isBehind =
    cached !== undefined &&
    credentials !== undefined &&
    chain.indexOf(credentials) > chain.indexOf(cached);
  const isFunction = way === 'headers-function' || way === 'oauth';
  return {
    options: { ...options, middleware: [claiming, ...chain] },
    isRefused: cached !== undefined && !keyed && (isBehind || isFunction),
  };
}

/** Something to call the tools of two servers by. */
interface Holder {
  call: (server: number, tool: string) => Promise<unknown>;
  close: () => Promise<void>;
}

function hold(history: History, { options }: Made, urls: readonly string[]): Holder {
  const { way, holder } = history;
  const logins = urls.map((url) => oauth(providerOf(`for ${new URL(url).origin}`), { url }));
  const authOf = (index: number): Pick<ClientOptions, 'auth'> => {
    const auth = logins[index];
    return auth === undefined ? {} : { auth };
  };
  const optionsOf = (index: number): ClientOptions =>
    way === 'oauth' ? { ...options, ...authOf(index) } : options;
  const call = (source: ToolSource, tool: string): Promise<unknown> =>
    source.callTool(
      tool,
      {},
      {
        idempotent: true,
        timeoutMs: 5000,
        ...(way === 'headers-of-call' && { headers: { authorization: `Bearer ${who()}` } }),
      },
    );
  if (holder === 'group') {
    const targets = urls.map((target, index) => ({
      name: `s${index}`,
      target,
      ...(way === 'oauth' && { options: authOf(index) }),
    }));
    const group = createGroup(targets, { shared: options });
    return {
      call: (index, tool) => call(group, `s${index}__${tool}`),
      close: () => group.close(),
    };
  }
  const sources = urls.map((url, index) =>
    holder === 'pool'
      ? createPool(url, { ...optionsOf(index), size: 2 })
      : createClient(url, optionsOf(index)),
  );
  return {
    call: (index, tool) => {
      const source = sources[index];
      if (source === undefined) throw new Error('no such server');
      return call(source, tool);
    },
    close: async () => {
      await Promise.all(sources.map((source) => source.close()));
    },
  };
}

/** What a result says of who asked, and which server answered. */
function textOf(result: unknown): string {
  return String((result as { content: { text: string }[] }).content[0]?.text);
}

/** How much was compared, so that nothing passes because nothing happened. */
const seen = { results: 0, requests: 0, refused: 0 };

async function live(history: History): Promise<void> {
  const { way, path, steps } = history;
  const servers: PrincipalServer[] = [];
  const proxies: FaultyProxy[] = [];
  for (const name of ['A', 'B']) {
    const started = await startPrincipalServer(name);
    servers.push(started);
    proxies.push(await createFaultyProxy({ target: started.origin }));
  }
  let holder: Holder | undefined;
  try {
    const urls = proxies.map(({ origin }) => `${origin}${path}`);
    const expected = (by: string, index: number): string =>
      BY_ORIGIN.has(way) ? `Bearer for ${proxies[index]?.origin}` : `Bearer ${by}`;
    const made = user.run('service', () => make(history));
    try {
      holder = user.run('service', () => hold(history, made, urls));
    } catch (error) {
      if (!made.isRefused) throw error;
      expect(error).toBeInstanceOf(TypeError);
      seen.refused++;
      return;
    }
    expect(made.isRefused).toBe(false);
    const { call } = holder;
    let calls: Promise<void>[] = [];
    for (const one of steps) {
      const proxy = proxies['server' in one ? one.server : 0];
      const origin = servers['server' in one ? one.server : 0];
      switch (one.do) {
        case 'call':
          calls.push(
            user
              .run(one.by, () => call(one.server, TOOLS[one.tool] ?? ''))
              .then(
                (result) => {
                  seen.results++;
                  const name = 'AB'[one.server];
                  expect(textOf(result)).toBe(`${name} ${expected(one.by, one.server)}`);
                },
                // That a call fails while its server is away is no crossing.
                () => {},
              ),
          );
          break;
        case 'settle':
          await Promise.all(calls);
          calls = [];
          break;
        case 'outage':
          proxy?.refuse();
          proxy?.cutAll();
          void delay(one.ms).then(() => proxy?.resume());
          break;
        case 'cut':
          proxy?.cutAll();
          break;
        case 'drop-sessions':
          origin?.dropSessions();
          break;
        case 'refuse':
          origin?.refusals.push(one.status);
          break;
      }
      await delay(0);
    }
    await Promise.all(calls);
    await holder.close();
    holder = undefined;
    for (const [index, { calls: came, others }] of servers.entries()) {
      for (const { principal, claim } of came) {
        seen.requests++;
        expect(principal).toBe(expected(String(claim), index));
      }
      const ofNobody = BY_ORIGIN.has(way) ? [expected('', index)] : ['Bearer service', ''];
      // A cancellation is of a call, and so is a list that a call wants.
      const isFree = ({ what }: { what: string }): boolean =>
        what === 'notifications/cancelled' || what === 'tools/list';
      for (const other of others) {
        // Where an authorization server is looked for, nobody's token has any business.
        if (other.what === 'elsewhere') expect(other.principal).toBe('');
        else if (!isFree(other)) expect(ofNobody).toContain(other.principal);
      }
    }
  } finally {
    await holder?.close();
    await delay(25);
    for (const proxy of proxies) await proxy.close();
    for (const started of servers) await started.close();
  }
}

describe('whatever is around calls, and whatever fails', () => {
  it('no request and no result is of another principal, server or origin', async () => {
    const seed = Number(process.env['IDENTITY_SEED'] ?? Date.now() % 2 ** 31);
    console.log(`identity: IDENTITY_SEED=${seed}`);
    const results = await fc.check(fc.asyncProperty(histories, live), {
      seed,
      numRuns: HISTORIES,
    });
    expect(results.failed, fc.defaultReportMessage(results) ?? '').toBe(false);
    console.log(`identity: ${results.numRuns} histories, ${JSON.stringify(seen)}`);
    expect(seen.results).toBeGreaterThan(0);
    expect(seen.requests).toBeGreaterThan(0);
  }, 120_000);
});
