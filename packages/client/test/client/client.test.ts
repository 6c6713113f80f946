import { afterEach, describe, expect, it } from 'vitest';
import { startHostileSse, type Mischief } from '../../../../test/support/hostile-sse.ts';
import type { RpcMessage } from '../../../../test/support/strict-mcp-session.ts';
import {
  connect,
  createClient,
  HttpStatusError,
  ServerError,
  type ClientOptions,
  type ConnectionState,
  type LongwireClient,
  type LongwireError,
} from '../../src/index.ts';
import { failureOf } from '../support/failure-of.ts';
import { firstCall } from '../support/first-call.ts';
import { until } from '../../../../test/support/until.ts';

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function setUp(mischief: Mischief = {}, options: ClientOptions = {}) {
  const server = await startHostileSse(mischief);
  closers.push(() => server.close());
  const client = await connect(server.url, options);
  closers.push(() => client.close());
  return { server, client };
}

function statesOf(client: LongwireClient): ConnectionState['name'][] {
  const states: ConnectionState['name'][] = [];
  client.on('state', ({ name }) => states.push(name));
  return states;
}

/** Answers of a server that has pages, prompts, resources, and what else a test needs. */
function answers(results: Record<string, (params: Record<string, unknown>) => unknown>) {
  return (request: RpcMessage): unknown =>
    request.method === undefined ? undefined : results[request.method]?.(request.params ?? {});
}

