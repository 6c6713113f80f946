import { Client, type Result } from '@modelcontextprotocol/client';
import { McpServer } from '@modelcontextprotocol/server';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { startHostileSse } from '../../../../test/support/hostile-sse.ts';
import { startToolEventsServer } from '../../../../test/support/tool-events-servers.ts';
import { until } from '../../../../test/support/until.ts';
import {
  createTransport,
  LongwireError,
  type McpRequest,
  type Middleware,
} from '../../src/index.ts';
import { failureOf } from '../support/failure-of.ts';
import { stdioServer } from '../support/open-stdio.ts';
import { listing, quick, runsOf, said } from '../support/recovery.ts';
import { atTheEndOfEachTest, heard } from '../support/streamable.ts';

const { closeLater, serve, client: clientOf } = atTheEndOfEachTest();

/** Notes the requests that pass. */
function noting(seen: string[], name: string): Middleware {
  return async ({ method }, next) => {
    seen.push(`${name} ${method}`);
    const response = await next();
    seen.push(`${name} done`);
    return response;
  };
}

/** Handles calls of tools, and passes all other requests on. */
function onCalls(act: Middleware): Middleware {
  return (request, next) => (request.method === 'tools/call' ? act(request, next) : next());
}

describe.each(['legacy', 'modern'] as const)('over Streamable HTTP, %s era', (era) => {
  it('the first is outermost, and every request passes, also those of the connection', async () => {
    const server = await serve({ era });
    const seen: string[] = [];
    const client = clientOf(server.url, {
      ...quick,
      middleware: [noting(seen, 'a'), noting(seen, 'b')],
    });
    await client.callTool('echo', { message: 'x' });
    expect(seen).toEqual(
      ['server/discover', 'tools/call'].flatMap((method) => [
        `a ${method}`,
        `b ${method}`,
        'b done',
        'a done',
      ]),
    );
  });

  it('what it changes is what is sent, and what comes back', async () => {
    const server = await serve({ era });
    const client = clientOf(server.url, {
      ...quick,
      headers: { 'x-who': 'the program', 'x-program': '1' },
      middleware: [
        onCalls(async (request, next) => {
          request.headers['X-Who'] = 'a middleware';
          request.params = { ...request.params, arguments: { message: 'changed' } };
          request.metadata['seen'] = true;
          const response = await next();
          response.result = { ...response.result, _meta: { ...response.metadata } };
          return response;
        }),
        async (request, next) => {
          const response = await next();
          response.metadata['inner'] = request.metadata['seen'] ?? false;
          return response;
        },
      ],
    });
    const result = await client.callTool('echo', { message: 'x' });
    expect(result).toEqual({
      content: [{ type: 'text', text: 'changed' }],
      _meta: { inner: true },
    });
    const { headers } = server.requests.findLast(({ json }) => isCall(json)) as {
      headers: Record<string, unknown>;
    };
    expect(headers).toMatchObject({ 'x-who': 'a middleware', 'x-program': '1' });
  });

  it('headers of one call go only with that call, and reserved ones are refused', async () => {
    const server = await serve({ era });
    const client = clientOf(server.url);
    await client.callTool('echo', { message: 'x' }, { headers: { 'X-Tenant': 'a' } });
    await client.callTool('echo', { message: 'y' });
    const tenants = server.requests
      .filter(({ json }) => isCall(json))
      .map(({ headers }) => headers['x-tenant']);
    expect(tenants).toEqual(['a', undefined]);
    await expect(client.callTool('echo', {}, { headers: { Host: 'elsewhere' } })).rejects.toThrow(
      TypeError,
    );
  });
});

const isCall = (json: unknown): boolean =>
  (json as { method?: string } | undefined)?.method === 'tools/call';
const withToken: Middleware = (request, next) => {
  request.headers['authorization'] ??= 'Bearer t';
  return next();
};
const requiredHeaders = { authorization: 'Bearer t' };

