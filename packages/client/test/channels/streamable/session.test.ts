import { describe, expect, it } from 'vitest';
import { until } from '../../../../../test/support/until.ts';
import type { LongwireError, ServerNotification } from '../../../src/index.ts';
import { failureOf } from '../../support/failure-of.ts';
import { listing, quick, runsOf, said, statesOf } from '../../support/recovery.ts';
import { atTheEndOfEachTest, heard } from '../../support/streamable.ts';

const { setUp, gateTo, serve, client: clientOf } = atTheEndOfEachTest();

const news = {
  jsonrpc: '2.0' as const,
  method: 'notifications/message',
  params: { data: 'news' },
};

describe.each([{ answers: 'stream' }, { answers: 'json' }] as const)(
  'a session with answers by $answers',
  (mischief) => {
    it('is in every later request, and so is the version', async () => {
      const { server, client } = await setUp({ ...mischief });
      expect(client.state).toMatchObject({ name: 'ready', transport: 'streamable-http' });
      expect(client.protocolVersion).toBe('2025-11-25');
      await heard(server);
      expect(await client.callTool('echo', { message: 'hé' })).toEqual(said('hé'));
      await client.close();
      const methods = server.requests.map(({ method, json }) =>
        [method, (json as { method?: string } | undefined)?.method].join(' ').trim(),
      );
      expect(methods.sort()).toEqual(
        [
          'DELETE',
          'GET',
          'POST initialize',
          'POST notifications/initialized',
          'POST server/discover',
          'POST tools/call',
        ].sort(),
      );
      const named = server.requests.filter(({ headers }) => headers['mcp-session-id']);
      expect(named).toHaveLength(4);
      for (const { headers } of named) {
        expect(headers['mcp-protocol-version']).toBe('2025-11-25');
        expect(headers['mcp-session-id']).toBe(named[0]?.headers['mcp-session-id']);
      }
    });

    it('runs many calls in parallel, each with its own answer', async () => {
      const { client } = await setUp({ ...mischief });
      const texts = Array.from({ length: 50 }, (_, i) => `m${i}`);
      const results = await Promise.all(
        texts.map((message) => client.callTool('echo', { message })),
      );
      expect(results).toEqual(texts.map((text) => said(text)));
      expect(client.stats().droppedAnswers).toBe(0);
    });
  },
);

it('progress comes on the stream of its call, in order', async () => {
  const { client } = await setUp();
  const seen: number[] = [];
  const onProgress = ({ progress }: { progress: number }) => seen.push(progress);
  await Promise.all([
    client.callTool('slow', { ms: 50 }, { onProgress }),
    client.callTool('echo', { message: 'x' }),
  ]);
  expect(seen).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
});

describe('a lost session', () => {
  it.each([
    undefined,
    { status: 400, body: 'Bad Request: No valid session ID provided' },
    {
      status: 400,
      body: '{"jsonrpc":"2.0","error":{"code":-32000,"message":"Bad Request: Server not initialized"},"id":null}',
    },
    {
      status: 400,
      body: '{"jsonrpc":"2.0","error":{"code":-32000,"message":"Session not found"},"id":null}',
      headers: { 'content-type': 'application/json' },
    },
  ])('leads to one handshake for all waiting calls (%j)', async (lostSessionAnswer) => {
    const { server, client } = await setUp(lostSessionAnswer && { lostSessionAnswer });
    const states = statesOf(client);
    await client.listTools();
    server.dropSessions();
    const calls = Array.from({ length: 10 }, (_, i) => client.callTool('add', { a: i, b: 1 }));
    expect(await Promise.all(calls)).toEqual(calls.map((_, i) => said(String(i + 1))));
    expect(server.messagesOf('initialize')).toHaveLength(2);
    expect(runsOf(server, 'add')).toHaveLength(10);
    expect(states.map(({ name }) => name)).toEqual(['reconnecting', 'connecting', 'ready']);
    expect(server.messagesOf('server/discover')).toEqual([]);
  });

  it('is noticed by the GET stream, too', async () => {
    const { server, client } = await setUp();
    await heard(server);
    server.cut();
    server.dropSessions();
    await until(() => expect(server.openedSessions()).toBe(2));
    expect(await client.callTool('echo', { message: 'x' })).toEqual(said('x'));
    expect(server.openedSessions()).toBe(2);
  });

  it('ends an open call with an unknown outcome, once its stream has ended', async () => {
    const { server, client } = await setUp({ hangOn: 'tools/call' });
    const write = failureOf(client.callTool('write'));
    await until(() => expect(server.openReplies()).toBe(1));
    delete server.mischief.hangOn;
    const lost = server.dropSessions();
    expect(await client.callTool('echo', { message: 'x' })).toEqual(said('x'));
    lost.cut();
    expect(await write).toMatchObject({ code: 'connection-lost', certainty: 'outcome-unknown' });
    expect(runsOf(server, 'write')).toHaveLength(1);
  });

  it('is not meant by a 404 that is the answer to a request', async () => {
    const body = '{"jsonrpc":"2.0","id":ID,"error":{"code":-32602,"message":"no such tool"}}';
    const headers = { 'content-type': 'application/json' };
    const { server, client } = await setUp({
      postFaults: [{ tool: 'echo', status: 404, body, headers }],
    });
    const error = await failureOf(client.callTool('echo'));
    expect(error).toMatchObject({ code: 'server-error', certainty: 'answered', number: -32602 });
    expect(await client.callTool('add', { a: 1, b: 1 })).toEqual(said('2'));
    expect(server.openedSessions()).toBe(1);
  });

  it('does not let a call wait for ever that is refused on every session', async () => {
    const { server, client } = await setUp({ postFaults: [{ tool: 'echo', status: 404 }] });
    const error = await failureOf(client.callTool('echo'));
    expect(error).toMatchObject({ code: 'connection-lost', certainty: 'refused' });
    expect(server.openedSessions()).toBeLessThan(8);
    expect(await client.callTool('add', { a: 1, b: 1 })).toEqual(said('2'));
  });
});

