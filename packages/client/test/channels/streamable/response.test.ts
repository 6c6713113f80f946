import { describe, expect, it } from 'vitest';
import { until } from '../../../../../test/support/until.ts';
import type { LongwireError } from '../../../src/index.ts';
import { failureOf } from '../../support/failure-of.ts';
import { quick, runsOf, said, statesOf } from '../../support/recovery.ts';
import { atTheEndOfEachTest, heard, wireIdOf } from '../../support/streamable.ts';

const { setUp, gateTo, serve, client: clientOf } = atTheEndOfEachTest();

const json = { 'content-type': 'application/json' };
const error = (id: string): string =>
  `{"jsonrpc":"2.0","id":${id},"error":{"code":-32602,"message":"not like this"}}`;

/** A server that answers the calls of `odd` in its own way, and all others well. */
const answering = (status: number, headers: Record<string, string>, body: string) => ({
  postFaults: [{ tool: 'odd', status, headers, body }],
});

describe('the answer to a call', () => {
  it.each([400, 404, 422, 500])('may be a JSON-RPC error with HTTP status %i', async (status) => {
    const { server, client } = await setUp(answering(status, json, error('ID')));
    expect(await failureOf(client.callTool('odd'))).toMatchObject({
      code: 'server-error',
      certainty: 'answered',
      number: -32602,
    });
    expect(await client.callTool('echo', { message: 'x' })).toEqual(said('x'));
    expect(server.openedSessions()).toBe(1);
  });

  it('may be a result with an HTTP error', async () => {
    const body = '{"jsonrpc":"2.0","id":ID,"result":{"content":[]}}';
    const { client } = await setUp(answering(400, json, body));
    expect(await client.callTool('odd')).toEqual({ content: [] });
  });

  it('may be an error with the id null, if it can mean no other request', async () => {
    const { client } = await setUp(answering(200, json, error('null')));
    expect(await failureOf(client.callTool('odd'))).toMatchObject({ code: 'server-error' });
  });

  it('is an error with the text of an HTTP 4xx', async () => {
    const { server, client } = await setUp(answering(422, {}, 'no such thing'));
    const met = await failureOf(client.callTool('odd', {}, { idempotent: true }));
    expect(met).toMatchObject({ code: 'http-status', certainty: 'refused', status: 422 });
    expect(met.message).toContain('no such thing');
    expect(server.openedSessions()).toBe(1);
  });

  it('is unknown after an HTTP 5xx, and the call is not sent again', async () => {
    const { server, client } = await setUp(answering(500, {}, 'oh no'));
    const met = await failureOf(client.callTool('odd', {}, { idempotent: true }));
    expect(met).toMatchObject({ code: 'http-status', certainty: 'outcome-unknown', status: 500 });
    const posts = server.requestsOf('POST').filter(({ body }) => body.includes('"odd"'));
    expect(posts).toHaveLength(1);
  });

  it.each([
    ['202 without a body', 202, {}, ''],
    ['202 with JSON that says nothing', 202, json, ''],
    ['a page', 200, { 'content-type': 'text/html' }, '<html>hello</html>'],
    ['nothing, as JSON', 200, json, ''],
    ['nothing, as a stream', 200, { 'content-type': 'text/event-stream' }, ''],
    ['an answer to something else', 200, json, '{"jsonrpc":"2.0","id":987654,"result":{}}'],
    ['half of an answer', 200, json, '{"jsonrpc":"2.0","id":ID,"resu'],
  ])('is distinguished from %s', async (_what, status, headers, body) => {
    // Where there is no stream by GET, on which it might come after a 202.
    const getAnswer = { status: 405 };
    const { server, client } = await setUp({ ...answering(status, headers, body), getAnswer });
    const met = await failureOf(client.callTool('odd'));
    expect(['protocol', 'connection-lost']).toContain(met.code);
    expect(met.certainty).toBe('outcome-unknown');
    expect(await client.callTool('echo', { message: 'x' })).toEqual(said('x'));
    expect(server.openedSessions()).toBe(1);
    expect(
      server.requestsOf('POST').filter(({ body: sent }) => sent.includes('"odd"')),
    ).toHaveLength(1);
  });

  it('may come in an array, as in protocol 2025-03-26', async () => {
    const body = '[{"jsonrpc":"2.0","id":ID,"result":{"content":[]}}]';
    const { client } = await setUp(answering(200, json, body));
    expect(await client.callTool('odd')).toEqual({ content: [] });
    const stream = { 'content-type': 'text/event-stream' };
    const { client: another } = await setUp(answering(200, stream, `data: ${body}\n\n`));
    expect(await another.callTool('odd')).toEqual({ content: [] });
  });

  it('may begin with a byte order mark, or have another spelling of the content type', async () => {
    const result = '{"jsonrpc":"2.0","id":ID,"result":{"content":[]}}';
    const { server, client } = await setUp(
      answering(200, { 'content-type': 'Application/JSON; charset=utf-8' }, `\uFEFF${result}`),
    );
    expect(await client.callTool('odd')).toEqual({ content: [] });
    server.mischief.postFaults = [
      {
        tool: 'odd',
        status: 200,
        headers: { 'content-type': 'text/event-stream;charset=UTF-8' },
        body: `:\r\n\r\nevent: message\r\ndata: ${result}\r\n\r\n`,
      },
    ];
    expect(await client.callTool('odd')).toEqual({ content: [] });
  });
});

