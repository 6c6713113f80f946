import { AsyncLocalStorage } from 'node:async_hooks';
import { request as httpRequest } from 'node:http';
import { inspect } from 'node:util';
import { afterEach, describe, expect, it } from 'vitest';
import { startHttpFixture, type HttpFixture } from '../../../../test/support/http-fixture.ts';
import { startSmallServer, type HttpHabits } from '../../../../test/support/small-server.ts';
import {
  startStreamable,
  type StreamableServer,
} from '../../../../test/support/streamable-fixture.ts';
import { until } from '../../../../test/support/until.ts';
import { CookieJar } from '../../src/http/cookies.ts';
import { parseConfig } from '../../src/config/index.ts';
import { connect, createClient, type ClientOptions, type LongwireClient } from '../../src/index.ts';
import { failureOf } from '../support/failure-of.ts';

const open: AsyncDisposable[] = [];
afterEach(async () => {
  for (const thing of open.splice(0).toReversed()) await thing[Symbol.asyncDispose]();
});

async function later<T extends AsyncDisposable>(thing: Promise<T>): Promise<T> {
  const made = await thing;
  open.push(made);
  return made;
}

const client = (url: string, options?: ClientOptions): Promise<LongwireClient> =>
  later(connect(url, options));

/**
 * A load balancer as AWS, Azure and nginx have them: who comes without its cookie goes to the next
 * server, in turn, and is told by the cookie which it was.
 */
async function balance(origins: readonly string[]): Promise<HttpFixture> {
  let turn = 0;
  return later(
    startHttpFixture((incoming, response) => {
      const named = /AFFINITY=node-(\d+)/.exec(incoming.headers.cookie ?? '')?.[1];
      const at = named === undefined ? turn++ % origins.length : Number(named);
      const { method, headers, body } = incoming;
      const outgoing = httpRequest(
        new URL(incoming.url, origins[at]),
        { method, headers },
        (answer) => {
          const cookie = `AFFINITY=node-${at}; Path=/; Max-Age=604800; HttpOnly`;
          response.writeHead(answer.statusCode ?? 500, { ...answer.headers, 'set-cookie': cookie });
          response.flushHeaders();
          answer.pipe(response);
        },
      );
      outgoing.on('error', () => response.destroy());
      response.on('close', () => outgoing.destroy());
      outgoing.end(body);
    }),
  );
}

const streamable = (): Promise<StreamableServer> => later(startStreamable({}));
const origin = ({ url }: { url: string }): string => new URL(url).origin;

describe('a session behind a load balancer with affinity', () => {
  it('keeps its server over Streamable HTTP', async () => {
    const nodes = [await streamable(), await streamable()];
    const balancer = await balance(nodes.map(origin));
    const to = await client(`${balancer.origin}/mcp`);
    for (let call = 0; call < 5; call++) await to.listTools();
    const opened = nodes.map((node) => node.openedSessions());
    expect(Math.min(...opened)).toBe(0);
    expect(Math.max(...opened)).toBe(1);
  });

  it('keeps its server over HTTP+SSE, also when its stream is opened again', async () => {
    const nodes = [await later(startSmallServer()), await later(startSmallServer())];
    const balancer = await balance(nodes.map((node) => node.origin));
    const to = await client(`${balancer.origin}/sse`, { retry: { firstDelayMs: 5 } });
    for (let call = 0; call < 3; call++) await to.callTool('echo');
    balancer.dropConnections();
    await until(() => to.state.name !== 'ready');
    await until(() => to.state.name === 'ready');
    for (let call = 0; call < 3; call++) await to.callTool('echo');
    const asked = nodes.map(({ requests }) => requests.length);
    expect(Math.min(...asked)).toBe(0);
  });

  it('breaks with `cookies: false`', async () => {
    const nodes = [await streamable(), await streamable()];
    const balancer = await balance(nodes.map(origin));
    const retry = { maxAttempts: 0 };
    const to = createClient(`${balancer.origin}/mcp`, { cookies: false, retry });
    open.push(to);
    await failureOf(to.listTools());
    expect(balancer.requests.some(({ headers }) => headers.cookie !== undefined)).toBe(false);
  });

  it('can be set in a configuration file', async () => {
    const one = { url: 'http://127.0.0.1:1/mcp', cookies: false };
    const { servers } = parseConfig(JSON.stringify({ servers: { one } }));
    expect(servers[0]?.options.cookies).toBe(false);
  });
});