describe('DELETE', () => {
  it('ends the session on close, and once', async () => {
    const { server, client } = await setUp();
    await client.close();
    await client.close();
    expect(server.requestsOf('DELETE')).toHaveLength(1);
    expect(server.endedSessions()).toBe(1);
    await until(() => expect(server.openConnections()).toBe(0));
  });

  it.each([405, 404, 500])('may be answered %i', async (status) => {
    const { server, client } = await setUp({ deleteAnswer: { status } });
    await client.close();
    expect(server.requestsOf('DELETE')).toHaveLength(1);
    expect(client.state.name).toBe('closed');
  });

  it('is not sent when the connection is only dialed again', async () => {
    const server = await serve();
    const gate = await gateTo(server);
    const client = clientOf(gate.url);
    await client.callTool('echo', { message: 'x' });
    await heard(server);
    gate.shut();
    await until(() => expect(client.state.name).toBe('reconnecting'));
    const call = client.callTool('echo', { message: 'y' });
    await gate.open();
    expect(await call).toEqual(said('y'));
    expect(server.requestsOf('DELETE')).toEqual([]);
    expect(server.openedSessions(), 'the session goes on').toBe(1);
    expect(client.state).toMatchObject({ name: 'ready', resumed: true });
  });

  it('is not sent without a session', async () => {
    const { server, client } = await setUp({ sessions: false });
    expect(await client.callTool('echo', { message: 'x' })).toEqual(said('x'));
    await client.close();
    expect(server.requestsOf('DELETE')).toEqual([]);
  });
});

