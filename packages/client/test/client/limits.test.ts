import { createServer, type Server } from 'node:net';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { startHostileSse, type HostileSseServer } from '../../../../test/support/hostile-sse.ts';
import { startHttpFixture } from '../../../../test/support/http-fixture.ts';
import {
  connect,
  createClient,
  type ClientOptions,
  type LongwireClient,
  type LongwireError,
} from '../../src/index.ts';
import { failureOf } from '../support/failure-of.ts';
import { firstCall } from '../support/first-call.ts';
import { until } from '../../../../test/support/until.ts';

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function server(...args: Parameters<typeof startHostileSse>): Promise<HostileSseServer> {
  const started = await startHostileSse(...args);
  closers.push(() => started.close());
  return started;
}

function client(target: string, options: ClientOptions = {}): LongwireClient {
  const made = createClient(target, options);
  closers.push(() => made.close());
  return made;
}

const never = (): Promise<never> => new Promise(() => {});

describe('connecting ends when its time is up', () => {
  it('though the headers never come', async () => {
    const { url } = await server();
    const options = { timeouts: { connectMs: 100 }, headers: never };
    expect(await failureOf(connect(url, options))).toMatchObject({
      code: 'connect-timeout',
      certainty: 'not-sent',
    });
  });

  it('though a challenge is never answered', async () => {
    const { url } = await server({ requiredHeaders: { authorization: 'x' } });
    const options = { timeouts: { connectMs: 100 }, auth: { onChallenge: never } };
    expect(await failureOf(connect(url, options))).toMatchObject({ code: 'connect-timeout' });
  });

  it('though TLS is never spoken', async () => {
    const silent: Server = createServer((socket) => socket.resume()).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    closers.push(() => new Promise((resolve) => silent.close(resolve)));
    const { port } = silent.address() as AddressInfo;
    const options = { timeouts: { connectMs: 500 } };
    expect(await failureOf(connect(`https://127.0.0.1:${port}/sse`, options))).toMatchObject({
      code: 'connect-timeout',
      tried: [{}, {}, {}],
    });
  });

  it('and close does not wait for any of it', async () => {
    const { url } = await server();
    const dialling = client(url, { headers: never });
    const connecting = failureOf(dialling.connect());
    await until(() => expect(dialling.state.name).toBe('connecting'));
    await dialling.close();
    expect(await connecting).toMatchObject({ code: 'closed', certainty: 'not-sent' });
  });

  it('however long that is', async () => {
    const { url } = await server();
    await client(url, { timeouts: { connectMs: Infinity } }).connect();
  });
});

describe('a handshake that fails', () => {
  it('when initialize is answered with an error', async () => {
    const hostile = await server();
    hostile.mischief.answer = ({ id, method }) => {
      if (method !== 'initialize' || id === undefined) return undefined;
      hostile.push({ jsonrpc: '2.0', id, error: { code: -32000, message: 'not today' } });
      return {};
    };
    expect(await failureOf(connect(hostile.url))).toMatchObject({
      name: 'ConnectError',
      code: 'connect-failed',
      certainty: 'not-sent',
      message: expect.stringContaining('not today') as string,
    });
  });

  it('when initialize is answered with something that is no answer', async () => {
    const hostile = await server();
    hostile.mischief.answer = ({ id, method }) => {
      if (method !== 'initialize') return undefined;
      hostile.pushEvent('message', JSON.stringify({ jsonrpc: '2.0', id, result: null }));
      return {};
    };
    expect(await failureOf(connect(hostile.url))).toMatchObject({
      name: 'ConnectError',
      code: 'protocol',
      certainty: 'not-sent',
    });
  });

  it('when the end of it is refused, for the call that waited for it too', async () => {
    const fault = { method: 'notifications/initialized', status: 401, body: 'no' };
    const { url, messagesOf } = await server({ postFaults: [fault] });
    expect(await failureOf(client(url).callTool('echo', { message: 'x' }))).toMatchObject({
      name: 'ConnectError',
      certainty: 'not-sent',
    });
    expect(messagesOf('tools/call')).toEqual([]);
  });

  it('when the stream ends right behind the endpoint', async () => {
    await using fixture = await startHttpFixture((request, response) => {
      if (request.method === 'POST') response.writeHead(202).end();
      else {
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        response.end('event: endpoint\ndata: /m?sessionId=1\n\n');
      }
    });
    expect(await failureOf(connect(`${fixture.origin}/sse`))).toMatchObject({
      code: 'connection-lost',
      certainty: 'not-sent',
    });
  });

  it('as busy, and not as something else, when the server says so', async () => {
    const { url } = await server({ getAnswer: { status: 503, headers: { 'retry-after': '2' } } });
    const error = await failureOf(connect(url));
    expect(error).toMatchObject({ code: 'http-status', cause: { retryAfterMs: 2000 } });
  });

  it('for one caller does not close the client under another', async () => {
    const slow = await server({ endpoint: 'never' });
    const shared = client(slow.url, { timeouts: { connectMs: 600 } });
    const other = failureOf(shared.callTool('echo'));
    expect(await failureOf(shared.connect({ signal: AbortSignal.timeout(30) }))).toMatchObject({
      code: 'aborted',
    });
    expect(await other).toMatchObject({ code: 'connect-timeout' });
  });
});

