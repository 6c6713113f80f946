import { describe, expect, it } from 'vitest';
import type { ServerResponse } from 'node:http';
import { startHostileSse } from '../../../../test/support/hostile-sse.ts';
import { startHttpFixture } from '../../../../test/support/http-fixture.ts';
import { expectNothingLeftOpen } from '../../../../test/support/open-handles.ts';
import {
  goodAnswers,
  scripted,
  scriptedServers,
  type ScriptedAnswers,
} from '../../../../test/support/scripted-servers.ts';
import { startStreamable } from '../../../../test/support/streamable-fixture.ts';
import { until } from '../../../../test/support/until.ts';
import { connect, type LongwireClient, type LongwireError } from '../../src/index.ts';
import { failureOf } from '../support/failure-of.ts';

expectNothingLeftOpen();

const transports = ['sse', 'streamable-http', 'stdio', 'in-memory'] as const;
type Transport = (typeof transports)[number];
const limits = { timeouts: { connectMs: 10_000 } };

/** Runs with a client of a server that answers so, and gives the errors that it told. */
async function withServer(
  transport: Transport,
  answers: ScriptedAnswers,
  run: (client: LongwireClient) => Promise<void>,
): Promise<LongwireError[]> {
  await using server = await scriptedServers[transport]({ ...goodAnswers, ...answers });
  await using client = await connect(server.target, limits);
  const errors: LongwireError[] = [];
  client.on('error', (error) => errors.push(error));
  await run(client);
  return errors;
}

const names = async (client: LongwireClient): Promise<string[]> =>
  (await client.listTools()).map(({ name }) => name);

describe.each(['sse', 'streamable-http', 'stdio'] as const)('a batch over %s', (transport) => {
  it('is read everywhere, whatever else is in it', async () => {
    const note = '{"jsonrpc":"2.0","method":"notifications/message","params":{"data":1}}';
    const batched = Object.entries(goodAnswers).map(([method, text]) => [
      method,
      `[${note},${text},${note}]`,
    ]);
    let notes = 0;
    const answers = Object.fromEntries(batched) as ScriptedAnswers;
    const errors = await withServer(transport, answers, async (client) => {
      client.on('notification', () => notes++);
      expect(await names(client)).toEqual(['echo']);
      expect(await client.callTool('echo')).toMatchObject({ content: [{ text: 'said' }] });
      await until(() => expect(notes).toBeGreaterThanOrEqual(2));
    });
    expect(errors).toEqual([]);
  });
});

const tools = (name: string, more: object = {}): string =>
  scripted({ result: { tools: [{ name, inputSchema: { type: 'object' } }], ...more } });

describe.each(transports)('a list over %s', (transport) => {
  it.each<[string, ScriptedAnswers, string[], number]>([
    [
      'an empty cursor behind which there is more',
      { 'tools/list': tools('a', { nextCursor: '' }), 'tools/list ""': tools('b') },
      ['a', 'b'],
      0,
    ],
    [
      'an empty cursor that means the end, and begins anew',
      {
        'tools/list': tools('a', { nextCursor: 'two' }),
        'tools/list "two"': tools('b', { nextCursor: '' }),
      },
      ['a', 'b'],
      0,
    ],
    [
      'an empty cursor that is refused',
      {
        'tools/list': tools('a', { nextCursor: '' }),
        'tools/list ""': scripted({ error: { code: -32602, message: 'invalid cursor' } }),
      },
      ['a'],
      0,
    ],
    [
      'a cursor that is a number',
      { 'tools/list': tools('a', { nextCursor: 2 }), 'tools/list 2': tools('b') },
      ['a', 'b'],
      0,
    ],
    [
      'a number that is refused',
      {
        'tools/list': tools('a', { nextCursor: 2 }),
        'tools/list 2': scripted({ error: { code: -32602, message: 'cursor: not a string' } }),
      },
      ['a'],
      1,
    ],
    ['a cursor of null', { 'tools/list': tools('a', { nextCursor: null }) }, ['a'], 0],
    ['a cursor of false', { 'tools/list': tools('a', { nextCursor: false }) }, ['a'], 0],
    ['a cursor that is none', { 'tools/list': tools('a', { nextCursor: {} }) }, ['a'], 1],
    ['a server that knows no pages', { 'tools/list': tools('a', { nextCursor: 'x' }) }, ['a'], 1],
    [
      'a cursor that does not advance',
      {
        'tools/list': tools('a', { nextCursor: 'x' }),
        'tools/list "x"': tools('b', { nextCursor: 'x' }),
      },
      ['a', 'b'],
      1,
    ],
  ])('with %s', async (_what, answers, expected, remarks) => {
    const errors = await withServer(transport, answers, async (client) => {
      expect(await names(client)).toEqual(expected);
    });
    expect(errors).toHaveLength(remarks);
    for (const error of errors) {
      expect(error).toMatchObject({ code: 'protocol' });
      expect(error.message).toMatch(/^the list of tools\/list may not be whole: /);
    }
  });
});

