import { describe, expect, it } from 'vitest';
import { decoded, discovered, MODERN_VERSION } from '../../../../test/support/streamable-rules.ts';
import type {
  StreamableMischief,
  StreamableServer,
} from '../../../../test/support/streamable-fixture.ts';
import type { RpcMessage } from '../../../../test/support/strict-mcp-session.ts';
import { until } from '../../../../test/support/until.ts';
import type { ServerNotification } from '../../src/index.ts';
import { failureOf } from '../support/failure-of.ts';
import { listing, quick, runsOf, said, statesOf } from '../support/recovery.ts';
import { atTheEndOfEachTest, heard } from '../support/streamable.ts';

const { setUp, serve, gateTo, client: clientOf } = atTheEndOfEachTest();

const modern = { era: 'modern' } as const;
const capabilities = {
  tools: { listChanged: true },
  resources: { subscribe: true, listChanged: true },
  logging: {},
};

/** A server that has all capabilities, and these tools. */
function having(tools: () => (request: RpcMessage) => unknown): StreamableMischief {
  return {
    ...modern,
    answer: (request) =>
      request.method === 'server/discover' ? discovered(capabilities) : tools()(request),
  };
}

const meta = ({ params }: RpcMessage): Record<string, unknown> =>
  params?.['_meta'] as Record<string, unknown>;
const filters = (messages: RpcMessage[]): unknown[] =>
  messages.map(({ params }) => params?.['notifications']);

describe.each(['json', 'stream'] as const)(
  'a server of the modern era, answering by %s',
  (answers) => {
    it('is asked who it is, once, and no stream is opened that is not needed', async () => {
      const { server, client } = await setUp({ ...modern, answers });
      expect(client.state).toMatchObject({ name: 'ready', transport: 'streamable-http' });
      expect(client.protocolVersion).toBe(MODERN_VERSION);
      expect(client.sdk.getProtocolEra()).toBe('modern');
      expect(client.server).toMatchObject({ name: 'hostile' });
      const texts = Array.from({ length: 20 }, (_, i) => `m${i}`);
      const calls = texts.map((message) => client.callTool('echo', { message }));
      expect(await Promise.all(calls)).toEqual(texts.map(said));
      await client.close();
      expect(server.messagesOf('server/discover')).toHaveLength(1);
      expect(server.messages).toHaveLength(21);
      expect(server.requests.map(({ method }) => method)).toEqual(
        server.requests.map(() => 'POST'),
      );
    });

    it.each(['echo', 'Übung 1', '日本', ' padded ', '=?base64?ZQ==?=', 'a\nb'])(
      'is told the name %j in a header',
      async (name) => {
        const { server, client } = await setUp({
          ...modern,
          answers,
          answer: ({ method }) => (method === 'tools/call' ? { content: [] } : undefined),
        });
        expect(await client.callTool(name)).toMatchObject({ content: [] });
        const [call] = server.requests.slice(-1);
        expect(decoded(call?.headers['mcp-name'])).toBe(name);
        expect(call?.headers).toMatchObject({
          'mcp-method': 'tools/call',
          'mcp-protocol-version': MODERN_VERSION,
        });
      },
    );
  },
);

/** What was asked for last: what was sent last may come first. */
function latestFilter(server: StreamableServer): unknown {
  const asked = server.messagesOf('subscriptions/listen');
  const [latest] = asked.sort((a, b) => Number(b.id) - Number(a.id));
  return latest?.params?.['notifications'];
}

it('names resources and prompts in a header, too', async () => {
  const { server, client } = await setUp({
    ...modern,
    answer: ({ method }) =>
      ({
        'resources/read': { contents: [], ttlMs: 0, cacheScope: 'private' },
        'prompts/get': { messages: [] },
      })[method ?? ''],
  });
  await client.readResource('file:///ä b');
  await client.getPrompt('größe');
  const names = server.requests.map(({ headers }) => decoded(headers['mcp-name']));
  expect(names.slice(-2)).toEqual(['file:///ä b', 'größe']);
});

it('progress comes to its call', async () => {
  const { client } = await setUp(modern);
  const seen: number[] = [];
  await client.callTool('slow', { ms: 30 }, { onProgress: ({ progress }) => seen.push(progress) });
  expect(seen).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
});

