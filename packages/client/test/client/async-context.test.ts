import { AsyncLocalStorage } from 'node:async_hooks';
import { McpServer } from '@modelcontextprotocol/server';
import { afterEach, describe, expect, it } from 'vitest';
import { startHostileSse, type HostileSseServer } from '../../../../test/support/hostile-sse.ts';
import type { RecordedRequest } from '../../../../test/support/http-fixture.ts';
import {
  startStreamable,
  type StreamableMischief,
  type StreamableServer,
} from '../../../../test/support/streamable-fixture.ts';
import type { RpcMessage } from '../../../../test/support/strict-mcp-session.ts';
import { until } from '../../../../test/support/until.ts';
import {
  createClient,
  type OutgoingRequest,
  type ClientOptions,
  type Middleware,
  type ToolSource,
} from '../../src/index.ts';
import { createGroup } from '../../src/group/index.ts';
import { createPool } from '../../src/pool/index.ts';
import { bearer, tokenRefresh } from '../../src/middleware/index.ts';
import { atTheEndOfEachTest, quick } from '../support/recovery.ts';

const { closeLater, gateTo, client: clientOf } = atTheEndOfEachTest();

/** Who a request is made for, as a web server keeps it. `undefined`: nobody. */
const user = new AsyncLocalStorage<string>();
const who = (): string => user.getStore() ?? 'nobody';
const as = <T>(name: string, run: () => T): T => user.run(name, run);
const users = Array.from({ length: 20 }, (_, index) => `user-${index}`);

afterEach(() => {
  expect(who()).toBe('nobody');
});

const headers = (): Record<string, string> => ({ 'x-user': who() });

/** A server of each kind whose every message has a POST. */
const kinds = {
  sse: (mischief: object): Promise<HostileSseServer> => startHostileSse(mischief),
  streamable: (mischief: object): Promise<StreamableServer> => startStreamable(mischief),
  modern: (mischief: object): Promise<StreamableServer> =>
    startStreamable({ ...mischief, era: 'modern' }),
};

type Recorder = Pick<StreamableServer, 'url' | 'requests'>;

/** In whose name each message of a method came, beside what it says of itself. */
function sent(server: Recorder, method: string): { message: RpcMessage; by: unknown }[] {
  return server.requests
    .map((request) => ({ message: request.json as RpcMessage, by: request.headers['x-user'] }))
    .filter(({ message }) => message?.method === method);
}

/** What a call of `echo` says of whom it is. */
const claimOf = ({ params }: RpcMessage): string | undefined =>
  (params?.['arguments'] as { message?: string } | undefined)?.message;

/** In whose name the calls of `echo` came, by whom they say that they are of. */
function callers(server: Recorder): (readonly [unknown, unknown])[] {
  return sent(server, 'tools/call').map(({ message, by }) => [claimOf(message), by]);
}

const byText = (a: unknown, b: unknown): number => String(a).localeCompare(String(b));
const byGet = ({ method }: RecordedRequest): boolean => method === 'GET';

const echo = (client: ToolSource): Promise<unknown> =>
  client.callTool('echo', { message: who() }, { idempotent: true });

async function toArray<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