describe.each(transports)('initialize over %s', (transport) => {
  it.each<[string, Record<string, unknown>]>([
    ['no capabilities', { capabilities: undefined }],
    [
      'capabilities of null, as all else',
      { capabilities: null, serverInfo: null, instructions: null },
    ],
    ['capabilities of []', { capabilities: [] }],
    ['no name', { serverInfo: {} }],
    ['no version of the protocol', { protocolVersion: undefined }],
    [
      'nothing at all',
      { capabilities: undefined, serverInfo: undefined, protocolVersion: undefined },
    ],
  ])('may say %s', async (_what, odd) => {
    const good = JSON.parse((goodAnswers['initialize'] ?? '').replace('$ID', '0')) as {
      result: object;
    };
    const initialize = scripted({ result: { ...good.result, ...odd } });
    await withServer(transport, { initialize }, async (client) => {
      expect(client.state.name).toBe('ready');
      expect(await names(client)).toEqual(['echo']);
    });
  });

  it('is asked in an older version that the refusal names', async () => {
    const refusal = (supported: unknown): string =>
      scripted({
        error: { code: -32602, message: 'Unsupported protocol version', data: { supported } },
      });
    const older = (goodAnswers['initialize'] ?? '').replace('2025-11-25', '2025-03-26');
    await withServer(
      transport,
      {
        initialize: refusal(['2024-11-05', '2025-03-26', '1999-01-01']),
        'initialize "2025-03-26"': older,
      },
      async (client) => {
        expect(client.protocolVersion).toBe('2025-03-26');
        expect(await names(client)).toEqual(['echo']);
      },
    );
    await using server = await scriptedServers[transport]({
      ...goodAnswers,
      initialize: refusal(['1999-01-01']),
    });
    const error = await failureOf(connect(server.target, limits));
    expect(error.message).toContain('Unsupported protocol version');
    expect(error.message.length).toBeLessThan(400);
  });
});

describe('a server that refuses notifications/initialized, and answers all the same', () => {
  const refused = [{ method: 'notifications/initialized', status: 400, body: 'Bad Request' }];

  it('is used over HTTP+SSE', async () => {
    await using server = await startHostileSse({ postFaults: refused });
    await using client = await connect(server.url, limits);
    expect(client.state.name).toBe('ready');
  });

  it('is used over Streamable HTTP', async () => {
    await using server = await startStreamable({ postFaults: refused });
    await using client = await connect(server.url, limits);
    expect(client.state.name).toBe('ready');
  });
});

describe.each(['sse', 'streamable-http'] as const)(
  'a request of the server over %s',
  (transport) => {
    it.each<[string, object]>([
      ['params of null', { method: 'ping', params: null }],
      ['params of []', { method: 'ping', params: [] }],
      ['no params', { method: 'ping' }],
      ['_meta of null', { method: 'ping', params: { _meta: null } }],
      ['a further member', { method: 'ping', at: 'noon' }],
      ['result and error of null', { method: 'ping', result: null, error: null }],
      ['an id that is a fraction', { id: 1.5, method: 'ping' }],
      ['an empty id', { id: '', method: 'ping' }],
    ])('with %s is answered', async (_what, members) => {
      const request = { jsonrpc: '2.0', id: 'of-theirs', ...members };
      await using server = transport === 'sse' ? await startHostileSse() : await startStreamable();
      await using client = await connect(server.url, limits);
      await until(() => expect(server.openStreams()).toBe(1));
      expect(client.state.name).toBe('ready');
      server.push(request as never);
      await until(() =>
        expect(server.messages).toContainEqual({ jsonrpc: '2.0', id: request.id, result: {} }),
      );
    });
  },
);

