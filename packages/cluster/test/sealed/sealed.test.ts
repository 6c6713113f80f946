import { randomBytes } from 'node:crypto';
import { hashApiKey, apiKeys, serve, type McpOptions, type Serving } from '@longwire/server';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { McpServer } from '@modelcontextprotocol/server';
import { afterEach, expect, test } from 'vitest';
import * as z from 'zod';
import { expectNothingLeftOpen } from '../../../../test/support/open-handles.ts';
import { sealed } from '../../src/index.ts';

expectNothingLeftOpen();

const key = randomBytes(32);
const open: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

/** Each server tells which it is, and what it knows of its client. */
let made = 0;
function create(): McpServer {
  const name = `server ${++made}`;
  const server = new McpServer(
    { name: 'sealed', version: '1' },
    { capabilities: { logging: {}, tools: { listChanged: true }, resources: { subscribe: true } } },
  );
  const text = (said: unknown) => ({
    content: [{ type: 'text' as const, text: JSON.stringify(said) }],
  });
  server.registerTool('who', {}, () => text([name, server.server.getClientVersion()?.name]));
  server.registerTool('steps', {}, async ({ mcpReq }) => {
    const { progressToken } = mcpReq._meta ?? {};
    if (progressToken === undefined) return text('no token');
    const notify = (progress: number): Promise<void> =>
      mcpReq.notify({ method: 'notifications/progress', params: { progressToken, progress } });
    await notify(1);
    await new Promise((resolve) => setImmediate(resolve));
    return text('done');
  });
  server.registerTool(
    'ask',
    { inputSchema: z.object({ raw: z.boolean() }) },
    async ({ raw }, { mcpReq }) => {
      const asked = raw
        ? server.server.request({ method: 'roots/list' })
        : mcpReq.elicitInput({ message: '?', requestedSchema: { type: 'object', properties: {} } });
      return text(
        await asked.then(
          () => 'answered',
          (error: unknown) => String(error),
        ),
      );
    },
  );
  server.registerResource('note', 'note://one', {}, () => ({ contents: [] }));
  return server;
}

async function node(options: Partial<McpOptions> = {}): Promise<Serving> {
  const serving = await serve({ create, cluster: sealed(key), ...options });
  open.push(() => serving.close());
  return serving;
}

/** Each request goes to the next node. */
function inTurns(nodes: readonly Serving[]): typeof fetch {
  let next = 0;
  return (input, init) => {
    const url = new URL(input instanceof Request ? input.url : input);
    url.port = new URL(nodes[next++ % nodes.length]?.url ?? '').port;
    return fetch(url, init);
  };
}

async function connected(
  nodes: readonly Serving[],
  headers: Record<string, string> = {},
): Promise<{ client: Client; transport: StreamableHTTPClientTransport }> {
  const transport = new StreamableHTTPClientTransport(new URL(nodes[0]?.url ?? ''), {
    fetch: inTurns(nodes),
    requestInit: { headers },
  });
  const client = new Client(
    { name: 'ada', version: '1' },
    { capabilities: { elicitation: {}, roots: {} } },
  );
  client.setRequestHandler('elicitation/create', () => ({ action: 'accept', content: {} }));
  client.setRequestHandler('roots/list', () => ({ roots: [] }));
  await client.connect(transport);
  open.push(() => client.close());
  return { client, transport };
}

const said = async (client: Client, name: string, args: object = {}): Promise<unknown> => {
  const { content } = await client.callTool({ name, arguments: { ...args } });
  return JSON.parse((content as { text: string }[])[0]?.text ?? '');
};

test('each node serves each request of a session, by a server that knows its client', async () => {
  const nodes = [await node(), await node(), await node()];
  const { client } = await connected(nodes);
  const servers = new Set<unknown>();
  for (let call = 0; call < 9; call++) {
    const [server, name] = (await said(client, 'who')) as string[];
    expect(name).toBe('ada');
    servers.add(server);
  }
  expect(servers.size).toBe(3);
  const all = await Promise.all(Array.from({ length: 30 }, () => said(client, 'who')));
  expect(new Set(all.map((one) => (one as string[])[0]))).toEqual(servers);
});

