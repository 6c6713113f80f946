import {
  Client,
  SSEClientTransport,
  StreamableHTTPClientTransport,
} from '@modelcontextprotocol/client';
import { McpServer } from '@modelcontextprotocol/server';
import { apiKeys, hashApiKey, mcp, serve, type McpMount, type Serving } from '@longwire/server';
import { parseRecording, type Picture } from '@longwire/recording';
import fastify from 'fastify';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { expectNothingLeftOpen } from '../../../../test/support/open-handles.ts';
import { until } from '../../../../test/support/until.ts';
import { page } from '../../src/page.ts';
import { OpenPage, send } from './page.ts';

expectNothingLeftOpen();

const SECRET = 'what ann asked';
const keys = { ann: 'a-key-of-ann', operator: 'a-key-of-the-operator' };
const auth = apiKeys({
  keys: Object.entries(keys).map(([principal, key]) => ({ principal, sha256: hashApiKey(key) })),
});
const allow = ({ id }: { id: string }): boolean => id === 'operator';

let release: () => void;
let closing: (() => Promise<unknown>)[];
beforeEach(() => {
  closing = [];
});
afterEach(async () => {
  for (const close of closing.reverse()) await close();
});

function create(): McpServer {
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  const server = new McpServer(
    { name: 'notes', version: '1.2.3' },
    { capabilities: { logging: {} } },
  );
  const text = z.object({ text: z.string() });
  server.registerTool('keep', { inputSchema: text }, ({ text: kept }) => ({
    content: [{ type: 'text', text: `kept: ${kept}` }],
  }));
  server.registerTool('fail', { inputSchema: text }, ({ text: said }) => ({
    content: [{ type: 'text', text: said }],
    isError: true,
  }));
  server.registerTool('slow', { inputSchema: text }, async ({ text: said }, { mcpReq }) => {
    const progressToken = mcpReq._meta?.progressToken ?? '';
    const params = { progressToken, progress: 1, total: 2, message: said };
    await mcpReq.notify({ method: 'notifications/progress', params });
    await mcpReq.notify({
      method: 'notifications/message',
      params: { level: 'warning', logger: 'store', data: said },
    });
    await released;
    return { content: [] };
  });
  server.registerResource('mine', 'file:///of-ann.txt', {}, () => ({ contents: [] }));
  return server;
}

async function serving(values?: boolean): Promise<{ serving: Serving; open: OpenPage }> {
  const served = await serve({
    create,
    auth,
    page: page({ allow, ...(values !== undefined && { values }) }),
  });
  closing.push(() => served.close());
  return { serving: served, open: openPage(served.url.replace(/\/mcp$/, '/page')) };
}

function openPage(url: string): OpenPage {
  return new OpenPage(`${url}?token=${keys.operator}`);
}

const TRANSPORTS = ['sse', 'streamable-http', 'stateless'] as const;

async function connected(url: string, transport: (typeof TRANSPORTS)[number]): Promise<Client> {
  const mode = transport === 'stateless' ? 'auto' : 'legacy';
  const client = new Client({ name: 'c', version: '1' }, { versionNegotiation: { mode } });
  const options = { requestInit: { headers: { authorization: `Bearer ${keys.ann}` } } };
  await client.connect(
    transport === 'sse'
      ? new SSEClientTransport(new URL(url.replace(/\/mcp$/, '/sse')), options)
      : new StreamableHTTPClientTransport(new URL(url), options),
  );
  closing.push(() => client.close());
  return client;
}

function named(picture: Picture, name: string) {
  return [...picture.inFlight, ...picture.ended].find((call) => call.name === name);
}

