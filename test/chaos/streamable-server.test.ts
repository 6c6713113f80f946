import { afterEach, describe, expect, it } from 'vitest';
import { expectNothingLeftOpen } from '../support/open-handles.ts';
import { until } from '../support/until.ts';
import { resultText } from './calls.ts';
import { startChaosServer, type ChaosServer, type ChaosServerOptions } from './chaos-server.ts';

expectNothingLeftOpen();

const closers: (() => PromiseLike<void> | void)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const ACCEPT = { accept: 'application/json, text/event-stream' };
const args = { key: 3, sizeBytes: 20, delayMs: 0, steps: 0 };
const call = { id: 9, method: 'tools/call', params: { name: 'write', arguments: args } };
const text = resultText('write', args);

async function setUp(options: Partial<ChaosServerOptions>) {
  const runs: number[] = [];
  const breaches: string[] = [];
  const server = await startChaosServer({
    transport: 'streamable-http',
    resumable: false,
    seed: 1,
    onRun: (key) => runs.push(key),
    onBreach: (what) => breaches.push(what),
    ...options,
  });
  closers.push(() => server[Symbol.asyncDispose]());
  return { server, runs, breaches };
}

async function ask(
  { origin, path }: ChaosServer,
  request: { method?: string; headers?: Record<string, string>; message?: object },
) {
  const { method = 'POST', headers = {}, message } = request;
  const abort = new AbortController();
  closers.push(() => abort.abort());
  const response = await fetch(origin + path, {
    method,
    headers: { ...ACCEPT, ...headers },
    ...(message !== undefined && { body: JSON.stringify({ jsonrpc: '2.0', ...message }) }),
    signal: abort.signal,
  });
  return { response, abort: () => abort.abort() };
}

async function initialize(server: ChaosServer): Promise<Record<string, string>> {
  const message = { id: 0, method: 'initialize', params: {} };
  const { response } = await ask(server, { message });
  await response.text();
  const session = {
    'mcp-session-id': response.headers.get('mcp-session-id') ?? '',
    'mcp-protocol-version': '2025-11-25',
  };
  await ask(server, { headers: session, message: { method: 'notifications/initialized' } });
  return session;
}

describe('the server over Streamable HTTP', () => {
  it.for<[string, number]>([
    ['application/json', 1],
    ['text/event-stream', 0],
  ])('answers a call with %s, and counts it', async ([type, documentShare]) => {
    const { server, runs, breaches } = await setUp({ documentShare });
    const headers = await initialize(server);
    const { response } = await ask(server, { headers, message: call });
    expect(response.headers.get('content-type')).toBe(type);
    const body = await response.text();
    expect(body).toContain(text);
    expect(body).not.toContain('id: ');
    expect([runs, breaches]).toEqual([[3], []]);
  });

  it('refuses, and reports, what breaks the protocol', async () => {
    const { server, runs, breaches } = await setUp({});
    const session = await initialize(server);
    const { 'mcp-session-id': _, ...withoutId } = session;
    const { 'mcp-protocol-version': __, ...withoutVersion } = session;
    const wrong = [withoutId, withoutVersion, { ...session, accept: 'application/json' }];
    for (const headers of wrong) {
      const { response } = await ask(server, { headers, message: call });
      expect(response.status).toBe(400);
      await response.text();
    }
    expect(runs).toEqual([]);
    expect(breaches).toHaveLength(wrong.length);
  });

  it('drops a session that is ended, unused, or restarted', async () => {
    const { server, breaches } = await setUp({ sessionLifeMs: 1000 });
    const ended = await initialize(server);
    const farewell = await ask(server, { method: 'DELETE', headers: ended });
    expect(farewell.response.status).toBe(204);
    const unused = await initialize(server);
    await until(() => server.liveSessions() === 0);
    const streaming = await initialize(server);
    await ask(server, { method: 'GET', headers: streaming });
    expect(server.openStreams()).toBe(1);
    server.restart({ cut: false });
    for (const headers of [ended, unused, streaming]) {
      const { response } = await ask(server, { headers, message: call });
      expect(response.status).toBe(404);
      await response.text();
    }
    expect(breaches).toEqual([]);
    expect([server.openedSessions(), server.liveSessions()]).toEqual([3, 0]);
  });

  it('keeps the rest of an answer for who comes back for it', async () => {
    const { server, runs } = await setUp({ resumable: true, documentShare: 0, pausedShare: 1 });
    const headers = await initialize(server);
    const { response } = await ask(server, { headers, message: call });
    const begun = await response.text();
    expect(begun).not.toContain(text);
    const [, id = ''] = /id: (\S+)/.exec(begun) ?? [];
    const resume = { method: 'GET', headers: { ...headers, 'last-event-id': id } };
    expect(await (await ask(server, resume)).response.text()).toContain(text);
    expect([runs, server.resumptions()]).toEqual([[3], 1]);
    const stranger = { method: 'GET', headers: { ...headers, 'last-event-id': 'nobody:1' } };
    expect((await ask(server, stranger)).response.status).toBe(400);
  });
});

describe('the stateless server', () => {
  const meta = {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28',
    'io.modelcontextprotocol/clientCapabilities': {},
  };
  const headers = {
    'mcp-protocol-version': '2026-07-28',
    'mcp-method': 'tools/call',
    'mcp-name': 'write',
  };
  const message = { ...call, params: { ...call.params, _meta: meta } };

  it('runs a call whose headers say what its body says, and no other', async () => {
    const { server, runs, breaches } = await setUp({ transport: 'stateless' });
    const { response } = await ask(server, { headers, message });
    expect(await response.text()).toContain(text);
    for (const wrong of [
      { headers: { ...headers, 'mcp-name': 'read' }, message },
      { headers: { ...headers, 'mcp-method': 'tools/list' }, message },
      { headers: { ...headers, 'mcp-session-id': 'any' }, message },
      { headers, message: call },
    ]) {
      const refused = await ask(server, wrong);
      expect(refused.response.status).toBe(400);
      await refused.response.text();
    }
    expect(runs).toEqual([3]);
    expect(breaches).toHaveLength(4);
  });

  it('speaks unasked to who listens, until they go away', async () => {
    const { server, breaches } = await setUp({ transport: 'stateless' });
    const listen = 'subscriptions/listen';
    const { response, abort } = await ask(server, {
      headers: { 'mcp-protocol-version': '2026-07-28', 'mcp-method': listen },
      message: { id: 1, method: listen, params: { notifications: {}, _meta: meta } },
    });
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    const read = async (): Promise<string> => new TextDecoder().decode((await reader.read()).value);
    expect(await read()).toContain('notifications/subscriptions/acknowledged');
    server.announce();
    expect(await read()).toContain('notifications/tools/list_changed');
    expect(server.openStreams()).toBe(1);
    abort();
    await until(() => expect(server.openStreams()).toBe(0));
    expect(breaches).toEqual([]);
  });
});
