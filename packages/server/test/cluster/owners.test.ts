import { McpServer } from '@modelcontextprotocol/server';
import type { IncomingHttpHeaders } from 'node:http';
import { describe, expect, it } from 'vitest';
import type { McpMount } from '../../src/index.ts';
import { endpointOf, post, stream, type Answer } from '../fixture.ts';
import { createSample } from '../sample-server.ts';
import { servingNodes, type ServedNode } from '../support/nodes.ts';

const VERSION = '2025-11-25';

interface Message {
  readonly result?: { readonly content?: readonly { readonly text?: string }[] };
  readonly error?: { readonly code: number; readonly message: string; readonly data?: unknown };
}

async function send(node: ServedNode, body: object, session?: string): Promise<Answer> {
  return post(node.url, body, {
    accept: 'application/json',
    ...(session !== undefined && { 'mcp-session-id': session, 'mcp-protocol-version': VERSION }),
  });
}

async function ask(node: ServedNode, body: object, session: string): Promise<Message> {
  return JSON.parse((await send(node, body, session)).text) as Message;
}

function initialize(): object {
  const clientInfo = { name: 'test', version: '0' };
  const params = { protocolVersion: VERSION, capabilities: { roots: {} }, clientInfo };
  return { jsonrpc: '2.0', id: 'init', method: 'initialize', params };
}

async function opened(node: ServedNode): Promise<string> {
  const { headers } = await send(node, initialize());
  const session = String(headers['mcp-session-id']);
  await send(node, { jsonrpc: '2.0', method: 'notifications/initialized' }, session);
  return session;
}

function call(id: number, name = 'echo', args: object = { message: `m${id}` }): object {
  return { jsonrpc: '2.0', id, method: 'tools/call', params: { name, arguments: args } };
}

async function two(
  options: Parameters<typeof servingNodes>[1] = {},
): Promise<{ cluster: Awaited<ReturnType<typeof servingNodes>>['cluster'] } & Pair> {
  const { cluster, nodes } = await servingNodes(['a', 'b'], options);
  const [a, b] = nodes as [ServedNode, ServedNode];
  return { cluster, a, b };
}

interface Pair {
  readonly a: ServedNode;
  readonly b: ServedNode;
}

describe('a session whose requests all come to another node', () => {
  it.each([
    [true, 'b'],
    [false, 'a'],
  ])('moves there if servers may be made again: %j', async (hibernate, owner) => {
    const { cluster, a, b } = await two({ hibernate });
    const session = await opened(a);
    for (let id = 1; id <= 20; id++) {
      expect((await ask(b, call(id), session)).result?.content).toEqual([
        { type: 'text', text: `m${id}` },
      ]);
    }
    expect(cluster.kept.get(session)?.owner).toBe(owner);
    expect(b.samples).toHaveLength(hibernate ? 1 : 0);
    // A client of the first one that comes in between keeps it there.
    expect((await ask(a, call(30), session)).result).toBeDefined();
  });
});

