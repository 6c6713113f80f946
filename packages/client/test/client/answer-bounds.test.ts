import { describe, expect, it } from 'vitest';
import { expectNothingLeftOpen } from '../../../../test/support/open-handles.ts';
import {
  goodAnswers,
  scripted,
  scriptedServers,
} from '../../../../test/support/scripted-servers.ts';
import { startHttpFixture, type RecordedRequest } from '../../../../test/support/http-fixture.ts';
import { connect } from '../../src/client/connect.ts';
import { failureOf } from '../support/failure-of.ts';
import type { Limits } from '../../src/options/channel-options.ts';

expectNothingLeftOpen();

const limits = { timeouts: { connectMs: 10_000 } };
const overLimit = { code: 'limit-exceeded', certainty: 'answered' };
const onTheWire = Object.entries(scriptedServers).filter(([name]) => name !== 'in-memory');

/** Each method of its own kind answers with a value that is too much. */
function answersWith(value: '$DEEP' | '$MANY') {
  return {
    ...goodAnswers,
    'tools/list': scripted({ result: { tools: value } }),
    'tools/call': scripted({ result: { content: value } }),
    'prompts/list': scripted({ error: { code: 1, message: 'no', data: value } }),
    'resources/read': scripted({ result: { contents: value } }),
  };
}

describe.each(onTheWire)('over %s', (_transport, start) => {
  it.each(['$DEEP', '$MANY'] as const)('fails the call whose answer is %s', async (value) => {
    await using server = await start(answersWith(value));
    await using client = await connect(server.target, limits);
    expect(await failureOf(client.listTools())).toMatchObject(overLimit);
    expect(await failureOf(client.callTool('echo'))).toMatchObject(overLimit);
    expect(await failureOf(client.listPrompts())).toMatchObject(overLimit);
    expect(await failureOf(client.readResource('a:b'))).toMatchObject(overLimit);
    await expect(client.sdk.listTools()).rejects.toMatchObject(overLimit);
    expect(client.state.name).toBe('ready');
    await client.sdk.ping();
  });

  it.each(['$DEEP', '$MANY'])('fails to connect if the handshake is %s', async (instructions) => {
    const { result } = JSON.parse((goodAnswers['initialize'] ?? '').replace('$ID', '0')) as {
      result: object;
    };
    const initialize = scripted({ result: { ...result, instructions } });
    await using server = await start({ ...goodAnswers, initialize });
    expect(await failureOf(connect(server.target, limits))).toMatchObject({
      name: 'ConnectError',
      code: 'limit-exceeded',
    });
  });

  it('does not send what is nested too deep', async () => {
    await using server = await start(goodAnswers);
    await using client = await connect(server.target, limits);
    const args = JSON.parse('{"a":'.repeat(100_000) + '1' + '}'.repeat(100_000)) as object;
    expect(await failureOf(client.callTool('echo', { ...args }))).toMatchObject({
      code: 'invalid-arguments',
      certainty: 'not-sent',
    });
    expect(client.state.name).toBe('ready');
  });
});

/** A server whose list of tools has pages without end, each with so many tools of one size. */
function startEndlessList(tools: number, size: number) {
  let pages = 0;
  return startHttpFixture(({ json, method }: RecordedRequest, response) => {
    const asked = json as { id?: number; method?: string } | undefined;
    if (method !== 'POST') return response.writeHead(405).end();
    if (asked?.id === undefined) return response.writeHead(202).end();
    const page = Array.from({ length: tools }, (_, index) => ({
      name: `${pages}-${index}`,
      description: 'x'.repeat(size),
      inputSchema: { type: 'object' },
    }));
    const list = scripted({ result: { tools: page, nextCursor: `page ${++pages}` } });
    const text = asked.method === 'tools/list' ? list : (goodAnswers[asked.method ?? ''] ?? '');
    const answer = text.replace('$ID', String(asked.id));
    return response
      .writeHead(answer === '' ? 404 : 200, { 'content-type': 'application/json' })
      .end(answer);
  });
}

describe('a list whose pages do not end', () => {
  it.each<[keyof Limits, number, { tools: number; size: number }]>([
    ['maxListBytes', 1_000_000, { tools: 1, size: 100_000 }],
    ['maxListItems', 1000, { tools: 100, size: 1 }],
    ['maxListPages', 20, { tools: 1, size: 1 }],
  ])('ends at limits.%s', async (limit, most, { tools, size }) => {
    await using server = await startEndlessList(tools, size);
    await using client = await connect(`${server.origin}/mcp`, { limits: { [limit]: most } });
    expect(await failureOf(client.listTools())).toMatchObject({
      ...overLimit,
      hint: expect.stringContaining(`limits.${limit}`) as string,
    });
    const asked = server.requests.filter(({ body }) => body.includes('tools/list'));
    expect(asked.length).toBeLessThan(25);
  });

  it('reports what it leaves out once a page', async () => {
    const tools = Array.from({ length: 5000 }, () => 1);
    await using server = await scriptedServers.sse({
      ...goodAnswers,
      'tools/list': scripted({ result: { tools } }),
    });
    await using client = await connect(server.target, limits);
    const errors: Error[] = [];
    client.on('error', (error) => errors.push(error));
    expect(await client.listTools()).toEqual([]);
    expect(errors.map(({ message }) => message)).toEqual([
      '5000 entries of tools/list have no name and are left out',
    ]);
  });
});

describe('limits', () => {
  it.each<[Record<string, unknown>, string]>([
    [{ maxJsonDepth: 0 }, 'limits.maxJsonDepth'],
    [{ maxJsonDepth: 1001 }, 'limits.maxJsonDepth'],
    [{ maxJsonValues: '5' }, 'limits.maxJsonValues'],
    [{ maxListPages: -1 }, 'limits.maxListPages'],
    [{ maxListItem: 1 }, 'limits.maxListItem: no such option'],
  ])('refuses %j', async (given, name) => {
    await expect(connect('http://127.0.0.1:1/', { limits: given })).rejects.toThrow(name);
  });
});

it('settles what a server in this process answers that is no JSON', async () => {
  const loop: Record<string, unknown> = {};
  loop['loop'] = loop;
  await using client = await connect({
    server: () => ({
      async connect(transport) {
        transport.onmessage = (message) => {
          if (!('method' in message) || !('id' in message)) return;
          const text = goodAnswers[message.method]?.replace('$ID', JSON.stringify(message.id));
          const answer = { jsonrpc: '2.0' as const, id: message.id, result: { contents: [loop] } };
          void transport.send(
            message.method === 'resources/read'
              ? answer
              : (JSON.parse(text ?? '') as typeof answer),
          );
        };
        await transport.start();
      },
      async close() {},
    }),
  });
  expect(await failureOf(client.readResource('a:b'))).toMatchObject({
    certainty: 'answered',
  });
});