describe.each(Object.keys(kinds) as (keyof typeof kinds)[])('over %s', (kind) => {
  const serve = async (mischief: object = {}) => closeLater(await kinds[kind](mischief));

  it('a stream calls in the context that made it, whoever reads it', async () => {
    const server = await serve();
    const client = clientOf(server.url, { ...quick, headers });
    const streams = users.map((name) => as(name, () => client.stream('echo', { message: name })));
    await Promise.all(streams.map((stream) => as('reader', () => toArray(stream))));
    expect(callers(server).toSorted(byText)).toEqual(
      users.map((name) => [name, name]).toSorted(byText),
    );
  });

  it('calls that wait out an outage have each the headers of their own user', async () => {
    const server = await serve();
    const gate = await gateTo(server);
    const client = clientOf(gate.url, { ...quick, headers });
    await as('first', () => client.callTool('add', { a: 1, b: 1 }));
    gate.shut();
    const calls = users.map((name) => as(name, () => echo(client)));
    await until(() => expect(client.state.name).not.toBe('ready'));
    await gate.open();
    await Promise.all(calls);
    const pairs = callers(server).filter(([of]) => of !== undefined);
    expect(pairs.length).toBeGreaterThanOrEqual(users.length);
    for (const [of, by] of pairs) expect(by).toBe(of);
  });

  it('what belongs to no call is sent in the context in which the client was made, and says so', async () => {
    const server = await serve();
    const gate = await gateTo(server);
    const seen: { by: string; attempt: OutgoingRequest }[] = [];
    const client = as('maker', () =>
      createClient(gate.url, {
        ...quick,
        heartbeat: { silenceMs: 50 },
        headers: (attempt) => {
          seen.push({ by: who(), attempt });
          return { ...headers(), 'x-internal': String(attempt.internal) };
        },
      }),
    );
    closeLater(client);
    client.on('toolsChanged', () => {});
    await as('alice', () => client.listTools());
    gate.shut();
    await as('bob', async () => {
      const call = echo(client);
      await gate.open();
      await call;
    });
    await until(() =>
      expect(sent(server, kind === 'modern' ? 'server/discover' : 'ping').length).toBeGreaterThan(
        0,
      ),
    );
    await as('carol', () => client.close());
    for (const { by, attempt } of seen) expect(by === 'maker').toBe(attempt.internal);
    const callsOf = new Set(['alice', 'bob']);
    for (const { method, headers: had, json } of server.requests) {
      const rpc = (json as RpcMessage | undefined)?.method;
      const isCall =
        rpc === 'tools/call' || (rpc === 'tools/list' && callsOf.has(`${had['x-user'] as string}`));
      const expected = isCall ? 'false' : 'true';
      expect([method, rpc, had['x-internal']]).toEqual([method, rpc, expected]);
      expect(had['x-user'] === 'maker').toBe(!isCall);
    }
    if (kind !== 'modern') expect(server.requests.some(byGet)).toBe(true);
  });

  it('a deferred call is sent in its own context', async () => {
    const postFaults = [{ method: 'tools/call', status: 429, times: 20 }];
    const server = await serve({ postFaults });
    const client = clientOf(server.url, { ...quick, headers });
    await client.connect();
    await Promise.all(users.map((name) => as(name, () => echo(client))));
    const pairs = callers(server);
    expect(pairs.length).toBe(40);
    for (const [of, by] of pairs) expect(by).toBe(of);
  });

  it('a challenge is answered, and the headers asked for again, in the name of the call', async () => {
    const server = await serve({ requiredHeaders: { 'x-good': 'yes' } });
    const renewed = new Set<string>();
    const challenged: { by: string; internal: boolean }[] = [];
    const client = as('maker', () =>
      createClient(server.url, {
        ...quick,
        headers: () => ({ ...headers(), ...(renewed.has(who()) && { 'x-good': 'yes' }) }),
        auth: {
          onChallenge: async (_status, _headers, { internal }) => {
            await Promise.resolve();
            challenged.push({ by: who(), internal });
            renewed.add(who());
            return 'retry' as const;
          },
        },
      }),
    );
    closeLater(client);
    await Promise.all(users.map((name) => as(name, () => echo(client))));
    for (const [of, by] of callers(server)) expect(by).toBe(of);
    expect(new Set(challenged.map(({ by }) => by))).toEqual(new Set(['maker', ...users]));
    for (const { by, internal } of challenged) expect(by === 'maker').toBe(internal);
  });

  it('a cancellation is sent in the name of its call', async () => {
    if (kind === 'modern') return; // There it is the end of a stream.
    const server = await serve({ hangOn: 'tools/call' });
    const client = clientOf(server.url, { ...quick, middleware: [bearer(who)], headers });
    const stopping = new AbortController();
    const calls = ['alice', 'bob'].map((name) =>
      as(name, () =>
        client.callTool('echo', { message: name }, { signal: stopping.signal }).catch(() => {}),
      ),
    );
    await until(() => expect(sent(server, 'tools/call')).toHaveLength(2));
    as('carol', () => stopping.abort());
    await Promise.all(calls);
    await until(() => expect(sent(server, 'notifications/cancelled')).toHaveLength(2));
    const byId = new Map(
      sent(server, 'tools/call').map(({ message, by }) => [message.id, by] as const),
    );
    for (const { message, by } of sent(server, 'notifications/cancelled')) {
      expect(by).toBe(byId.get(message.params?.['requestId'] as number));
    }
    const tokens = server.requests
      .filter(({ json }) => (json as RpcMessage | undefined)?.method === 'notifications/cancelled')
      .map((request) => request.headers.authorization)
      .toSorted(byText);
    expect(tokens).toEqual(['Bearer alice', 'Bearer bob']);
  });

  it('a header that a middleware gave the handshake is not sent with calls', async () => {
    const server = await serve();
    const service: Middleware = (request, next) => {
      const token = request.internal ? 'service' : user.getStore();
      if (token !== undefined) request.headers['x-user'] = token;
      return next();
    };
    const client = clientOf(server.url, { ...quick, middleware: [service] });
    await client.callTool('echo', { message: 'anonymous' });
    await as('alice', () => echo(client));
    expect(callers(server)).toEqual([
      ['anonymous', undefined],
      ['alice', 'alice'],
    ]);
    expect(
      sent(server, kind === 'modern' ? 'server/discover' : 'initialize').some(
        ({ by }) => by === 'service',
      ),
    ).toBe(true);
  });

  it('onProgress runs in the context of its call, however it was made', async () => {
    const server = await serve();
    const client = clientOf(server.url);
    await client.connect();
    const told: [string, string][] = [];
    const slow = (name: string): Promise<unknown> =>
      as(name, () =>
        client.callTool('slow', { ms: 20 }, { onProgress: () => told.push([name, who()]) }),
      );
    const bySdk = (name: string): Promise<unknown> =>
      as(name, () =>
        client.sdk.callTool(
          { name: 'slow', arguments: { ms: 20 } },
          { onprogress: () => told.push([name, who()]) },
        ),
      );
    await Promise.all([slow('alice'), slow('bob'), bySdk('carol'), bySdk('dave')]);
    expect(new Set(told.map(([of]) => of)).size).toBe(4);
    for (const [of, by] of told) expect(by).toBe(of);
  });

  it('middlewares and their callbacks run in the context of their call', async () => {
    const server = await serve();
    const gate = await gateTo(server);
    const told: [string, string, string][] = [];
    const watching: Middleware = async (request, next) => {
      if (request.internal) return next();
      const own = who();
      const tell = (what: string): void => void told.push([what, own, who()]);
      const { onProgress } = request;
      request.onSent = () => tell('sent');
      request.onProgress = (progress) => {
        tell('progress');
        onProgress?.(progress);
      };
      request.signal.addEventListener('abort', () => tell('abort'));
      const response = await next();
      tell('answered');
      return response;
    };
    const client = clientOf(gate.url, { ...quick, middleware: [watching] });
    await client.connect();
    gate.shut();
    const calls = ['alice', 'bob', 'carol'].map((name) =>
      as(name, () => client.callTool('slow', { ms: 20 }, { idempotent: true })),
    );
    await gate.open();
    await Promise.all(calls);
    const stopping = new AbortController();
    const hanging = as('dave', () =>
      client.callTool('hang', {}, { signal: stopping.signal }).catch(() => {}),
    );
    await until(() => expect(told).toContainEqual(['sent', 'dave', 'dave']));
    as('eve', () => stopping.abort());
    await hanging;
    expect(new Set(told.map(([what]) => what))).toEqual(
      new Set(['sent', 'progress', 'abort', 'answered']),
    );
    for (const [what, own, by] of told) expect([what, by]).toEqual([what, own]);
  });
});