describe('a client', () => {
  it('connects on the first call, once for many', async () => {
    const server = await startHostileSse();
    closers.push(() => server.close());
    const client = createClient(server.url);
    closers.push(() => client.close());
    expect(client.state).toEqual({ name: 'idle' });
    expect(server.requests).toEqual([]);
    const states = statesOf(client);
    const results = await Promise.all(
      Array.from({ length: 50 }, (_, i) => client.callTool('echo', { message: `m${i}` })),
    );
    expect(results).toEqual(
      Array.from({ length: 50 }, (_, i) => ({ content: [{ type: 'text', text: `m${i}` }] })),
    );
    expect(server.openedSessions()).toBe(1);
    expect(states).toEqual(['connecting', 'ready']);
  });

  it('keeps a tool list as the server sent it, and leaves out what cannot be used', async () => {
    const odd = { name: 'odd', inputSchema: { type: 'string', 'x-ours': [1] }, extra: { a: 1 } };
    const pages: Record<string, unknown> = {
      first: { tools: [odd, { description: 'no name' }], nextCursor: 'second' },
      second: { tools: [{ name: 'last' }] },
    };
    const { client } = await setUp({
      answer: answers({ 'tools/list': ({ cursor = 'first' }) => pages[String(cursor)] }),
    });
    const errors: LongwireError[] = [];
    client.on('error', (error) => errors.push(error));
    expect(await client.listTools()).toEqual([odd, { name: 'last' }]);
    expect(errors).toMatchObject([{ code: 'protocol' }]);
  });

  it('lists, reads, gets, completes and subscribes', async () => {
    const { client, server } = await setUp({
      answer: answers({
        'resources/list': () => ({ resources: [{ uri: 'a:b', name: 'b' }] }),
        'resources/templates/list': () => ({
          resourceTemplates: [{ uriTemplate: 'a:{x}', name: 'x' }],
        }),
        'resources/read': ({ uri }) => ({ contents: [{ uri, text: 'read' }] }),
        'resources/subscribe': () => ({}),
        'resources/unsubscribe': () => ({}),
        'prompts/list': () => ({ prompts: [{ name: 'p' }] }),
        'prompts/get': () => ({
          messages: [{ role: 'user', content: { type: 'text', text: 'hi' } }],
        }),
        'completion/complete': () => ({ completion: { values: ['abc'] } }),
        'logging/setLevel': () => ({}),
      }),
    });
    expect(await client.listResources()).toEqual([{ uri: 'a:b', name: 'b' }]);
    expect(await client.listResourceTemplates()).toEqual([{ uriTemplate: 'a:{x}', name: 'x' }]);
    expect(await client.readResource('a:b')).toMatchObject({ contents: [{ text: 'read' }] });
    expect(await client.listPrompts()).toEqual([{ name: 'p' }]);
    expect(await client.getPrompt('p', { x: 'y' })).toMatchObject({ messages: [{ role: 'user' }] });
    expect(
      await client.complete({
        ref: { type: 'ref/prompt', name: 'p' },
        argument: { name: 'x', value: 'a' },
      }),
    ).toMatchObject({ completion: { values: ['abc'] } });
    await client.subscribeResource('a:b');
    await client.unsubscribeResource('a:b');
    await client.setLogLevel('debug');
    expect(server.messagesOf('prompts/get')[0]?.params).toEqual({
      name: 'p',
      arguments: { x: 'y' },
    });
    expect(server.messagesOf('logging/setLevel')[0]?.params).toEqual({ level: 'debug' });
  });

  it('has empty lists where the server does not know the method', async () => {
    const { client } = await setUp();
    expect(await client.listPrompts()).toEqual([]);
    expect(await client.listResourceTemplates()).toEqual([]);
  });

  it('gives progress in order, also what arrives in one packet with the result', async () => {
    const { client, server } = await setUp({ hangOnCall: true });
    const seen: number[] = [];
    const call = client.callTool('slow', {}, { onProgress: ({ progress }) => seen.push(progress) });
    const request = await firstCall(server);
    const { progressToken } = request;
    const messages = [
      ...[1, 2, 3].map((progress) => ({
        jsonrpc: '2.0',
        method: 'notifications/progress',
        params: { progressToken, progress },
      })),
      { jsonrpc: '2.0', id: request.id, result: { content: [] } },
    ];
    server.pushEvent(
      'message',
      messages.map((message) => JSON.stringify(message)).join('\n\nevent: message\ndata: '),
    );
    await call;
    expect(seen).toEqual([1, 2, 3]);
  });

  it('emits notifications and changed tools, and survives listeners that throw', async () => {
    const { client, server } = await setUp();
    const methods: string[] = [];
    const errors: LongwireError[] = [];
    let changes = 0;
    client.on('error', (error) => errors.push(error));
    client.on('notification', () => {
      throw new Error('a bad listener');
    });
    client.on('notification', ({ method }) => methods.push(method));
    const stop = client.on('toolsChanged', () => changes++);
    server.push({ jsonrpc: '2.0', method: 'notifications/tools/list_changed' });
    server.push({ jsonrpc: '2.0', method: 'notifications/message', params: { level: 'info' } });
    server.push({ jsonrpc: '2.0', method: 'notifications/unheard-of' });
    await until(() => expect(methods).toHaveLength(3));
    stop();
    server.push({ jsonrpc: '2.0', method: 'notifications/tools/list_changed' });
    await until(() => expect(methods).toHaveLength(4));
    expect(changes).toBe(1);
    expect(errors).toHaveLength(4);
  });

  it('answers roots, sampling and elicitation, and announces only what it has', async () => {
    const { server } = await setUp(
      {},
      { handlers: { roots: () => [{ uri: 'file:///work', name: 'work' }] } },
    );
    expect(server.messagesOf('initialize')[0]?.params?.['capabilities']).toEqual({ roots: {} });
    server.push({ jsonrpc: '2.0', id: 7, method: 'roots/list' });
    await until(() =>
      expect(server.messages).toContainEqual({
        jsonrpc: '2.0',
        id: 7,
        result: { roots: [{ uri: 'file:///work', name: 'work' }] },
      }),
    );
  });

  it('connects again after close', async () => {
    const { client, server } = await setUp();
    await client.close();
    await until(() => expect(server.openConnections()).toBe(0));
    expect(client.state).toEqual({ name: 'closed' });
    expect(await client.callTool('echo', { message: 'back' })).toMatchObject({
      content: [{ text: 'back' }],
    });
    expect(server.openedSessions()).toBe(2);
  });

  it.each([
    [{ tiemouts: {} }, 'tiemouts'],
    [{ timeouts: { connectMs: 0 } }, 'connectMs'],
    [{ limits: { maxEventBytes: '1' } }, 'maxEventBytes'],
    [{ transport: 'smoke' }, 'transport'],
    [{ headers: { host: 'x' } }, 'host'],
    [{ name: '' }, 'name'],
  ])('names a wrong option: %j', (options, name) => {
    expect(() => createClient('http://h/', options as ClientOptions)).toThrowError(name);
  });
});

