import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { SSEClientTransport } from '@modelcontextprotocol/sdk/client/sse.js';
import { describe, expect, test } from 'vitest';
import { openEvents } from './event-tap.ts';
import { escapeSequences, type HostileSseServer, startHostileSse } from './hostile-sse.ts';
import { expectNothingLeftOpen } from './open-handles.ts';

expectNothingLeftOpen();

/** The official client of the transport, connected. */
async function connected(server: HostileSseServer): Promise<Client & AsyncDisposable> {
  const client = new Client({ name: 'self-test', version: '0' });
  await client.connect(new SSEClientTransport(new URL(server.url)));
  return Object.assign(client, { [Symbol.asyncDispose]: () => client.close() });
}

const echo = { name: 'echo', arguments: { message: 'hé' } };

test('serves the official client, and records what it sends', async () => {
  await using server = await startHostileSse();
  await using client = await connected(server);
  expect((await client.listTools()).tools.map(({ name }) => name)).toContain('echo');
  expect((await client.callTool(echo)).content).toEqual([{ type: 'text', text: 'hé' }]);
  expect((await client.callTool({ name: 'fail' })).isError).toBe(true);
  await expect(client.callTool({ name: 'none' })).rejects.toThrow('no tool none');

  const progress: number[] = [];
  await client.callTool({ name: 'slow', arguments: { ms: 50 } }, undefined, {
    onprogress: (step) => progress.push(step.progress),
  });
  expect(progress).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);

  const stopped = new AbortController();
  const call = client.callTool({ name: 'hang' }, undefined, { signal: stopped.signal });
  await expect.poll(() => server.messagesOf('tools/call').length).toBe(5);
  stopped.abort('enough');
  await expect(call).rejects.toThrow('enough');
  await expect.poll(() => server.messagesOf('notifications/cancelled').length).toBe(1);
  expect([server.openStreams(), server.openedSessions()]).toEqual([1, 1]);
});

test('insists on the handshake', async () => {
  await using server = await startHostileSse();
  await using stream = await openEvents(server.url);
  const { data: endpoint } = await stream.next('endpoint');
  const post = (body: object): Promise<Response> =>
    fetch(new URL(endpoint, server.url), {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ jsonrpc: '2.0', ...body }),
    });
  const errorOf = async (): Promise<string> => (await stream.next('message')).data;

  await post({ id: 1, method: 'tools/list' });
  expect(await errorOf()).toContain('not allowed while the session is new');
  await post({ id: 2, method: 'initialize', params: {} });
  expect(await errorOf()).toContain('"protocolVersion":"2024-11-05"');
  await post({ id: 3, method: 'tools/list' });
  expect(await errorOf()).toContain('not allowed while the session is initializing');
  expect(
    (await fetch(`${new URL(server.url).origin}/messages?sessionId=none`, { method: 'POST' }))
      .status,
  ).toBe(404);
});

describe.for([
  ['CRLF', { lineEnd: '\r\n' }],
  ['every byte by itself', { splitEveryByte: true }],
] as const)('with %s', ([, mischief]) => {
  test('still serves the official client', async () => {
    await using server = await startHostileSse(mischief);
    await using client = await connected(server);
    expect((await client.callTool(echo)).content).toEqual([{ type: 'text', text: 'hé' }]);
  });
});

test('ends lines with CR alone', async () => {
  await using server = await startHostileSse({ lineEnd: '\r' });
  const response = await fetch(server.url);
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  const { value } = (await reader?.read()) ?? {};
  expect(value).toMatch(/^event: endpoint\rdata: \/messages\?sessionId=[-\w]+\r\r$/);
  await reader?.cancel();
});

test('says what it was told to say', async () => {
  await using server = await startHostileSse();
  await using client = await connected(server);

  server.mischief.postFaults = [
    { method: 'tools/call', tool: 'echo', status: 500, body: 'broken', times: 1 },
  ];
  await expect(client.callTool(echo)).rejects.toThrow(/500.*broken/);
  server.mischief.escapeSequences = true;
  expect(JSON.stringify(await client.callTool(echo))).toContain(
    JSON.stringify(escapeSequences).slice(1, -1),
  );
  server.mischief.hugeEventBytes = 200_000;
  expect(JSON.stringify(await client.callTool(echo)).length).toBeGreaterThan(200_000);
});

test('drops the stream in the middle of a call', async () => {
  await using server = await startHostileSse();
  await using stream = await openEvents(server.url);
  const { data: endpoint } = await stream.next('endpoint');
  server.mischief.cutOnCall = true;
  const response = await fetch(new URL(endpoint, server.url), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: echo }),
  });
  expect(response.status).toBe(202);
  await response.text();
  await expect.poll(() => [stream.ended(), server.openStreams()]).toEqual([true, 0]);
});

describe('before anything is said', () => {
  test('asks for headers', async () => {
    await using server = await startHostileSse({ requiredHeaders: { 'X-Key': 'k' } });
    expect((await fetch(server.url)).status).toBe(401);
    await using stream = await openEvents(server.url, { headers: { 'x-key': 'k' } });
    await stream.next('endpoint');
  });

  test('keeps the endpoint to itself, or names one elsewhere', async () => {
    await using server = await startHostileSse({ endpoint: 'never' });
    await using silent = await openEvents(server.url);
    server.pushEvent('other', 'x');
    await silent.next('other');
    expect(silent.events).toHaveLength(1);

    server.mischief.endpoint = 'other-origin';
    await using stream = await openEvents(server.url);
    const { data: endpoint } = await stream.next('endpoint');
    expect(endpoint.startsWith(server.otherOrigin.origin)).toBe(true);
    expect(server.otherOrigin.acceptedConnections()).toBe(0);
    await fetch(endpoint, { method: 'POST', body: 'x' });
    expect(server.otherOrigin.requests).toMatchObject([{ method: 'POST', body: 'x' }]);
  });

  test('redirects, or answers with an error', async () => {
    await using server = await startHostileSse({
      redirect: { method: 'GET', status: 307, to: 'same-origin' },
    });
    await using stream = await openEvents(server.url);
    await stream.next('endpoint');
    server.mischief.redirect = { method: 'GET', status: 302, to: 'other-origin' };
    const response = await fetch(server.url, { redirect: 'manual' });
    expect(response.headers.get('location')).toBe(`${server.otherOrigin.origin}/sse`);

    delete server.mischief.redirect;
    server.mischief.getAnswer = { status: 503, headers: { 'retry-after': '1' } };
    expect((await fetch(server.url)).headers.get('retry-after')).toBe('1');
  });
});