describe('a listener', () => {
  it('runs in the context in which it was added', async () => {
    const server = closeLater(await startHostileSse());
    const client = clientOf(server.url);
    const told: string[] = [];
    as('listener', () => {
      client.on('state', () => told.push(who()));
      client.on('notification', () => told.push(who()));
      client.on('error', () => told.push(who()));
    });
    await as('alice', () => echo(client));
    await as('bob', () => client.close());
    expect(new Set(told)).toEqual(new Set(['listener']));
  });
});

describe('a stream that brings an answer', () => {
  it('is resumed in the context of its call', async () => {
    const server = closeLater(
      await startStreamable({ eventIds: true, cutOn: 'tools/call', cuts: 2, retryMs: 1 }),
    );
    const client = as('maker', () =>
      createClient(server.url, { ...quick, headers, middleware: [bearer(who)] }),
    );
    closeLater(client);
    await Promise.all(['alice', 'bob'].map((name) => as(name, () => echo(client))));
    const gets = server.requests.filter(
      (request) => byGet(request) && request.headers['last-event-id'] !== undefined,
    );
    expect(gets.map((request) => request.headers['x-user']).toSorted(byText)).toEqual([
      'alice',
      'bob',
    ]);
    expect(gets.map((request) => request.headers.authorization).toSorted(byText)).toEqual([
      'Bearer alice',
      'Bearer bob',
    ]);
  });

  it('brings what the server asks meanwhile into the context of its call', async () => {
    const mischief: StreamableMischief = { hangOn: 'tools/call' };
    const server = closeLater(await startStreamable(mischief));
    const asked: [string, string][] = [];
    const options: ClientOptions = {
      ...quick,
      handlers: {
        elicitation: async ({ message }) => {
          await Promise.resolve();
          asked.push([message, who()]);
          return { action: 'decline' };
        },
      },
    };
    const client = clientOf(server.url, options);
    const calls = ['alice', 'bob'].map((name) =>
      as(name, () => client.callTool('echo', { message: name }).catch(() => {})),
    );
    await until(() => expect(server.messagesOf('tools/call')).toHaveLength(2));
    server.push(
      {
        jsonrpc: '2.0',
        id: 7,
        method: 'elicitation/create',
        params: { message: 'who?', requestedSchema: { type: 'object', properties: {} } },
      },
      'replies',
    );
    await until(() => expect(asked).toHaveLength(2));
    expect(asked.map(([, by]) => by).toSorted(byText)).toEqual(['alice', 'bob']);
    await client.close();
    await Promise.all(calls);
  });
});