describe('headers that a middleware gives the handshake', () => {
  it('go with everything of a session of Streamable HTTP', async () => {
    const server = await serve({ requiredHeaders });
    const client = clientOf(server.url, { ...quick, middleware: [withToken] });
    await client.callTool('echo', { message: 'x' });
    await heard(server);
    await client.close();
    expect(server.requests.map(({ method }) => method)).toEqual(
      expect.arrayContaining(['GET', 'POST', 'DELETE']),
    );
    expect(server.requests.map(({ headers }) => headers.authorization)).toEqual(
      server.requests.map(() => 'Bearer t'),
    );
  });

  it('open the stream of HTTP+SSE', async () => {
    const server = closeLater(await startHostileSse({ requiredHeaders }));
    const client = clientOf(server.url, { ...quick, middleware: [withToken] });
    expect(await client.callTool('echo', { message: 'x' })).toEqual(said('x'));
    expect(server.requests.map(({ headers }) => headers.authorization)).toEqual(
      server.requests.map(() => 'Bearer t'),
    );
  });

  it('open the stream of tool-events', async () => {
    const server = closeLater(await startToolEventsServer({ kind: 'answers-in-body' }));
    const withKey: Middleware = (request, next) => {
      request.headers['api_key'] = server.apiKey;
      return next();
    };
    const client = clientOf(server.url, { ...quick, middleware: [withKey] });
    expect(await client.listTools()).not.toHaveLength(0);
  });

  it('may be others after the server refused them', async () => {
    const server = await serve({ requiredHeaders });
    let token = 'old';
    const refreshing: Middleware = async (request, next) => {
      request.headers['authorization'] = `Bearer ${token}`;
      try {
        return await next();
      } catch (error) {
        if (!(error instanceof LongwireError) || error.code !== 'unauthorized') throw error;
        token = 't';
        request.headers['authorization'] = `Bearer ${token}`;
        return next();
      }
    };
    const client = clientOf(server.url, { ...quick, middleware: [refreshing] });
    expect(await client.callTool('echo', { message: 'x' })).toEqual(said('x'));
    token = 'old';
    expect(await client.callTool('echo', { message: 'y' })).toEqual(said('y'));
    expect(runsOf(server, 'echo')).toHaveLength(2);
  });
});

describe('a middleware that', () => {
  const withCalls = async (
    act: Middleware,
  ): Promise<{
    server: Awaited<ReturnType<typeof serve>>;
    client: ReturnType<typeof clientOf>;
  }> => {
    const server = await serve();
    return { server, client: clientOf(server.url, { ...quick, middleware: [onCalls(act)] }) };
  };

  it.each([
    [
      'throws',
      () => {
        throw new RangeError('too far');
      },
    ],
    ['rejects', () => Promise.reject(new RangeError('too far'))],
  ])('%s fails the call, with what it threw as the cause', async (_how, act) => {
    const { server, client } = await withCalls(act);
    expect(await failureOf(client.callTool('echo'))).toMatchObject({
      code: 'config',
      certainty: 'not-sent',
      message: expect.stringContaining('too far') as unknown,
      cause: expect.any(RangeError) as unknown,
    });
    expect(runsOf(server, 'echo')).toEqual([]);
    expect(await client.listTools()).toHaveLength(5);
  });

  it('throws after the answer does not hide that there was one', async () => {
    const { client } = await withCalls(async (_request, next) => {
      await next();
      throw new Error('after all');
    });
    expect(await failureOf(client.callTool('echo', { message: 'x' }))).toMatchObject({
      code: 'config',
      certainty: 'answered',
    });
  });

  it('never calls next holds up its own call, until that times out', async () => {
    let reason: unknown;
    const { server, client } = await withCalls(async ({ signal, params }, next) => {
      if (params?.['name'] !== 'echo') return next();
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      reason = signal.reason;
      return next();
    });
    await client.connect();
    const stuck = failureOf(client.callTool('echo', {}, { timeoutMs: 50 }));
    expect(await client.callTool('add', { a: 1, b: 2 })).toBeDefined();
    const error = await stuck;
    expect(error).toMatchObject({ code: 'timeout', certainty: 'not-sent' });
    expect(reason).toBe(error);
    expect(runsOf(server, 'echo')).toEqual([]);
  });

  it('never calls next does not hold up close', async () => {
    const { client } = await withCalls(() => new Promise(() => {}));
    await client.connect();
    const stuck = failureOf(client.callTool('echo'));
    await client.close();
    expect(await stuck).toMatchObject({ code: 'closed', certainty: 'not-sent' });
  });

  it('calls next again makes the call again', async () => {
    const { server, client } = await withCalls(async (_request, next) => {
      await next();
      return next();
    });
    expect(await client.callTool('echo', { message: 'x' })).toEqual(said('x'));
    const ids = runsOf(server, 'echo').map(({ id }) => id);
    expect(new Set(ids).size).toBe(2);
  });

  it('calls next twice at the same time gets an error', async () => {
    const { server, client } = await withCalls(async (_request, next) => {
      const [first] = await Promise.all([next(), next()]);
      return first;
    });
    expect(await failureOf(client.callTool('echo', { message: 'x' }))).toMatchObject({
      code: 'config',
      message: expect.stringContaining('called next() while it was pending') as unknown,
    });
    await until(() => expect(runsOf(server, 'echo')).toHaveLength(1));
  });

  it('has settled keeps the middlewares inside it from sending', async () => {
    let proceed = (): void => {};
    const gate = new Promise<void>((resolve) => (proceed = resolve));
    const late: Promise<unknown>[] = [];
    const server = await serve();
    const client = clientOf(server.url, {
      ...quick,
      middleware: [
        onCalls((_request, next) => Promise.race([next(), Promise.reject(new Error('enough'))])),
        onCalls(async (_request, next) => {
          await gate;
          late.push(failureOf(next()));
          return next();
        }),
      ],
    });
    expect(await failureOf(client.callTool('echo', { message: 'x' }))).toMatchObject({
      code: 'config',
      certainty: 'not-sent',
    });
    proceed();
    await until(() => expect(late).toHaveLength(1));
    expect(await late[0]).toMatchObject({ code: 'aborted', certainty: 'not-sent' });
    await client.listTools();
    expect(runsOf(server, 'echo')).toEqual([]);
  });

  it('answers itself spares the server', async () => {
    const { server, client } = await withCalls(async () => ({
      result: said('me') as Result,
      metadata: {},
    }));
    expect(await client.callTool('echo', { message: 'x' })).toEqual(said('me'));
    expect(runsOf(server, 'echo')).toEqual([]);
  });

  it('answers without a result fails the call', async () => {
    const { client } = await withCalls((async () => undefined) as unknown as Middleware);
    expect(await failureOf(client.callTool('echo'))).toMatchObject({ code: 'config' });
  });

  it('aborts a request in flight has the server told', async () => {
    const server = await serve({ hangOn: 'tools/call' });
    const tooSlow = new LongwireError('too slow for me', {
      code: 'timeout',
      certainty: 'outcome-unknown',
    });
    const impatient = onCalls((request, next) => {
      request.onSent = () => setImmediate(() => request.abort(tooSlow));
      return next();
    });
    const client = clientOf(server.url, { ...quick, middleware: [impatient] });
    expect(await failureOf(client.callTool('echo'))).toBe(tooSlow);
    await until(() => expect(server.messagesOf('notifications/cancelled')).toHaveLength(1));
  });

  it('answers the handshake itself fails the connect', async () => {
    const server = await serve();
    const client = clientOf(server.url, {
      ...quick,
      middleware: [async () => ({ result: {}, metadata: {} })],
    });
    expect(await failureOf(client.connect())).toMatchObject({
      code: 'config',
      message: expect.stringContaining('answered the handshake itself') as unknown,
    });
  });

  it('is no function is a TypeError', () => {
    expect(() => clientOf('http://127.0.0.1:1', { middleware: [42 as never] })).toThrow(
      'middleware[0]: not a function',
    );
  });
});