describe('detection continues', () => {
  it.each<[string, { status: number; headers?: Record<string, string>; body?: string }]>([
    ['204', { status: 204 }],
    ['202', { status: 202 }],
    ['a stream that ends before its endpoint event', { status: 200, body: ': hello\n\n' }],
    ['a page', { status: 200, headers: { 'content-type': 'text/html' }, body: '<p>' }],
  ])('after %s', async (_name, { status, headers = {}, body }) => {
    const real = await server();
    await using front = await startHttpFixture((request, response) => {
      if (request.url === '/x') response.writeHead(status, headers).end(body);
      else response.writeHead(307, { location: '/nowhere' }).end();
    });
    const error = (await failureOf(connect(`${front.origin}/x`))) as LongwireError & {
      tried: { url: string }[];
    };
    expect(error.tried.map(({ url }) => new URL(url).pathname)).toEqual([
      '/x',
      '/x',
      '/x',
      '/x/mcp',
      '/x/mcp',
    ]);
    expect(real.requests).toEqual([]);
  });
});

describe('what comes during the handshake', () => {
  it('is not lost', async () => {
    await using fixture = await startHttpFixture((request, response) => {
      const { id, method } = (request.json ?? {}) as { id?: number; method?: string };
      if (request.method === 'GET') {
        stream = response;
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        response.write(
          'event: endpoint\ndata: /m?sessionId=1\n\n' +
            'data: {"jsonrpc":"2.0","method":"notifications/early","params":{}}\n\n',
        );
        return;
      }
      response.writeHead(202).end();
      if (method !== 'initialize') return;
      const result = {
        protocolVersion: '2024-11-05',
        capabilities: {},
        serverInfo: { name: 's', version: '1' },
      };
      stream?.write(`data: ${JSON.stringify({ jsonrpc: '2.0', id, result })}\n\n`);
    });
    let stream: { write: (text: string) => unknown } | undefined;
    const early = client(`${fixture.origin}/sse`);
    const methods: string[] = [];
    early.on('notification', ({ method }) => methods.push(method));
    await early.connect();
    await until(() => expect(methods).toEqual(['notifications/early']));
  });
});