it('a server in the same process is called in the context of the call', async () => {
  const handled: [unknown, string][] = [];
  const client = createClient({
    server: () => {
      const server = new McpServer({ name: 'here', version: '1' });
      server.registerTool('who', {}, () => {
        handled.push(['call', who()]);
        return { content: [{ type: 'text', text: who() }] };
      });
      return server;
    },
  });
  closeLater(client);
  const results = await Promise.all(
    users.map((name) => as(name, () => client.callTool('who', {}))),
  );
  expect(results.map(({ content }) => content)).toEqual(
    users.map((name) => [{ type: 'text', text: name }]),
  );
  expect(handled).toHaveLength(users.length);
});

describe('what many calls share', () => {
  it('a pool makes its connections in the context in which itself was made', async () => {
    const server = closeLater(await startStreamable());
    const pool = as('maker', () => createPool(server.url, { ...quick, size: 3, headers }));
    closeLater(pool);
    await Promise.all(users.map((name) => as(name, () => echo(pool))));
    for (const [of, by] of callers(server)) expect(by).toBe(of);
    expect(sent(server, 'initialize').map(({ by }) => by)).toEqual(['maker', 'maker', 'maker']);
  });

  it('a group lists tools in its own context, and calls them in the caller’s', async () => {
    const server = closeLater(await startStreamable());
    const group = as('maker', () =>
      createGroup({ one: { target: server.url, options: { ...quick, headers }, lazy: true } }, {}),
    );
    closeLater(group);
    await as('alice', () => group.listTools());
    await Promise.all(users.map((name) => as(name, () => echo(group))));
    for (const [of, by] of callers(server)) expect(by).toBe(of);
    expect(sent(server, 'tools/list').map(({ by }) => by)).toEqual(['maker']);
  });

  it('a token that is shared is got in the context in which tokenRefresh was made', async () => {
    const server = closeLater(await startStreamable());
    const asked: string[] = [];
    const refresh = as('maker', () =>
      tokenRefresh({
        provider: () => {
          asked.push(who());
          return 'token';
        },
        now: () => 0,
      }),
    );
    const client = clientOf(server.url, { ...quick, middleware: [refresh] });
    await Promise.all(users.map((name) => as(name, () => echo(client))));
    expect(asked).toEqual(['maker']);
  });

  it('a token that is not is got in the context of each call', async () => {
    const server = closeLater(await startStreamable());
    const gate = await gateTo(server);
    const client = clientOf(gate.url, { ...quick, middleware: [bearer(who)] });
    await client.connect();
    gate.shut();
    const calls = users.map((name) => as(name, () => echo(client)));
    await gate.open();
    await Promise.all(calls);
    const tokens = server.requests
      .filter(({ json }) => (json as RpcMessage | undefined)?.method === 'tools/call')
      .map(({ json, headers: had }) => [
        `Bearer ${claimOf(json as RpcMessage)}`,
        had.authorization,
      ]);
    for (const [of, by] of tokens) expect(by).toBe(of);
  });
});