it('is told each time that a request leaves, and its progress', async () => {
  const server = await serve({
    answer: listing({ echo: { readOnlyHint: true } }),
    cutOn: 'tools/call',
    cuts: 1,
  });
  let sent = 0;
  const client = clientOf(server.url, {
    ...quick,
    middleware: [
      onCalls((request, next) => {
        request.onSent = () => (sent += 1);
        return next();
      }),
    ],
  });
  await client.listTools();
  await client.callTool('echo', { message: 'x' });
  expect(sent).toBe(2);
});

it('a call that it declares idempotent is resent', async () => {
  const server = await serve({ cutOn: 'tools/call', cuts: 1 });
  const daring: Middleware = (request, next) => {
    request.idempotent = true;
    return next();
  };
  const client = clientOf(server.url, { ...quick, middleware: [daring] });
  expect(await client.callTool('echo', { message: 'x' })).toEqual(said('x'));
});

it.each([
  ['a command', () => stdioServer('tools')],
  ['a server in the process', () => ({ server: echoing })],
])('runs for the requests of %s', async (_what, target) => {
  const seen: string[] = [];
  const passed: McpRequest[] = [];
  const client = clientOf(target() as never, {
    ...quick,
    middleware: [
      noting(seen, 'a'),
      (request, next) => {
        passed.push(request);
        return next();
      },
    ],
  });
  const [tool] = await client.listTools();
  expect(tool).toBeDefined();
  expect(passed.map(({ internal }) => internal)).toEqual([true, false]);
  expect(seen).toContain('a tools/list');
});

it('runs for requests of an SDK client as well', async () => {
  const server = await serve({
    answer: ({ method }) =>
      method === 'resources/read' ? { contents: [{ uri: 'a:1', text: 'one' }] } : undefined,
  });
  const seen: string[] = [];
  const client = clientOf(server.url, { ...quick, middleware: [noting(seen, 'a')] });
  expect((await client.readResource('a:1')).contents).toHaveLength(1);
  expect(seen).toContain('a resources/read');
  const sdk = new Client({ name: 'test', version: '1' });
  const transport = createTransport(server.url, { middleware: [noting(seen, 'b')] });
  await sdk.connect(transport);
  const { content } = await sdk.callTool({ name: 'echo', arguments: { message: 'x' } });
  expect(content).toEqual([{ type: 'text', text: 'x' }]);
  await expect(sdk.getPrompt({ name: 'none' })).rejects.toThrow();
  await sdk.close();
  expect(seen).toContain('b tools/call');
});