/** A server that gives everybody a cookie, by whom they say they are. */
const gives = (more: Partial<HttpHabits> = {}): Promise<HttpFixture> =>
  later(
    startSmallServer({
      ...more,
      before: (request, response) => {
        const who = String(request.headers['authorization'] ?? 'nobody').replace('Bearer ', '');
        response.setHeader('set-cookie', `sid=cookie-of-${who}`);
        return more.before?.(request, response) ?? false;
      },
    }),
  );

const cookiesOf = ({ requests }: HttpFixture): (string | undefined)[] =>
  requests.filter(({ body }) => body.includes('tools/call')).map(({ headers }) => headers.cookie);

describe('a cookie', () => {
  it('from the response to one user’s call is sent with no call', async () => {
    const server = await gives();
    const to = await client(`${server.origin}/mcp`);
    for (const user of ['ann', 'bob', 'ann']) {
      await to.callTool('echo', {}, { headers: { authorization: `Bearer ${user}` } });
    }
    await to.callTool('echo');
    expect(new Set(cookiesOf(server))).toEqual(new Set(['sid=cookie-of-nobody']));
  });

  it('belongs to no user where a function gives the headers', async () => {
    const server = await gives();
    const users = new AsyncLocalStorage<string>();
    const to = await client(`${server.origin}/mcp`, {
      headers: () => ({ authorization: `Bearer ${users.getStore() ?? 'program'}` }),
    });
    for (const user of ['ann', 'bob']) await users.run(user, () => to.callTool('echo'));
    expect(new Set(cookiesOf(server))).toEqual(new Set(['sid=cookie-of-program']));
  });

  it('is renewed by the response to a call without headers of its own', async () => {
    let turn = 0;
    const server = await later(
      startSmallServer({
        before: (_request, response) => {
          response.setHeader('set-cookie', `turn=number-${++turn}`);
          return false;
        },
      }),
    );
    const to = await client(`${server.origin}/mcp`, { headers: { authorization: 'Bearer t' } });
    for (let call = 0; call < 3; call++) await to.callTool('echo');
    expect(new Set(cookiesOf(server)).size).toBe(3);
  });

  it('is not added to a Cookie header of the program', async () => {
    const server = await gives();
    const to = await client(`${server.origin}/mcp`, { headers: { Cookie: 'mine=1' } });
    await to.callTool('echo');
    await to.callTool('echo', {}, { headers: { cookie: 'other=2' } });
    expect(cookiesOf(server)).toEqual(['mine=1', 'other=2']);
  });

  it('belongs to one client alone', async () => {
    const server = await gives();
    await client(`${server.origin}/mcp`);
    await client(`${server.origin}/mcp`);
    const asked = server.requests.filter(({ body }) => body.includes('"initialize"'));
    expect(asked.map(({ headers }) => headers.cookie)).toEqual(['sid=cookie-of-nobody', undefined]);
  });

  it('is not shown in an error', async () => {
    const server = await gives({
      before: ({ body, headers }, response) => {
        if (!body.includes('tools/call')) return false;
        response.writeHead(500).end(`you sent ${headers.cookie}`);
        return true;
      },
    });
    const to = await client(`${server.origin}/mcp`, { retry: { maxAttempts: 0 } });
    const error = await failureOf(to.callTool('echo'));
    expect(error.message).toContain('you sent');
    expect(inspect(error)).not.toContain('cookie-of-nobody');
  });

  it('is an option that is checked', () => {
    const wrong = { cookies: 'no' } as unknown as ClientOptions;
    expect(() => createClient('http://127.0.0.1:1/mcp', wrong)).toThrowError(/cookies: neither/);
  });
});