test('progress comes with its request', async () => {
  const { client } = await connected([await node(), await node()]);
  const seen: number[] = [];
  const { content } = await client.callTool(
    { name: 'steps', arguments: {} },
    { onprogress: ({ progress }) => seen.push(progress) },
  );
  expect([seen, content]).toEqual([[1], [{ type: 'text', text: '"done"' }]]);
});

test('what cannot be promised is neither promised nor done', async () => {
  const serving = await node();
  const { client, transport } = await connected([serving]);
  expect(client.getServerCapabilities()).toEqual({ tools: {}, resources: {}, experimental: {} });
  expect(await said(client, 'ask', { raw: false })).toMatch(/does not support.*elicitation/);
  expect(await said(client, 'ask', { raw: true })).toMatch(/cannot be asked|does not support/);
  for (const request of [
    { method: 'logging/setLevel', params: { level: 'info' } },
    { method: 'resources/subscribe', params: { uri: 'note://one' } },
    { method: 'tasks/list', params: {} },
  ]) {
    const answer = await fetch(serving.url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'mcp-session-id': transport.sessionId ?? '',
        'mcp-protocol-version': '2025-11-25',
      },
      body: JSON.stringify({ jsonrpc: '2.0', id: request.method, ...request }),
    });
    expect(await answer.json()).toMatchObject({ error: { code: -32_601 } });
  }
  const statusOf = async (path: string, method = 'GET'): Promise<number> => {
    const { status, body } = await fetch(new URL(path, serving.url), {
      method,
      headers: { 'mcp-session-id': transport.sessionId ?? '', accept: 'text/event-stream' },
    });
    await body?.cancel();
    return status;
  };
  expect(await Promise.all(['/mcp', '/sse'].map((path) => statusOf(path)))).toEqual([405, 405]);
  expect(await statusOf('/messages', 'POST')).toBe(405);
  await expect(node({ toolEvents: true })).rejects.toThrow(/toolEvents cannot be served/);
  await expect(node({ tasks: { steps: 'optional' } })).rejects.toThrow(/tasks cannot be kept/);
});

test('a session belongs to its principal, on every node', async () => {
  const auth = apiKeys({
    keys: ['ada', 'bob'].map((principal) => ({ principal, sha256: hashApiKey(principal) })),
  });
  const nodes = [await node({ auth }), await node({ auth })];
  const { transport } = await connected([nodes[0] as Serving], { authorization: 'Bearer ada' });
  const ping = async (who: string, id = transport.sessionId ?? ''): Promise<number> => {
    const { status, body } = await fetch(nodes[1]?.url ?? '', {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'mcp-session-id': id,
        authorization: `Bearer ${who}`,
      },
      body: JSON.stringify({ jsonrpc: '2.0', id: 'ping', method: 'ping' }),
    });
    await body?.cancel();
    return status;
  };
  expect(await ping('bob')).toBe(404);
  expect(await ping('ada')).toBe(200);
  expect(await ping('ada', `${transport.sessionId}A`)).toBe(404);
});

test('a client of 2026-07-28 needs no session, and listens to nothing', async () => {
  const serving = await node();
  const client = new Client(
    { name: 'ada', version: '1' },
    { versionNegotiation: { mode: 'auto' } },
  );
  await client.connect(new StreamableHTTPClientTransport(new URL(serving.url)));
  open.push(() => client.close());
  expect(client.getNegotiatedProtocolVersion()).toBe('2026-07-28');
  expect((await client.listTools()).tools.length).toBe(3);
});

test('a wrong key or option is said at once', () => {
  expect(() => sealed('short')).toThrow(/keys\[0\] must be 32 bytes/);
  expect(() => sealed([])).toThrow(/give a key/);
  expect(() => sealed(key, { lifetimeMs: 0 })).toThrow(/lifetimeMs/);
  expect(() => sealed(key, { lifetime: 1 } as never)).toThrow(/no option lifetime/);
});