it('runs once for each round of a call of which the server asks something', async () => {
  const requestedSchema = { type: 'object', properties: { name: { type: 'string' } } };
  const server = await serve({
    era: 'modern',
    answer: ({ method, params }) => {
      if (method !== 'tools/call') return undefined;
      if (params?.['inputResponses'] !== undefined) return said('asked');
      const ask = { mode: 'form', message: 'Who is it?', requestedSchema };
      return {
        resultType: 'input_required',
        inputRequests: { name: { method: 'elicitation/create', params: ask } },
      };
    },
  });
  const rounds: unknown[] = [];
  const client = clientOf(server.url, {
    ...quick,
    handlers: { elicitation: () => ({ action: 'accept', content: { name: 'me' } }) },
    middleware: [
      onCalls(async (request, next) => {
        const response = await next();
        rounds.push([request.params?.['inputResponses'] !== undefined, response.result]);
        return response;
      }),
    ],
  });
  expect(await client.callTool('ask')).toEqual(said('asked'));
  expect(rounds).toMatchObject([
    [false, { resultType: 'input_required' }],
    [true, said('asked')],
  ]);
});

it('headers of one operation go with it through an SDK client as well', async () => {
  const server = await serve({
    answer: ({ method }) =>
      method === 'resources/read' ? { contents: [{ uri: 'a:1', text: 'one' }] } : undefined,
  });
  const client = clientOf(server.url);
  await client.readResource('a:1', { headers: { 'X-Tenant': 'a' } });
  expect(server.requests.at(-1)?.headers['x-tenant']).toBe('a');
});

it('each page of a list starts with the headers of the operation, and no others', async () => {
  const server = await serve({
    answer: ({ method, params }) =>
      method === 'tools/list'
        ? { tools: [], ...(params?.['cursor'] === undefined && { nextCursor: 'more' }) }
        : undefined,
  });
  const seen: unknown[] = [];
  const client = clientOf(server.url, {
    ...quick,
    middleware: [
      (request, next) => {
        if (request.method === 'tools/list') seen.push({ ...request.headers });
        request.headers['x-own'] = 'middleware';
        return next();
      },
    ],
  });
  await client.listTools({ headers: { 'x-tenant': 'a' } });
  expect(seen).toEqual([{ 'x-tenant': 'a' }, { 'x-tenant': 'a' }]);
});

it('does not run for a call that was aborted before', async () => {
  const server = await serve();
  const seen: string[] = [];
  const client = clientOf(server.url, { ...quick, middleware: [noting(seen, 'a')] });
  await client.connect();
  const signal = AbortSignal.abort();
  expect(await failureOf(client.callTool('echo', {}, { signal }))).toMatchObject({
    code: 'aborted',
    certainty: 'not-sent',
  });
  expect(seen).not.toContain('a tools/call');
});

it('a handshake that succeeded is not made again', async () => {
  const server = await serve();
  const twice: Middleware = async (_request, next) => {
    await next();
    return next();
  };
  const client = clientOf(server.url, { ...quick, middleware: [twice] });
  await client.connect();
  expect(server.openedSessions()).toBe(1);
});

it('connecting may take as long as the program likes', async () => {
  const server = await serve();
  const client = clientOf(server.url, {
    timeouts: { connectMs: Infinity },
    middleware: [(_request, next) => next()],
  });
  await client.connect();
  expect(client.state.name).toBe('ready');
});

it('that throws on changed tools does not keep the others from being told', async () => {
  const server = await serve();
  const failing: Middleware = (_request, next) => next();
  failing.onToolsChanged = () => {
    throw new Error('no matter');
  };
  const client = clientOf(server.url, { ...quick, middleware: [failing] });
  const told: string[] = [];
  client.on('toolsChanged', () => told.push('toolsChanged'));
  client.on('error', ({ message }) => told.push(message));
  await client.connect();
  await heard(server);
  server.push({ jsonrpc: '2.0', method: 'notifications/tools/list_changed' });
  await until(() => expect(told).toEqual(['no matter', 'toolsChanged']));
});

it('is told when the list of tools has changed', async () => {
  const server = await serve();
  let changes = 0;
  const cache: Middleware = (_request, next) => next();
  cache.onToolsChanged = () => (changes += 1);
  const client = clientOf(server.url, { ...quick, middleware: [cache] });
  await client.connect();
  await heard(server);
  server.push({ jsonrpc: '2.0', method: 'notifications/tools/list_changed' });
  await until(() => expect(changes).toBe(1));
});

function echoing(): McpServer {
  const server = new McpServer({ name: 'in-process', version: '1' });
  server.registerTool(
    'echo',
    { inputSchema: z.object({ message: z.string() }) },
    ({ message }) => ({
      content: [{ type: 'text', text: message }],
    }),
  );
  return server;
}