describe('a call', () => {
  it('fails with the server’s own error', async () => {
    const { client } = await setUp();
    const error = await failureOf(client.callTool('unheard-of'));
    expect(error).toBeInstanceOf(ServerError);
    expect(error).toMatchObject({ code: 'server-error', certainty: 'answered' });
  });

  it('gives a tool’s error as a result', async () => {
    const { client } = await setUp();
    expect(await client.callTool('fail')).toMatchObject({ isError: true });
  });

  it('fails at once when its POST is answered 500, and says what came', async () => {
    const { client } = await setUp({
      postFaults: [{ tool: 'echo', status: 500, body: 'the disk is full' }],
    });
    const error = await failureOf(client.callTool('echo', { message: 'x' }));
    expect(error).toBeInstanceOf(HttpStatusError);
    expect(error).toMatchObject({
      code: 'http-status',
      status: 500,
      excerpt: 'the disk is full',
      certainty: 'outcome-unknown',
    });
    expect(await client.callTool('add', { a: 1, b: 2 })).toMatchObject({ content: [{}] });
  });

  it('knows that a refused call did not run', async () => {
    const { client } = await setUp({
      postFaults: [{ tool: 'echo', status: 422, times: 1 }],
    });
    expect(await failureOf(client.callTool('echo', { message: 'x' }))).toMatchObject({
      code: 'http-status',
      certainty: 'refused',
    });
  });

  it('that takes too long is cancelled at the server, and has an unknown outcome', async () => {
    const { client, server } = await setUp();
    const error = await failureOf(client.callTool('hang', {}, { timeoutMs: 80 }));
    expect(error).toMatchObject({ code: 'timeout', certainty: 'outcome-unknown' });
    await until(() => {
      expect(server.messagesOf('notifications/cancelled')[0]?.params).toMatchObject({
        requestId: server.messagesOf('tools/call')[0]?.id,
      });
    });
  });

  it('lives on by progress, up to its deadline', async () => {
    const { client } = await setUp();
    // Ten signs of life, each before the idle time is over, all together long after it.
    const options = { timeoutMs: 1200 };
    expect(await client.callTool('slow', { ms: 2400 }, options)).toMatchObject({ content: [{}] });
    expect(
      await failureOf(client.callTool('slow', { ms: 9000 }, { timeoutMs: 5000, deadlineMs: 300 })),
    ).toMatchObject({ code: 'deadline' });
  });

  it('that is aborted is cancelled at the server', async () => {
    const { client, server } = await setUp();
    const controller = new AbortController();
    const call = failureOf(client.callTool('hang', {}, { signal: controller.signal }));
    await until(() => expect(server.messagesOf('tools/call')).toHaveLength(1));
    controller.abort(new Error('never mind'));
    expect(await call).toMatchObject({ code: 'aborted', certainty: 'outcome-unknown' });
    await until(() => expect(server.messagesOf('notifications/cancelled')).toHaveLength(1));
    expect(
      await failureOf(client.callTool('echo', {}, { signal: controller.signal })),
    ).toMatchObject({ code: 'aborted', certainty: 'not-sent' });
    expect(server.messagesOf('tools/call')).toHaveLength(1);
  });

  it('aborted and closed right after is still cancelled at the server', async () => {
    const { client, server } = await setUp();
    const controller = new AbortController();
    const call = failureOf(client.callTool('hang', {}, { signal: controller.signal }));
    await until(() => expect(server.messagesOf('tools/call')).toHaveLength(1));
    controller.abort();
    await client.close();
    expect(await call).toMatchObject({ code: 'aborted' });
    expect(server.messagesOf('notifications/cancelled')).toHaveLength(1);
  });

  it('in flight at close fails as closed', async () => {
    const { client, server } = await setUp();
    const call = failureOf(client.callTool('hang'));
    await until(() => expect(server.messagesOf('tools/call')).toHaveLength(1));
    await client.close();
    expect(await call).toMatchObject({ code: 'closed', certainty: 'outcome-unknown' });
  });

  it('is given nobody else’s answer', async () => {
    const { client, server } = await setUp({ hangOnCall: true });
    const call = client.callTool('echo', { message: 'x' });
    const { id } = await firstCall(server);
    const answer = (answerId: unknown, text: string): void =>
      server.pushEvent(
        'message',
        JSON.stringify({
          jsonrpc: '2.0',
          id: answerId,
          result: { content: [{ type: 'text', text }] },
        }),
      );
    answer(`0${id}`, 'wrong type');
    answer([id], 'no id');
    answer(9999, 'unknown id');
    answer('9999', 'unknown id of the wrong type');
    answer(id, 'right');
    answer(id, 'repeated');
    expect(await call).toEqual({ content: [{ type: 'text', text: 'right' }] });
    server.mischief.hangOnCall = false;
    expect(await client.callTool('echo', { message: 'next' })).toMatchObject({
      content: [{ text: 'next' }],
    });
  });

  it('checks structured content against the schema that was listed', async () => {
    const outputSchema = {
      type: 'object',
      properties: { n: { type: 'number' } },
      required: ['n'],
    };
    const { client } = await setUp({
      answer: answers({
        'tools/list': () => ({
          tools: [{ name: 'count', inputSchema: { type: 'object' }, outputSchema }],
        }),
        'tools/call': ({ arguments: args }) => ({ content: [], structuredContent: args }),
      }),
    });
    await client.listTools();
    expect(await client.callTool('count', { n: 1 })).toMatchObject({ structuredContent: { n: 1 } });
    expect(await failureOf(client.callTool('count', { n: 'one' }))).toMatchObject({
      code: 'protocol',
      certainty: 'answered',
    });
  });

  it('over the limit of requests in flight is refused before it is sent', async () => {
    const { client } = await setUp({ hangOnCall: true }, { limits: { maxInFlight: 1 } });
    const first = failureOf(client.callTool('hang'));
    expect(await failureOf(client.callTool('hang'))).toMatchObject({
      code: 'queue-full',
      certainty: 'not-sent',
    });
    await client.close();
    await first;
  });

  it('with arguments that are no JSON is refused', async () => {
    const { client } = await setUp();
    const cyclic: Record<string, unknown> = {};
    cyclic['message'] = cyclic;
    expect(await failureOf(client.callTool('echo', cyclic))).toMatchObject({
      code: 'invalid-arguments',
      certainty: 'not-sent',
    });
  });
});