describe('the GET stream', () => {
  it.each([405, 404, 400])(
    'is not asked for again where it is not offered (%i)',
    async (status) => {
      const { server, client } = await setUp({ getAnswer: { status } });
      await until(() => expect(server.requestsOf('GET')).toHaveLength(1));
      for (const a of [1, 2, 3]) await client.callTool('add', { a, b: 1 });
      expect(server.requestsOf('GET')).toHaveLength(1);
      expect(server.openedSessions()).toBe(1);
      expect(client.state.name).toBe('ready');
    },
  );

  it('brings notifications', async () => {
    const { server, client } = await setUp();
    const notes: ServerNotification[] = [];
    client.on('notification', (note) => notes.push(note));
    await heard(server);
    server.push(news);
    await until(() => expect(notes).toEqual([expect.objectContaining({ params: news.params })]));
  });

  it('is opened again when it breaks, and lists are fetched again', async () => {
    let tools = listing({ echo: {} });
    const { server, client } = await setUp({ answer: (request) => tools(request) });
    let changes = 0;
    client.on('toolsChanged', () => changes++);
    const states = statesOf(client);
    await client.listTools();
    await heard(server);
    tools = listing({ add: {} });
    server.cut();
    await until(() => expect(changes).toBe(1));
    await heard(server);
    expect(server.requestsOf('GET')).toHaveLength(2);
    expect(server.messagesOf('tools/list')).toHaveLength(2);
    expect(states).toEqual([]);
    expect(server.openedSessions()).toBe(1);
  });

  it('is opened again when nothing comes on it, and lists are fetched again', async () => {
    let tools = listing({ echo: {} });
    const server = await serve({ answer: (request) => tools(request) });
    const client = clientOf(server.url, { ...quick, heartbeat: { silenceMs: 20 } });
    let changes = 0;
    client.on('toolsChanged', () => changes++);
    await client.listTools();
    await heard(server);
    const states = statesOf(client);
    tools = listing({ add: {} });
    await until(() => expect(changes).toBe(1));
    expect(server.requestsOf('GET').length).toBeGreaterThan(1);
    expect(states).toEqual([]);
    expect(server.openedSessions()).toBe(1);
  });

  it('is resumed after the last event if events have ids, and no list is fetched', async () => {
    const { server, client } = await setUp({ eventIds: true, retryMs: 1 });
    const seen: unknown[] = [];
    client.on('notification', ({ params }) => seen.push(params?.['data']));
    await client.listTools();
    await heard(server);
    const say = (data: number): void => server.push({ ...news, params: { data } });
    say(1);
    await until(() => expect(seen).toEqual([1]));
    server.cut();
    await until(() => expect(server.requestsOf('GET')).toHaveLength(2));
    await heard(server);
    server.mischief.overlap = 1;
    say(2);
    await until(() => expect(seen).toEqual([1, 2]));
    server.cut();
    await until(() => expect(server.requestsOf('GET')).toHaveLength(3));
    await heard(server);
    say(3);
    await until(() => expect(seen).toEqual([1, 2, 3]));
    const [first, ...later] = server.requestsOf('GET');
    expect(first?.headers['last-event-id']).toBeUndefined();
    for (const { headers } of later) expect(headers['last-event-id']).toEqual(expect.any(String));
    expect(server.messagesOf('tools/list')).toHaveLength(1);
  });

  it('is not opened again before the time that the server asked for', async () => {
    const hourMs = 3_600_000;
    const { server, client } = await setUp(
      {},
      { retry: { firstDelayMs: 1, maxDelayMs: 2 * hourMs } },
    );
    const seen: unknown[] = [];
    client.on('notification', (note) => seen.push(note));
    await heard(server);
    server.write(`retry: ${hourMs}\n\n`);
    server.push(news);
    await until(() => expect(seen).toHaveLength(1));
    server.cut();
    await until(() => expect(server.openStreams()).toBe(0));
    for (const a of [1, 2, 3, 4, 5]) await client.callTool('add', { a, b: 1 });
    expect(server.requestsOf('GET')).toHaveLength(1);
  });

  it('is opened later if the server refuses it for now', async () => {
    const { server, client } = await setUp({ getAnswer: { status: 503 } });
    await until(() => expect(server.requestsOf('GET').length).toBeGreaterThan(2));
    delete server.mischief.getAnswer;
    await heard(server);
    expect(await client.callTool('echo', { message: 'x' })).toEqual(said('x'));
    expect(server.openedSessions()).toBe(1);
  });
});

it('parallel pings have one answer each', async () => {
  const { server, client } = await setUp();
  const pings = [1, 2, 3, 4].map(() => client.sdk.ping({ timeout: 5000 }));
  expect(await Promise.all(pings)).toHaveLength(4);
  expect(server.messagesOf('ping').length).toBeGreaterThanOrEqual(4);
});

it.each([
  [400, '{"jsonrpc":"2.0","id":ID,"error":{"code":-32601,"message":"Method not found"}}'],
  [429, 'slow down'],
  [500, 'no'],
])('a ping that is answered %i shows that the server is alive', async (status, body) => {
  const headers = { 'content-type': 'application/json' };
  const { server, client } = await setUp(
    {
      getAnswer: { status: 405 },
      hangOn: 'tools/call',
      postFaults: [{ method: 'ping', status, headers, body }],
    },
    { ...quick, heartbeat: { silenceMs: 20, timeoutMs: 20 } },
  );
  const states = statesOf(client);
  const call = client.callTool('echo', { message: 'x' }, { deadlineMs: 400 });
  expect(await failureOf(call)).toMatchObject({ code: 'deadline' });
  expect(server.requestsOf('POST').length).toBeGreaterThan(6);
  expect(states).toEqual([]);
});

it('a session that could not be reached is resumed if the server still knows it', async () => {
  const server = await serve({ hangOn: 'tools/call' });
  const gate = await gateTo(server);
  const errors: LongwireError[] = [];
  const client = clientOf(gate.url, quick);
  client.on('error', (error) => errors.push(error));
  const call = client.callTool('echo', { message: 'x' }, { idempotent: true });
  await until(() => expect(runsOf(server, 'echo')).toHaveLength(1));
  delete server.mischief.hangOn;
  gate.shut();
  await until(() => expect(client.state.name).toBe('reconnecting'));
  await gate.open();
  expect(await call).toEqual(said('x'));
  expect(server.openedSessions()).toBe(1);
  expect(runsOf(server, 'echo')).toHaveLength(2);
  expect(errors).toEqual([]);
});