describe.each(['json', 'stream'] as const)('an answer over the limit, as %s', (answers) => {
  it('fails its call alone', async () => {
    const { server, client } = await setUp(
      { answers },
      { ...quick, limits: { maxEventBytes: 20_000 } },
    );
    const message = 'x'.repeat(30_000);
    const states = statesOf(client);
    const met = await failureOf(client.callTool('echo', { message }, { idempotent: true }));
    expect(met).toMatchObject({ code: 'limit-exceeded', certainty: 'outcome-unknown' });
    expect(runsOf(server, 'echo')).toHaveLength(1);
    expect(await client.callTool('echo', { message: 'x' })).toEqual(said('x'));
    expect(states).toEqual([]);
    expect(server.openedSessions()).toBe(1);
  });
});

describe('a deferred call', () => {
  it.each([429, 503])('by %i with Retry-After is sent again, and runs once', async (status) => {
    const { server, client } = await setUp({
      postFaults: [{ tool: 'add', status, headers: { 'retry-after': '0' }, times: 2 }],
    });
    expect(await client.callTool('add', { a: 1, b: 2 })).toEqual(said('3'));
    expect(runsOf(server, 'add')).toHaveLength(1);
    expect(server.openedSessions()).toBe(1);
  });

  it('fails at once if the delay is longer than its timeout', async () => {
    const { server, client } = await setUp({
      postFaults: [{ tool: 'add', status: 429, headers: { 'retry-after': '3600' } }],
    });
    const met = await failureOf(client.callTool('add', { a: 1, b: 2 }));
    expect(met).toMatchObject({ code: 'http-status', certainty: 'refused', status: 429 });
    expect(runsOf(server, 'add')).toEqual([]);
  });
});

describe('a server that cannot be reached', () => {
  it('while no response is open: calls wait for it, and run once', async () => {
    const server = await serve();
    const gate = await gateTo(server);
    const client = clientOf(gate.url, {
      ...quick,
      retry: { ...quick.retry, maxAttempts: Infinity },
    });
    const states = statesOf(client);
    await client.callTool('echo', { message: 'x' });
    await heard(server);
    gate.shut();
    await until(() => expect(client.state.name).toBe('reconnecting'));
    const call = client.callTool('add', { a: 1, b: 1 });
    await gate.open();
    expect(await call).toEqual(said('2'));
    expect(runsOf(server, 'add')).toHaveLength(1);
    expect(states.at(-1)).toMatchObject({ name: 'ready' });
  });

  it('is noticed by a call if there is no GET stream', async () => {
    const server = await serve({ getAnswer: { status: 405 } });
    const gate = await gateTo(server);
    const client = clientOf(gate.url, {
      ...quick,
      retry: { ...quick.retry, maxAttempts: Infinity },
    });
    await client.callTool('echo', { message: 'x' });
    gate.shut();
    await until(() => expect(server.openConnections()).toBe(0));
    const call = client.callTool('echo', { message: 'y' }, { idempotent: true });
    await until(() => expect(client.state.name).toBe('reconnecting'));
    await gate.open();
    expect(await call).toEqual(said('y'));
  });

  it('while a response is open: only new connections are refused', async () => {
    const server = await serve({ getAnswer: { status: 405 } });
    const { proxy, url } = await gateTo(server);
    const client = clientOf(url);
    const errors: LongwireError[] = [];
    client.on('error', (met) => errors.push(met));
    await client.connect();
    server.mischief.hangOn = 'tools/call';
    const flowing = client.callTool('write');
    await until(() => expect(server.openReplies()).toBe(1));
    delete server.mischief.hangOn;
    const states = statesOf(client);
    proxy.refuse();
    // One goes out on a connection that is open; the others need new ones.
    const others = ['a', 'b', 'c'].map((message) => client.callTool('echo', { message }));
    const id = wireIdOf(server, 'write');
    await until(() => expect(runsOf(server, 'echo').length).toBeGreaterThan(0));
    server.push({ jsonrpc: '2.0', id, result: { content: [] } }, 'replies');
    expect(await flowing).toEqual({ content: [] });
    expect(states).toEqual([]);
    await proxy.resume();
    expect(await Promise.all(others)).toEqual(['a', 'b', 'c'].map(said));
    expect(runsOf(server, 'echo')).toHaveLength(3);
    expect(runsOf(server, 'write')).toHaveLength(1);
  });
});

it('a call whose stream breaks before its answer is sent again only if that is safe', async () => {
  const { server, client } = await setUp({
    postFaults: [{ method: 'tools/call', status: 0, breaksOff: true, times: 1 }],
  });
  expect(await failureOf(client.callTool('add', { a: 1, b: 1 }))).toMatchObject({
    code: 'connection-lost',
    certainty: 'outcome-unknown',
  });
  server.mischief.postFaults = [{ method: 'tools/call', status: 0, breaksOff: true, times: 2 }];
  expect(await client.callTool('echo', { message: 'x' }, { idempotent: true })).toEqual(said('x'));
  expect(server.openedSessions()).toBe(1);
});