describe('when the connection is lost', () => {
  it('unsafe calls in flight fail at once, and the next call has a new session', async () => {
    const { client, server } = await setUp();
    const states = statesOf(client);
    const calls = [1, 2, 3].map(() => failureOf(client.callTool('hang')));
    await until(() => expect(server.messagesOf('tools/call')).toHaveLength(3));
    server.cut();
    for (const call of calls) {
      expect(await call).toMatchObject({
        name: 'ConnectionLostError',
        code: 'connection-lost',
        certainty: 'outcome-unknown',
      });
    }
    expect(client.state).toMatchObject({ name: 'reconnecting', attempt: 2, maxAttempts: 5 });
    const results = await Promise.all(
      ['a', 'b'].map((message) => client.callTool('echo', { message })),
    );
    expect(results).toMatchObject([{ content: [{ text: 'a' }] }, { content: [{ text: 'b' }] }]);
    expect(server.openedSessions()).toBe(2);
    expect(server.messagesOf('initialize')).toHaveLength(2);
    expect(server.messagesOf('notifications/initialized')).toHaveLength(2);
    expect(states).toEqual(['reconnecting', 'connecting', 'ready']);
    await until(() => expect(server.openStreams()).toBe(1));
  });

  it('it reconnects without a call', async () => {
    const { client, server } = await setUp();
    server.cut();
    await until(() => expect(client.state.name).toBe('reconnecting'));
    await until(() => expect(client.state.name).toBe('ready'));
    expect(server.openedSessions()).toBe(2);
  });

  it('connect waits for the connection, and dials at once where it rests', async () => {
    const { client, server } = await setUp({}, { retry: { maxAttempts: 2 } });
    server.cut();
    await until(() => expect(client.state.name).toBe('reconnecting'));
    await client.connect();
    expect(client.state.name).toBe('ready');
    expect(server.openedSessions()).toBe(2);
    await client.connect();
    expect(server.openedSessions()).toBe(2);
    // Two dials without an answer.
    server.cut();
    await until(() => expect(client.state.name).toBe('resting'));
    await client.connect();
    expect(client.state.name).toBe('ready');
    expect(server.openedSessions()).toBe(3);
  });

  it('a server request that was open is answered to nobody', async () => {
    let answerRoots!: () => void;
    const { client, server } = await setUp(
      {},
      { handlers: { roots: () => new Promise((resolve) => (answerRoots = () => resolve([]))) } },
    );
    server.push({ jsonrpc: '2.0', id: 1, method: 'roots/list' });
    await until(() => expect(answerRoots).toBeTypeOf('function'));
    server.cut();
    await until(() => expect(client.state.name).toBe('reconnecting'));
    await client.callTool('echo', { message: 'x' });
    answerRoots();
    await client.callTool('echo', { message: 'y' });
    expect(server.messages.filter(({ result }) => result !== undefined)).toEqual([]);
  });

  it('a session that the server has lost is replaced, and its call goes out again', async () => {
    const { client, server } = await setUp({
      postFaults: [{ tool: 'echo', status: 404, body: 'Session not found', times: 1 }],
    });
    expect(await client.callTool('echo', { message: 'x' })).toMatchObject({
      content: [{ text: 'x' }],
    });
    expect(server.messagesOf('tools/call')).toHaveLength(1);
    expect(server.openedSessions()).toBe(2);
    await until(() => expect(server.openStreams()).toBe(1));
  });

  it('an event over the limit fails the call with its own code', async () => {
    const { client } = await setUp(
      { hugeEventBytes: 200_000 },
      { limits: { maxEventBytes: 100_000 } },
    );
    expect(await failureOf(client.callTool('echo', { message: 'x' }))).toMatchObject({
      code: 'limit-exceeded',
      certainty: 'outcome-unknown',
    });
  });

  it('a server that is gone fails the call that has waited for it as not sent', async () => {
    const { client, server } = await setUp({}, { retry: { firstDelayMs: 5, maxDelayMs: 5 } });
    await server.close();
    await until(() => expect(client.state.name).toBe('resting'));
    expect(client.state).toMatchObject({
      reason: { name: 'ConnectError', code: 'connect-failed', certainty: 'not-sent' },
    });
    const call = client.callTool('echo', { message: 'x' }, { timeoutMs: 100 });
    expect(await failureOf(call)).toMatchObject({ code: 'timeout', certainty: 'not-sent' });
    // Nobody waits any more.
    await until(() => expect(client.state.name).toBe('resting'));
    expect(await failureOf(client.connect())).toMatchObject({
      name: 'ConnectError',
      code: 'connect-failed',
      certainty: 'not-sent',
    });
  });
});