describe('who may open it', () => {
  it.each([
    ['nobody without credentials', {}, 401],
    ['nobody with wrong ones', { 'x-api-key': 'wrong' }, 401],
    ['nobody whom allow leaves out', { 'x-api-key': keys.ann }, 403],
    ['no other host', { 'x-api-key': keys.operator, host: 'evil.example' }, 403],
    ['no other origin', { 'x-api-key': keys.operator, origin: 'http://evil.example' }, 403],
    // The mount lets its tools be called from there.
    ['no other port of this machine', { ...own(), origin: 'http://127.0.0.1:1' }, 403],
    ['no page without an origin', { ...own(), origin: 'null' }, 403],
    ['no other page in a browser', { ...own(), 'sec-fetch-site': 'same-site' }, 403],
  ])('%s', async (_who, headers, status) => {
    const { open } = await serving();
    for (const path of ['', '/', '/api/stream', '/api/recording', '/assets/x.js', '/nothing']) {
      expect(await send(open.origin + path, { headers })).toMatchObject({ status });
    }
  });

  it('whoever is allowed, by a link, too; and a slash ends its address', async () => {
    const { open } = await serving();
    const linked = { ...own(), 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' };
    const first = await send(open.origin, { headers: linked });
    expect([first.status, first.headers.location]).toEqual([307, 'page/']);
    const shown = await send(`${open.origin}/`, { headers: linked });
    expect(shown.status).toBe(200);
    expect(shown.headers['content-security-policy']).toContain("default-src 'self'");
    // Nothing in it names a path of its server.
    expect(shown.body.match(/(?:src|href)="(?!data:)[^"]*"/g)).toEqual([
      expect.stringMatching(/^src="\.\/assets\//),
      expect.stringMatching(/^href="\.\/assets\//),
    ]);
    const [, script = ''] = /src="\.(\/assets\/[^"]+)"/.exec(shown.body) ?? [];
    expect((await open.get(script)).status).toBe(200);
    expect((await open.get('/nothing')).status).toBe(404);
  });

  it('and nobody can do anything by it', async () => {
    const { open } = await serving();
    const call = { server: 'server', method: 'tools/call', name: 'keep' };
    expect(JSON.parse((await open.post('/api/call', call)).body)).toMatchObject({
      error: { code: 'only-shown' },
    });
    expect((await open.post('/api/calls/1/cancel')).status).toBe(409);
    const form = { ...own(), 'content-type': 'application/json' };
    const sent = { method: 'POST', headers: form, body: '{}' };
    expect((await send(`${open.origin}/api/call`, sent)).status).toBe(403);
  });

  it('nobody where there is none', async () => {
    const served = await serve({ create, auth });
    closing.push(() => served.close());
    const { status } = await send(served.url.replace(/\/mcp$/, '/page'), { headers: own() });
    expect(status).toBe(404);
  });

  it('is an option that has to be given', () => {
    expect(() => page({} as never)).toThrow(/^page\.allow must be a function$/);
    expect(() => page({ allow, value: true } as never)).toThrow(/^page\.value is not an option/);
    expect(() => page({ allow, values: 'yes' } as never)).toThrow(/^page\.values must be/);
  });
});

describe.each(TRANSPORTS)('a client over %s', (transport) => {
  it('is seen while it calls, without values', async () => {
    const { serving: served, open } = await serving();
    await using followed = await open.follow();
    const client = await connected(served.url, transport);
    await client.listTools();
    await client.listResources();
    await client.callTool({ name: 'keep', arguments: { text: SECRET } });
    await client.callTool({ name: 'fail', arguments: { text: SECRET } });
    await client.callTool({ name: SECRET }).catch(() => undefined);
    const slow = client.callTool(
      { name: 'slow', arguments: { text: SECRET } },
      { onprogress: () => undefined },
    );
    await followed.until((picture) => named(picture, 'slow')?.progress);
    expect(named(followed.picture, 'slow')).toMatchObject({
      server: 'server',
      by: { who: 'ann' },
      attempts: [{ attempt: 1 }],
      progress: { progress: 1, total: 2 },
    });
    await until(() => release !== undefined);
    release();
    await slow;
    await followed.until((picture) => named(picture, 'slow')?.end);

    const { picture } = followed;
    expect(named(picture, 'keep')?.end).toMatchObject({ outcome: 'result' });
    expect(named(picture, 'fail')?.end).toMatchObject({ outcome: 'tool-error' });
    const server = picture.servers.get('server');
    expect(server?.known).toMatchObject({
      target: '/mcp',
      info: { name: 'notes', version: '1.2.3' },
    });
    expect(server?.catalogue.tools?.map(({ name }) => name)).toEqual(['keep', 'fail', 'slow']);
    expect(server?.catalogue.resources).toBeUndefined();
    const [snapshot] = followed.tap.events;
    expect(JSON.parse(snapshot?.data ?? '')).toMatchObject({ canCall: false, hasValues: false });

    // What the client asked for by name is known; what it said is nowhere.
    const recording = (await open.get('/api/recording')).body;
    const { lines, skipped } = parseRecording(recording);
    expect(skipped).toEqual({ unknown: 0, broken: 0, tooLarge: 0 });
    const others = lines.filter((line) => !('name' in line && line.name === SECRET));
    expect(JSON.stringify(others)).not.toContain(SECRET);
    expect(JSON.stringify(others)).not.toContain('of-ann.txt');
    expect(recording).not.toContain(keys.ann);
  });

  it('is seen with values where that is asked for', async () => {
    const { serving: served, open } = await serving(true);
    await using followed = await open.follow();
    const client = await connected(served.url, transport);
    await client.listResources();
    const text = 'x'.repeat(5000);
    await client.callTool({ name: 'keep', arguments: { text } });
    const slow = client.callTool(
      { name: 'slow', arguments: { text: 'half' } },
      { onprogress: () => undefined },
    );
    await followed.until((picture) => named(picture, 'slow')?.progress);
    release();
    await slow;
    await followed.until((picture) => named(picture, 'slow')?.end);
    const { picture } = followed;
    expect(named(picture, 'slow')).toMatchObject({
      arguments: { text: 'half' },
      progress: { message: 'half' },
    });
    expect(picture.servers.get('server')?.catalogue.resources).toMatchObject([
      { uri: 'file:///of-ann.txt' },
    ]);
    if (transport !== 'stateless') {
      expect(picture.events).toMatchObject([{ params: { level: 'warning', data: 'half' } }]);
    }
    // Large ones are sent whole to whoever asks.
    const number = named(picture, 'keep')?.call;
    const whole = JSON.parse((await open.get(`/api/calls/${number}`)).body) as object;
    expect(whole).toMatchObject({
      arguments: { text },
      end: { result: { content: [{ text: `kept: ${text}` }] } },
    });
  });
});