describe('a jar', () => {
  const at = (path: string, base = 'https://a.example'): URL => new URL(path, base);

  it.each([
    ['a=1', '/mcp', 'a=1'],
    ['a=1; Path=/', '/x/y', 'a=1'],
    ['a=1', '/other', 'a=1'],
    ['a=1; Path=/mcp', '/mcp', 'a=1'],
    ['a=1; Path=/mcp', '/mcp/below', 'a=1'],
    ['a=1; Path=/mcp', '/mcpx', undefined],
    ['a=1; Path=/mcp/', '/mcp', undefined],
    ['a=1; Path=elsewhere', '/mcp', 'a=1'],
    ['a=1; Domain=b.example', '/mcp', 'a=1'],
    ['a=1; Secure; HttpOnly; SameSite=Strict', '/mcp', 'a=1'],
    ['a=1; Max-Age=10', '/mcp', 'a=1'],
    ['a=1; Max-Age=0', '/mcp', undefined],
    ['a=1; Max-Age=-5', '/mcp', undefined],
    ['a=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT', '/mcp', undefined],
    ['a=1; Expires=Thu, 01 Jan 2099 00:00:00 GMT', '/mcp', 'a=1'],
    ['a=1; Max-Age=10; Expires=Thu, 01 Jan 1970 00:00:00 GMT', '/mcp', 'a=1'],
    ['a=1; Expires=soon', '/mcp', 'a=1'],
    ['a="1=2"', '/mcp', 'a="1=2"'],
    ['a=', '/mcp', 'a='],
    ['nothing', '/mcp', undefined],
    ['=1', '/mcp', undefined],
    [`a=${'x'.repeat(5000)}`, '/mcp', undefined],
    ['', '/mcp', undefined],
  ])('that was given %j sends to %s: %s', (setCookie, path, expected) => {
    const jar = new CookieJar(() => Date.UTC(2026, 0, 1));
    jar.take(at('/mcp'), setCookie);
    expect(jar.headerFor(at(path))).toBe(expected);
  });

  it('sends cookies to the same origin alone', () => {
    const jar = new CookieJar();
    jar.take(at('/'), ['a=1; Domain=.example', 'b=2']);
    expect(jar.headerFor(at('/'))).toBe('a=1; b=2');
    for (const other of [
      'http://a.example',
      'https://a.example:444',
      'https://b.a.example',
      'https://example',
    ]) {
      expect(jar.headerFor(at('/', other))).toBeUndefined();
    }
  });

  it('takes no secure cookie over plain http', () => {
    const jar = new CookieJar();
    jar.take(at('/', 'http://a.example'), ['a=1; Secure', 'b=2']);
    expect(jar.headerFor(at('/', 'http://a.example'))).toBe('b=2');
  });

  it('drops cookies that have expired or are replaced', () => {
    let now = 0;
    const jar = new CookieJar(() => now);
    jar.take(at('/'), ['a=1; Max-Age=10', 'b=1']);
    jar.take(at('/'), 'b=2');
    expect(jar.headerFor(at('/'))).toBe('a=1; b=2');
    now = 10_000;
    expect(jar.headerFor(at('/'))).toBe('b=2');
    jar.take(at('/'), 'b=; Max-Age=0');
    expect(jar.headerFor(at('/'))).toBeUndefined();
    expect(jar.isEmpty).toBe(true);
  });

  it('keeps to its limits, and drops the oldest cookies', () => {
    const jar = new CookieJar();
    jar.take(
      at('/'),
      Array.from({ length: 1000 }, (_, index) => `c${index}=1`),
    );
    expect(jar.headerFor(at('/'))?.split('; ')).toHaveLength(50);
    expect(jar.headerFor(at('/'))).toContain('c999=1');
    jar.take(
      at('/'),
      Array.from({ length: 10 }, (_, index) => `big${index}=${'x'.repeat(2000)}`),
    );
    expect(jar.headerFor(at('/'))?.length).toBeLessThan(8400);
    expect(jar.headerFor(at('/'))).toContain('big9=');
  });
});