it('a call that is given up closes its stream, and nothing is POSTed', async () => {
  const { server, client } = await setUp({ ...modern, hangOn: 'tools/call' });
  const aborting = new AbortController();
  const call = failureOf(client.callTool('write', {}, { signal: aborting.signal }));
  await until(() => expect(server.openReplies()).toBe(1));
  aborting.abort();
  expect(await call).toMatchObject({ code: 'aborted', certainty: 'outcome-unknown' });
  await until(() => expect(server.openReplies()).toBe(0));
  delete server.mischief.hangOn;
  expect(await client.callTool('echo', { message: 'x' })).toEqual(said('x'));
  expect(server.messagesOf('notifications/cancelled')).toEqual([]);
  expect(server.requests).toHaveLength(3);
});

it('an answer that breaks off is never resumed, and asked for again if that is safe', async () => {
  const { server, client } = await setUp({
    ...modern,
    cutOn: 'tools/call',
    cuts: 1,
    eventIds: true,
  });
  expect(await failureOf(client.callTool('add', { a: 1, b: 1 }))).toMatchObject({
    code: 'connection-lost',
    certainty: 'outcome-unknown',
  });
  server.mischief.cuts = 1;
  expect(await client.callTool('echo', { message: 'x' }, { idempotent: true })).toEqual(said('x'));
  expect(runsOf(server, 'echo')).toHaveLength(2);
  expect(server.requestsOf('GET')).toEqual([]);
});

it('the log level goes with every request from then on, and no request asks for it', async () => {
  const { server, client } = await setUp(modern);
  await client.callTool('echo', { message: 'x' });
  await client.setLogLevel('warning');
  await client.callTool('echo', { message: 'y' });
  const [before, after] = server.messagesOf('tools/call') as [RpcMessage, RpcMessage];
  expect(meta(before)).not.toHaveProperty('io.modelcontextprotocol/logLevel');
  expect(meta(after)).toMatchObject({ 'io.modelcontextprotocol/logLevel': 'warning' });
  expect(server.messagesOf('logging/setLevel')).toEqual([]);
});