describe('sessions', () => {
  it('are counted by transport and version, until they end', async () => {
    const { serving: served, open } = await serving();
    await using followed = await open.follow();
    await connected(served.url, 'sse');
    const client = await connected(served.url, 'streamable-http');
    const counted = (): readonly object[] =>
      [...(followed.picture.servers.get('server')?.sessions ?? [])].sort((one, other) =>
        one.transport.localeCompare(other.transport),
      );
    await until(() => {
      expect(counted()).toEqual([
        { transport: 'sse', protocolVersion: '2025-11-25', count: 1 },
        { transport: 'streamable-http', protocolVersion: '2025-11-25', count: 1 },
      ]);
    });
    await (client.transport as StreamableHTTPClientTransport).terminateSession();
    await until(() => {
      expect(counted()).toMatchObject([{ transport: 'sse', count: 1 }]);
    });
    await served.close();
    await until(() => followed.tap.ended());
    expect(followed.names.at(-1)).toBe('bye');
    expect(followed.stateOf('server')).toBe('closed');
  });
});

describe('a server that stops', () => {
  it('says good-bye to the page, and does not cut it off', async () => {
    const { serving: served, open } = await serving();
    await using followed = await open.follow();
    await followed.tap.next('snapshot');
    await served.stop({ delayMs: 0 });
    await until(() => followed.tap.ended());
    expect([followed.names.at(-1), followed.stateOf('server')]).toEqual(['bye', 'closed']);
  });
});

describe('in an application of its own', () => {
  it('a mount has its page below its prefix, and what its program tells is one line', async () => {
    const app = fastify();
    closing.push(() => app.close());
    let mount: McpMount | undefined;
    await app.register(mcp, {
      create,
      prefix: '/api/v1',
      page: page({ allow: () => true }),
      onMount: (made) => (mount = made),
    });
    const origin = await app.listen({ host: '127.0.0.1', port: 0 });
    const open = openPage(`${origin}/api/v1/page`);
    await using followed = await open.follow();
    const headers = {};
    expect((await send(open.origin, { headers })).headers.location).toBe('page/');
    expect((await send(`${open.origin}/`, { headers })).status).toBe(200);
    const client = await connected(`${origin}/api/v1/mcp`, 'streamable-http');
    const other = await connected(`${origin}/api/v1/mcp`, 'streamable-http');
    expect([client.getServerVersion(), other.getServerVersion()]).toHaveLength(2);
    mount?.notify.toolsChanged();
    await followed.until(({ events }) => events.length > 0);
    expect(followed.picture.events).toMatchObject([
      { server: 'api/v1', method: 'notifications/tools/list_changed' },
    ]);
    expect([...followed.picture.ended].map(({ by }) => by)).toContainEqual({ who: 'anonymous' });
  });
});

describe('what is refused or cancelled', () => {
  it('is shown with what is certain of it', async () => {
    const served = await serve({
      create,
      page: page({ allow: () => true }),
      gates: [
        {
          hold: ({ target }) =>
            target === 'keep'
              ? { status: 403, code: -32_000, message: 'only read now' }
              : undefined,
        },
      ],
    });
    closing.push(() => served.close());
    const open = openPage(served.url.replace(/\/mcp$/, '/page'));
    await using followed = await open.follow();
    const client = await connected(served.url, 'streamable-http');
    await expect(client.callTool({ name: 'keep', arguments: { text: '' } })).rejects.toThrow();
    const cancelling = new AbortController();
    const slow = client.callTool(
      { name: 'slow', arguments: { text: '' } },
      { signal: cancelling.signal, onprogress: () => cancelling.abort() },
    );
    await expect(slow).rejects.toThrow();
    await followed.until((picture) => named(picture, 'slow')?.end);
    expect(named(followed.picture, 'keep')).toMatchObject({
      attempts: [],
      end: { error: { code: 'refused', certainty: 'refused', message: 'only read now' } },
    });
    expect(named(followed.picture, 'slow')?.end).toMatchObject({
      error: { code: 'aborted', certainty: 'outcome-unknown' },
    });
    release();
  });
});

function own(): Record<string, string> {
  return { 'x-api-key': keys.operator };
}