describe('a call', () => {
  it.each([
    ['result of null', { result: null }],
    ['text for a result', { result: 'ok' }],
    ['text for an error', { error: 'bad' }],
  ])('answered with a %s settles at once', async (_name, answer) => {
    const hostile = await server({ hangOnCall: true });
    const caller = client(hostile.url);
    const call = failureOf(caller.callTool('echo'));
    const { id } = await firstCall(hostile);
    hostile.pushEvent('message', JSON.stringify({ jsonrpc: '2.0', id, ...answer }));
    expect(await call).toMatchObject({ code: 'protocol', certainty: 'answered' });
  });

  it('ended before it could be sent never reaches the server', async () => {
    const hostile = await server();
    let release: () => void = () => {};
    const caller = client(hostile.url, {
      headers: async () => {
        if (caller.state.name === 'ready') await new Promise<void>((go) => (release = go));
        return {};
      },
    });
    await caller.connect();
    expect(await failureOf(caller.callTool('echo', {}, { timeoutMs: 50 }))).toMatchObject({
      code: 'timeout',
      certainty: 'not-sent',
    });
    release();
    await caller.close();
    expect(hostile.messagesOf('tools/call')).toEqual([]);
    expect(hostile.messagesOf('notifications/cancelled')).toEqual([]);
  });

  it('whose POST is never answered ends it once the cancellation is sent', async () => {
    let brokenOff = 0;
    await using hung = await startHttpFixture((request, response) => {
      const { id, method } = (request.json ?? {}) as { id?: number; method?: string };
      if (request.method === 'GET') {
        stream = response;
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        response.write('event: endpoint\ndata: /m?sessionId=1\n\n');
      } else if (method === 'tools/call') {
        response.once('close', () => brokenOff++);
      } else {
        response.writeHead(202).end();
        const result = {
          protocolVersion: '2024-11-05',
          capabilities: {},
          serverInfo: { name: 's', version: '1' },
        };
        if (method === 'initialize') {
          stream?.write(`data: ${JSON.stringify({ jsonrpc: '2.0', id, result })}\n\n`);
        }
      }
    });
    let stream: { write: (text: string) => unknown } | undefined;
    const caller = client(`${hung.origin}/sse`);
    await caller.connect();
    const cancel = new AbortController();
    const calls = Array.from({ length: 5 }, () =>
      failureOf(caller.callTool('hang', {}, { signal: cancel.signal })),
    );
    const isCall = ({ body }: { body: string }): boolean => body.includes('"tools/call"');
    await until(() => expect(hung.requests.filter(isCall)).toHaveLength(5));
    cancel.abort();
    for (const call of calls) expect(await call).toMatchObject({ code: 'aborted' });
    await until(() => expect(brokenOff).toBe(5));
    expect(
      hung.requests.filter(({ body }) => body.includes('notifications/cancelled')),
    ).toHaveLength(5);
  });

  it('to a tool whose output schema cannot be used is made all the same', async () => {
    const outputSchema = { $ref: 'https://example.com/nowhere' };
    const { url } = await server({
      answer: ({ method }) =>
        method === 'tools/list'
          ? { tools: [{ name: 'odd', inputSchema: { type: 'object' }, outputSchema }] }
          : method === 'tools/call'
            ? { content: [{ type: 'hologram' }], structuredContent: { a: 1 } }
            : undefined,
    });
    const caller = client(url);
    const errors: LongwireError[] = [];
    caller.on('error', (error) => errors.push(error));
    await caller.listTools();
    for (let i = 0; i < 2; i++) {
      expect(await caller.callTool('odd')).toMatchObject({ structuredContent: { a: 1 } });
    }
    expect(errors).toHaveLength(1);
  });

  it('counts its deadline over all pages of a list', async () => {
    const { url } = await server({
      answer: ({ method, params }) =>
        method === 'tools/list'
          ? { tools: [], nextCursor: String(Number(params?.['cursor'] ?? 0) + 1) }
          : undefined,
    });
    expect(await failureOf(client(url).listTools({ deadlineMs: 100 }))).toMatchObject({
      code: 'deadline',
    });
  });

  it('has the number that the server sent, also for requests of the SDK', async () => {
    const hostile = await server();
    const caller = client(hostile.url);
    await caller.connect();
    hostile.mischief.postFaults = [{ method: 'resources/read', status: 202 }];
    const read = failureOf(caller.readResource('a:b'));
    await until(() =>
      expect(hostile.requests.some(({ body }) => body.includes('resources/read'))).toBe(true),
    );
    const asked = hostile.requests.find(({ body }) => body.includes('resources/read'));
    const id = (asked?.json as { id: number } | undefined)?.id ?? -1;
    hostile.push({ jsonrpc: '2.0', id, error: { code: -32002, message: 'gone', data: { a: 1 } } });
    expect(await read).toMatchObject({ code: 'server-error', number: -32002, data: { a: 1 } });
  });
});

describe('a message', () => {
  it.each([
    'localhost:3001/sse?api_key=hush',
    'user:hush@127.0.0.1/sse',
    'ftp://user:hush@127.0.0.1/?k=hush',
    'http://50%:x@127.0.0.1/',
  ])('about the target %s shows no secret', (target) => {
    try {
      createClient(target);
      expect.unreachable('it is no target');
    } catch (error) {
      expect(error).toBeInstanceOf(TypeError);
      expect((error as Error).message).not.toContain('hush');
    }
  });

  it.each([
    { timeouts: { connectMS: 5 } },
    { limits: { maxEventByte: 5 } },
    { auth: { onchallenge: () => 'retry' } },
    { handlers: { sampling: 5 } },
    { timeouts: 5 },
  ])('names the option that is wrong in %j', (options) => {
    const [group = ''] = Object.keys(options);
    expect(() => createClient('http://h/', options as ClientOptions)).toThrowError(group);
  });
});

it('an error that a listener for errors throws is ignored', async () => {
  const client = createClient('http://127.0.0.1:1');
  let told = 0;
  client.on('error', () => {
    told += 1;
    throw new Error('again');
  });
  client.on('state', () => {
    throw new Error('once');
  });
  await client.connect().catch(() => {});
  await client.close();
  // Once for each change of state: connecting, resting, closed.
  expect(told).toBeGreaterThan(0);
  expect(told).toBeLessThan(5);
});
