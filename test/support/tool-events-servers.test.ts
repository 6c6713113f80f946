import { expect, test } from 'vitest';
import { type EventTap, openEvents, readEvents } from './event-tap.ts';
import { startToolEventsServer, type ToolEventsServer } from './tool-events-servers.ts';

async function open(server: ToolEventsServer): Promise<EventTap> {
  return openEvents(`${server.url}/sse`, { headers: { api_key: server.apiKey } });
}

function post(server: ToolEventsServer, path: string, body: unknown): Promise<Response> {
  return fetch(server.url + path, {
    method: 'POST',
    headers: { api_key: server.apiKey, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
}

function call(server: ToolEventsServer, sessionId: string, message: string): Promise<Response> {
  const body = { session_id: sessionId, tool: 'echo', args: { message } };
  return post(server, '/sse', body);
}

const initialize = { jsonrpc: '2.0', id: 0, method: 'initialize', params: {} };

test('a server that answers in the body sends no content type and never ends it', async () => {
  await using server = await startToolEventsServer({ kind: 'answers-in-body' });
  await using stream = await open(server);
  const endpoint = (await stream.next('endpoint')).data;
  expect(JSON.parse((await stream.next('tools')).data)).toContainEqual(
    expect.objectContaining({ name: 'add', inputSchema: expect.anything() }),
  );

  const sessionId = endpoint.split('=')[1] ?? '';
  const response = await call(server, sessionId, 'hi');
  expect([response.status, response.headers.get('content-type')]).toEqual([200, null]);
  await using answer = readEvents(response);
  expect(await answer.next('result')).toEqual({ event: 'result', data: '"hi"' });
  expect(answer.ended()).toBe(false);

  await using rejection = readEvents(await post(server, endpoint, initialize));
  expect((await rejection.next('error')).data).toContain('unknown tool');
  expect(server.calls).toEqual([{ sessionId, tool: 'echo', args: { message: 'hi' } }]);
});

test('a server that answers on the stream mixes up calls that are not queued', async () => {
  await using server = await startToolEventsServer({ kind: 'answers-on-stream' });
  await using stream = await open(server);
  const endpoint = (await stream.next('endpoint')).data;
  const sessionId = endpoint.split('=')[1] ?? '';

  expect((await post(server, endpoint, initialize)).status).toBe(202);
  expect((await stream.next('error')).data).toContain('unknown tool');

  const slow = { session_id: sessionId, tool: 'slow', args: { ms: 300 } };
  const responses = [await post(server, '/sse', slow), await call(server, sessionId, 'hi')];
  expect(responses.map(({ status }) => status)).toEqual([202, 202]);
  expect((await stream.next('result')).data).toBe('"hi"');
  expect((await stream.next('result')).data).toBe('{"slept":300}');
  expect(server.maxInFlight()).toBe(2);
});

test('a server with a fixed endpoint takes nothing elsewhere', async () => {
  await using server = await startToolEventsServer({ kind: 'fixed-endpoint' });
  await using stream = await open(server);
  expect((await stream.next('endpoint')).data).toBe('/messages/?session_id=abc&v=2');

  expect((await post(server, '/messages/?session_id=abc&v=2', initialize)).status).toBe(422);
  expect((await post(server, '/messages?session_id=abc&v=2', initialize)).status).toBe(404);
  expect((await post(server, '/messages/?session_id=abc', initialize)).status).toBe(404);
  expect((await call(server, 'abc&v=2', 'hi')).status).toBe(404);
  expect(await (await call(server, 'abc', 'hi')).text()).toBe('event: result\ndata: "hi"\n\n');
});

test('without the key nothing is taken, and what arrived is recorded', async () => {
  await using server = await startToolEventsServer({ kind: 'answers-in-body' });
  const responses = await Promise.all([
    fetch(`${server.url}/sse`),
    fetch(`${server.url}/sse`, { method: 'POST', body: '{}', headers: { api_key: 'wrong' } }),
  ]);
  expect(responses.map(({ status }) => status)).toEqual([401, 401]);
  expect(server.requests.map(({ method }) => method).toSorted()).toEqual(['GET', 'POST']);
});

test('events can be pushed and streams cut', async () => {
  await using server = await startToolEventsServer({ kind: 'answers-in-body' });
  await using stream = await open(server);
  await stream.next('tools');
  server.push('tools', [{ name: 'other' }]);
  expect((await stream.next('tools')).data).toBe('[{"name":"other"}]');
  server.push('price', 'up');
  expect((await stream.next('price')).data).toBe('up');
  server.cut();
  await expect.poll(() => [stream.ended(), server.openStreams()]).toEqual([true, 0]);
});