describe('a session that was taken over', () => {
  it('asks with ids of its own, so that no answer of before reaches its server', async () => {
    const { cluster, a, b } = await two();
    const sse = await stream(a.sseUrl);
    const endpoint = new URL(await endpointOf(sse, a.sseUrl));
    const atB = new URL(`${endpoint.pathname}${endpoint.search}`, b.url);
    await post(endpoint.href, initialize());
    await sse.nextOf('message');
    await post(endpoint.href, { jsonrpc: '2.0', method: 'notifications/initialized' });
    await post(endpoint.href, call(1, 'ask', {}));
    const first = JSON.parse(await sse.nextOf('message')) as { id: unknown; method: string };
    expect(first).toMatchObject({ id: 0, method: 'roots/list' });
    cluster.kill('a');

    const session = endpoint.searchParams.get('sessionId');
    const again = await stream(b.sseUrl, { 'last-event-id': `${session}.1` });
    await endpointOf(again, b.sseUrl);
    await post(atB.href, call(2, 'ask', {}));
    const said = new Map<unknown, Record<string, unknown>>();
    const next = async (id: unknown): Promise<Record<string, unknown>> => {
      while (!said.has(id)) {
        const message = JSON.parse(await again.nextOf('message')) as Record<string, unknown>;
        said.set(message['id'], message);
      }
      return said.get(id) as Record<string, unknown>;
    };
    // What had begun is not run again; its question is not asked again either.
    expect(await next(1)).toMatchObject({ error: { data: { certainty: 'outcome-unknown' } } });
    expect(await next('longwire:2:0')).toMatchObject({ method: 'roots/list' });
    const answer = (id: unknown, uri: string): object => ({
      jsonrpc: '2.0',
      id,
      result: { roots: [{ uri }] },
    });
    await post(atB.href, answer(first.id, 'file:///old'));
    await post(atB.href, answer('longwire:2:0', 'file:///new'));
    expect(await next(2)).toMatchObject({ result: { content: [{ text: 'file:///new' }] } });
  });

  it('has its tasks, as its version has', async () => {
    const { cluster, a, b } = await two({ tasks: { echo: { task: 'optional' } } });
    const session = await opened(a);
    cluster.kill('a');
    const task = { ...call(1), params: { name: 'echo', arguments: { message: 'm' }, task: {} } };
    expect(await ask(b, task, session)).toMatchObject({ result: { task: { status: 'working' } } });
  });

  it('is taken over by one of those that meet it at once, and answers them all', async () => {
    const { cluster, nodes } = await servingNodes(['a', 'b', 'c']);
    const [a, b, c] = nodes as [ServedNode, ServedNode, ServedNode];
    const session = await opened(a);
    cluster.kill('a');
    const ids = [1, 2, 3, 4, 5, 6];
    const answers = await Promise.all(
      ids.map((id) => ask(id % 2 === 0 ? b : c, call(id), session)),
    );
    expect(answers.map(({ result }) => result?.content?.[0]?.text)).toEqual(
      ids.map((id) => `m${id}`),
    );
    expect(b.samples.length + c.samples.length).toBe(1);
    expect(cluster.kept.get(session)?.fence).toBe(2);
  });
});

it('is counted where it is taken over, let go and lost', async () => {
  const { cluster, a, b } = await two({ metrics: true });
  const session = await opened(a);
  cluster.kill('a');
  expect((await ask(b, call(1), session)).result).toBeDefined();
  cluster.revive('a');
  const figures = async ({ url }: ServedNode): Promise<string[]> => {
    const text = await (await fetch(new URL('/metrics', url))).text();
    return text.split('\n').filter((line) => /^longwire_server_(cluster_)?sessions\w* /.test(line));
  };
  expect(await figures(a)).toEqual([
    'longwire_server_sessions 0',
    'longwire_server_sessions_hibernating 0',
    'longwire_server_cluster_sessions_taken_over 0',
    'longwire_server_cluster_sessions_let_go 0',
    'longwire_server_cluster_sessions_lost 1',
  ]);
  expect(await figures(b)).toEqual([
    'longwire_server_sessions 1',
    'longwire_server_sessions_hibernating 0',
    'longwire_server_cluster_sessions_taken_over 1',
    'longwire_server_cluster_sessions_let_go 0',
    'longwire_server_cluster_sessions_lost 0',
  ]);
});

describe('a limit of sessions', () => {
  it('of one principal is that of all nodes', async () => {
    const { a, b } = await two({ auth: () => ({ id: 'ada' }), maxSessionsPerPrincipal: 2 });
    await opened(a);
    const second = await opened(b);
    expect((await send(a, initialize())).status).toBe(429);
    expect((await send(b, initialize())).status).toBe(429);
    await fetch(a.url, { method: 'DELETE', headers: { 'mcp-session-id': second } });
    expect((await send(a, initialize())).status).toBe(200);
  });
});

describe('an operator', () => {
  it('ends a session of any node', async () => {
    const mounts: McpMount[] = [];
    const { cluster, a, b } = await two({ onMount: (mount) => mounts.push(mount) });
    const [first, second] = mounts;
    const one = await opened(a);
    expect(await second?.endSession(one)).toBe(true);
    await expect.poll(() => cluster.kept.has(one)).toBe(false);
    expect((await send(b, call(1), one)).status).toBe(404);
    expect((await send(a, call(1), one)).status).toBe(404);
    expect(await first?.endSession(one)).toBe(false);

    const left = await opened(a);
    cluster.kill('a');
    expect(await second?.endSession(left)).toBe(true);
    expect(cluster.kept.has(left)).toBe(false);
  });
});