describe.each(transports)('ids over %s', (transport) => {
  it('are integers, on every session, and are taken as strings too', async () => {
    const quoted = Object.fromEntries(
      Object.entries(goodAnswers).map(([method, text]) => [method, text.replace('$ID', '"$ID"')]),
    );
    await withServer(transport, quoted, async (client) => {
      expect(await names(client)).toEqual(['echo']);
      expect(await client.callTool('echo')).toMatchObject({ content: [{ text: 'said' }] });
      expect(client.stats().droppedAnswers).toBe(0);
    });
  });
});

it('a handshake is made under an integer after the server was started anew, too', async () => {
  await using server = await startHostileSse();
  await using client = await connect(server.url, { ...limits, retry: { firstDelayMs: 5 } });
  server.cut();
  await until(() => expect(server.openedSessions()).toBe(2));
  await client.callTool('echo', { message: 'x' });
  await using other = await startStreamable();
  await using another = await connect(other.url, limits);
  other.dropSessions();
  await another.callTool('echo', { message: 'x' });
  const asked = [...server.messages, ...other.messages].flatMap(({ id }) => id ?? []);
  expect(asked.length).toBeGreaterThan(5);
  expect(asked.filter((id) => !Number.isSafeInteger(id))).toEqual([]);
});

it('progress under a token of the same digits reaches its call', async () => {
  await using server = await startHostileSse({ hangOnCall: true });
  await using client = await connect(server.url, limits);
  const seen: number[] = [];
  const call = client.callTool('echo', {}, { onProgress: ({ progress }) => seen.push(progress) });
  await until(() => expect(server.messagesOf('tools/call')).toHaveLength(1));
  const id = server.messagesOf('tools/call')[0]?.id as number;
  for (const progressToken of [String(id), `0${id}`, id]) {
    const params = { progressToken, progress: seen.length + 1 };
    server.push({ jsonrpc: '2.0', method: 'notifications/progress', params });
  }
  server.push({ jsonrpc: '2.0', id: String(id), result: { content: [] } });
  expect(await call).toEqual({ content: [] });
  expect(seen).toHaveLength(2);
});

describe('an answer in an event that is none of the protocol', () => {
  const event = (name: string, id: unknown, text: string): string =>
    `event: ${name}\ndata: ${JSON.stringify({ jsonrpc: '2.0', id, result: { content: [{ type: 'text', text }] } })}\n`;

  it.each(['error', 'result', 'response', 'mcp'])(
    'named %s is taken over HTTP+SSE',
    async (name) => {
      await using server = await startHostileSse({ hangOnCall: true });
      await using client = await connect(server.url, limits);
      const call = client.callTool('echo');
      await until(() => expect(server.messagesOf('tools/call')).toHaveLength(1));
      const id = server.messagesOf('tools/call')[0]?.id;
      server.write(`event: ${name}\ndata: {"note":"jsonrpc"}\n\n`);
      server.write(`event: endpoint\ndata: /elsewhere\n\n`);
      server.write(`${event(name, id, 'own')}\n`);
      expect(await call).toMatchObject({ content: [{ text: 'own' }] });
      expect(client.state.name).toBe('ready');
    },
  );

  it.each([
    ['error', '\n'],
    ['result', '\n'],
    // The body ends without the blank line that would end the event.
    ['message', ''],
    ['error', ''],
  ])('named %s is taken over Streamable HTTP (%j)', async (name, end) => {
    const body = event(name, 0, 'own').replace('"id":0', '"id":ID') + end;
    await using server = await startStreamable({
      postFaults: [
        { tool: 'echo', status: 200, headers: { 'content-type': 'text/event-stream' }, body },
      ],
    });
    await using client = await connect(server.url, limits);
    expect(await client.callTool('echo')).toMatchObject({ content: [{ text: 'own' }] });
  });

  it('is not made of half of one', async () => {
    const body = event('message', 0, 'own').replace('"id":0', '"id":ID').slice(0, -4);
    await using server = await startStreamable({
      postFaults: [
        { tool: 'echo', status: 200, headers: { 'content-type': 'text/event-stream' }, body },
      ],
    });
    await using client = await connect(server.url, limits);
    expect(await failureOf(client.callTool('echo'))).toMatchObject({
      code: 'connection-lost',
      certainty: 'outcome-unknown',
    });
  });

  it('answers the handshake, too', async () => {
    await using server = await startHttpFixture((request, response) => {
      const { id, method } = (request.json ?? {}) as { id?: number; method?: string };
      if (request.method === 'GET') {
        stream = response.writeHead(200, { 'content-type': 'text/event-stream' });
        stream.write('event: endpoint\ndata: /messages?session_id=1\n\n');
        return;
      }
      response.writeHead(202).end();
      const text = goodAnswers[method ?? '']?.replace('$ID', JSON.stringify(id));
      if (id !== undefined && text) stream?.write(`event: result\ndata: ${text}\n\n`);
    });
    let stream: ServerResponse | undefined;
    await using client = await connect(`${server.origin}/sse`, limits);
    expect(client.state).toMatchObject({ name: 'ready', transport: 'sse' });
    expect(await names(client)).toEqual(['echo']);
  });
});

