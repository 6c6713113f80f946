import { describe, expect, it } from 'vitest';
import { startHostileSse } from '../../../../test/support/hostile-sse.ts';
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

describe('a server that refuses notifications/initialized, and goes on to answer', () => {
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
  other.forget();
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