describe('while the store of the cluster is away', () => {
  it('says so, refuses what needs it, and goes on when it is back', async () => {
    const { cluster, a } = await two();
    const session = await opened(a);
    const ready = (): Promise<Response> => fetch(new URL('/readyz', a.url));
    cluster.isAway = true;
    expect((await ready()).status).toBe(503);
    expect(await (await ready()).json()).toEqual({ status: 'cluster away' });
    for (const refused of [await send(a, initialize()), await send(a, call(1), session)]) {
      expect(refused.status).toBe(503);
      expect(refused.headers['retry-after']).toBe('1');
      expect(refused.text).toContain('nothing has run');
    }
    cluster.isAway = false;
    expect((await ready()).status).toBe(200);
    expect((await ask(a, call(1), session)).result?.content?.[0]?.text).toBe('m1');
  });
});

it('the store has no credentials of clients, and a next owner those of the request that met it', async () => {
  const given: IncomingHttpHeaders[] = [];
  const { cluster, a, b } = await two({
    create: ({ headers }) => {
      given.push(headers);
      return createSample().server;
    },
  });
  const credentials = ['authorization', 'cookie', 'x-api-key', 'api_key', 'x-amz-security-token'];
  const headersWith = (value: string): Record<string, string> =>
    Object.fromEntries(credentials.map((name) => [name, value]));
  const { headers } = await post(a.url, initialize(), {
    accept: 'application/json',
    'x-tenant': 'one',
    ...headersWith('first'),
  });
  const session = String(headers['mcp-session-id']);
  const kept = cluster.kept.get(session)?.record.headers;
  expect(kept).toMatchObject({ 'x-tenant': 'one' });
  expect(JSON.stringify(kept)).not.toContain('first');
  cluster.kill('a');
  await post(b.url, call(1), {
    accept: 'application/json',
    'mcp-session-id': session,
    'mcp-protocol-version': VERSION,
    'x-tenant': 'two',
    ...headersWith('second'),
  });
  expect(given[1]).toMatchObject({ 'x-tenant': 'one', ...headersWith('second') });
});

it('tells a client that it can come back once a next owner would know of its call', async () => {
  let begun = (): void => {};
  const isBegun = new Promise<void>((resolve) => (begun = resolve));
  const create = (): McpServer => {
    const server = new McpServer({ name: 'slow', version: '1' });
    server.registerTool('look', { annotations: { readOnlyHint: true } }, async ({ mcpReq }) => {
      begun();
      await new Promise((resolve) => mcpReq.signal.addEventListener('abort', resolve));
      return { content: [] };
    });
    return server;
  };
  const { cluster, a } = await two({ create });
  const session = await opened(a);
  // A tool that may run twice runs at once, whatever the store does.
  await ask(a, { jsonrpc: '2.0', id: 0, method: 'tools/list' }, session);
  let release = (): void => {};
  const released = new Promise<void>((resolve) => (release = resolve));
  const node = cluster.nodes.get('a');
  const begin = node?.begin.bind(node);
  Object.assign(node ?? {}, {
    begin: async (...args: Parameters<NonNullable<typeof begin>>) => {
      await released;
      await begin?.(...args);
    },
  });
  const sent = fetch(a.url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'mcp-session-id': session,
      'mcp-protocol-version': VERSION,
    },
    body: JSON.stringify(call(1, 'look', {})),
  });
  let isOpen = false;
  void sent.then(() => (isOpen = true));
  await isBegun;
  // Whatever is sent at once would be there before this is answered.
  for (const path of ['/healthz', '/readyz']) await fetch(new URL(path, a.url));
  expect(isOpen).toBe(false);
  release();
  const chunks = (await sent).body?.getReader();
  let text = '';
  while (!text.includes('data: \n\n')) text += Buffer.from((await chunks?.read())?.value ?? []);
  expect(text).toContain('id: 3.0\ndata: \n\n');
  await chunks?.cancel();
});