it('a banner without a newline before the first message of a program is no hindrance', async () => {
  const initialize = `Server running on stdio {"port":1} ${goodAnswers['initialize']}`;
  const spoiltList = `loaded ${goodAnswers['tools/list']}`;
  await withServer('stdio', { initialize }, async (client) =>
    expect(await names(client)).toEqual(['echo']),
  );
  await using server = await scriptedServers.stdio({ ...goodAnswers, 'tools/list': spoiltList });
  await using client = await connect(server.target, limits);
  const met = await failureOf(client.listTools({ timeoutMs: 200 }));
  expect(met, 'later lines may quote messages').toMatchObject({ code: 'timeout' });
});

describe('an answer over Streamable HTTP', () => {
  it.each(['', ' '])('with an empty Mcp-Session-Id (%j) names no session', async (sessionId) => {
    await using server = await startHttpFixture((request, response) => {
      const { id, method } = (request.json ?? {}) as { id?: number; method?: string };
      const text = goodAnswers[method ?? '']?.replace('$ID', JSON.stringify(id));
      const headers = { 'content-type': 'application/json', 'mcp-session-id': sessionId };
      if (request.method !== 'POST') response.writeHead(405).end();
      else if (id === undefined) response.writeHead(202, headers).end();
      else response.writeHead(text === undefined ? 404 : 200, headers).end(text);
    });
    await using client = await connect(`${server.origin}/mcp`, limits);
    expect(await names(client)).toEqual(['echo']);
    await client.close();
    for (const { headers } of server.requests) expect(headers['mcp-session-id']).toBeUndefined();
  });

  it('may come on the GET stream, after a 202', async () => {
    await using server = await startStreamable({ postFaults: [{ tool: 'echo', status: 202 }] });
    await using client = await connect(server.url, limits);
    await until(() => expect(server.openStreams()).toBe(1));
    const call = client.callTool('echo');
    const calls = (): number[] =>
      server.requests.flatMap(({ json, body }) => {
        const { id } = (json ?? {}) as { id?: number; method?: string };
        return body.includes('"echo"') && id !== undefined ? [id] : [];
      });
    await until(() => expect(calls()).toHaveLength(1));
    server.push({ jsonrpc: '2.0', id: calls()[0] as number, result: { content: [] } });
    expect(await call).toEqual({ content: [] });
  });

  it('that was to come on the GET stream is lost with it', async () => {
    await using server = await startStreamable({ postFaults: [{ tool: 'echo', status: 202 }] });
    await using client = await connect(server.url, limits);
    await until(() => expect(server.openStreams()).toBe(1));
    const lost = failureOf(client.callTool('echo'));
    await until(() => expect(server.requests.at(-1)?.body).toContain('"echo"'));
    // By then the 202 has come.
    for (const a of [1, 2]) await client.callTool('add', { a, b: 1 });
    server.cut();
    expect(await lost).toMatchObject({ code: 'connection-lost', certainty: 'outcome-unknown' });
  });

  it('may come on the stream of another request', async () => {
    await using server = await startStreamable({ hangOn: 'tools/call' });
    await using client = await connect(server.url, limits);
    const calls = [1, 2].map((n) => client.callTool('echo', { message: String(n) }));
    await until(() => expect(server.messagesOf('tools/call')).toHaveLength(2));
    const ids = server.messagesOf('tools/call').map(({ id }) => id as number);
    for (const id of ids) {
      server.push(
        { jsonrpc: '2.0', id, result: { content: [{ type: 'text', text: `${id}` }] } },
        'replies',
      );
    }
    expect(await Promise.all(calls)).toMatchObject(
      ids.map((id) => ({ content: [{ text: String(id) }] })),
    );
  });
});