describe('listening', () => {
  const news = { jsonrpc: '2.0' as const, method: 'notifications/tools/list_changed' };

  it('opens with the first listener, and not before', async () => {
    const { server, client } = await setUp(having(() => () => undefined));
    await client.callTool('echo', { message: 'x' });
    expect(server.messagesOf('subscriptions/listen')).toEqual([]);
    let changes = 0;
    client.on('toolsChanged', () => changes++);
    await heard(server);
    client.on('toolsChanged', () => {});
    expect(filters(server.messagesOf('subscriptions/listen'))).toEqual([
      { toolsListChanged: true },
    ]);
    server.push(news);
    await until(() => expect(changes).toBe(1));
    await client.close();
    await until(() => expect(server.openStreams()).toBe(0));
    expect(server.openConnections()).toBe(0);
  });

  it('opens with the connection for a listener that was there before', async () => {
    const server = await serve(having(() => () => undefined));
    const client = clientOf(server.url);
    const notes: ServerNotification[] = [];
    client.on('notification', (note) => notes.push(note));
    await client.connect();
    await heard(server);
    server.push(news);
    await until(() => expect(notes.map(({ method }) => method)).toEqual([news.method]));
  });

  it.each(['ends', 'is cut'])(
    'is opened again when it %s, and the list is fetched again',
    async (how) => {
      let tools = listing({ echo: {} });
      const { server, client } = await setUp(having(() => tools));
      let changes = 0;
      client.on('toolsChanged', () => changes++);
      await client.listTools();
      await heard(server);
      const states = statesOf(client);
      tools = listing({ add: {} });
      if (how === 'ends') server.endSubscriptions();
      else server.cut();
      await until(() => expect(changes).toBe(1));
      await heard(server);
      expect(server.messagesOf('subscriptions/listen')).toHaveLength(2);
      expect(server.messagesOf('tools/list')).toHaveLength(2);
      expect(states).toEqual([]);
    },
  );

  it('is replaced by another stream when nothing comes, and the list is fetched again', async () => {
    let tools = listing({ echo: {} });
    const server = await serve(having(() => tools));
    const client = clientOf(server.url, { ...quick, heartbeat: { silenceMs: 20 } });
    let changes = 0;
    client.on('toolsChanged', () => changes++);
    await client.listTools();
    await heard(server);
    const states = statesOf(client);
    tools = listing({ add: {} });
    await until(() => expect(changes).toBe(1));
    expect(server.messagesOf('subscriptions/listen').length).toBeGreaterThan(1);
    expect(states).toEqual([]);
    await heard(server);
  });

  it('that the server does not know is not asked for again', async () => {
    const headers = { 'content-type': 'application/json' };
    const body = '{"jsonrpc":"2.0","id":ID,"error":{"code":-32601,"message":"unknown"}}';
    const { server, client } = await setUp({
      ...modern,
      postFaults: [{ method: 'subscriptions/listen', status: 404, headers, body }],
    });
    client.on('toolsChanged', () => {});
    const asked = () =>
      server.requests.filter(({ headers }) => headers['mcp-method'] === 'subscriptions/listen');
    await until(() => expect(asked()).toHaveLength(1));
    for (const a of [1, 2, 3, 4]) await client.callTool('add', { a, b: 1 });
    expect(asked()).toHaveLength(1);
    expect(client.state.name).toBe('ready');
  });

  it('to resources is one stream, opened anew when what is wanted changes', async () => {
    const { server, client } = await setUp(having(() => () => undefined));
    const updated: unknown[] = [];
    await client.subscribeResource('a:1');
    client.on('notification', ({ params }) => updated.push(params?.['uri']));
    await client.subscribeResource('a:2');
    await until(() => expect(server.openStreams()).toBe(1));
    const changed = (uri: string) =>
      server.push({ jsonrpc: '2.0', method: 'notifications/resources/updated', params: { uri } });
    changed('a:1');
    await until(() => expect(updated).toEqual(['a:1']));
    await client.unsubscribeResource('a:1');
    await until(() => expect(server.openStreams()).toBe(1));
    expect(latestFilter(server)).toEqual({
      toolsListChanged: true,
      resourcesListChanged: true,
      resourceSubscriptions: ['a:2'],
    });
    expect(server.messagesOf('resources/subscribe')).toEqual([]);
    server.cut();
    await until(() => expect(server.messagesOf('subscriptions/listen').length).toBeGreaterThan(4));
    await heard(server);
    expect(latestFilter(server)).toMatchObject({
      resourceSubscriptions: ['a:2'],
    });
  });

  it('to resources that are wanted at the same time is to all of them', async () => {
    const { server, client } = await setUp(having(() => () => undefined));
    const uris = ['a:1', 'a:2', 'a:3'];
    await Promise.all(uris.map((uri) => client.subscribeResource(uri)));
    await until(() => expect(server.openStreams()).toBe(1));
    expect(latestFilter(server)).toEqual({ resourceSubscriptions: uris });
    await Promise.all(['a:1', 'a:3'].map((uri) => client.unsubscribeResource(uri)));
    await until(() => expect(server.openStreams()).toBe(1));
    expect(latestFilter(server)).toEqual({ resourceSubscriptions: ['a:2'] });
  });

  it('to the last resource ends with it', async () => {
    const { server, client } = await setUp(having(() => () => undefined));
    await client.subscribeResource('a:1');
    await heard(server);
    await client.unsubscribeResource('a:1');
    await until(() => expect(server.openStreams()).toBe(0));
    await client.callTool('echo', { message: 'x' });
    expect(server.messagesOf('subscriptions/listen')).toHaveLength(1);
  });

  it('to a resource that the server refuses fails, and is not wanted any more', async () => {
    const headers = { 'content-type': 'application/json' };
    const body = '{"jsonrpc":"2.0","id":ID,"error":{"code":-32602,"message":"no such resource"}}';
    const { server, client } = await setUp({
      ...having(() => () => undefined),
      postFaults: [{ method: 'subscriptions/listen', status: 200, headers, body, times: 1 }],
    });
    const met = await failureOf(client.subscribeResource('a:1'));
    expect(met).toMatchObject({ code: 'server-error', number: -32602 });
    await client.subscribeResource('a:2');
    await heard(server);
    expect(filters(server.messagesOf('subscriptions/listen'))).toEqual([
      { resourceSubscriptions: ['a:2'] },
    ]);
  });

  it('is opened again after the server could not be reached', async () => {
    let tools = listing({ echo: {} });
    const server = await serve(having(() => tools));
    const gate = await gateTo(server);
    const client = clientOf(gate.url, {
      ...quick,
      retry: { ...quick.retry, maxAttempts: Infinity },
    });
    let changes = 0;
    client.on('toolsChanged', () => changes++);
    await client.listTools();
    await client.subscribeResource('a:1');
    await heard(server);
    gate.shut();
    await until(() => expect(client.state.name).toBe('reconnecting'));
    tools = listing({ add: {} });
    await gate.open();
    await until(() => expect(changes).toBe(1));
    await heard(server);
    expect(latestFilter(server)).toMatchObject({
      toolsListChanged: true,
      resourceSubscriptions: ['a:1'],
    });
  });
});
