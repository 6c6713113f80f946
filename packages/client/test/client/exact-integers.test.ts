import { describe, expect, it } from 'vitest';
import { startHttpFixture } from '../../../../test/support/http-fixture.ts';
import { expectNothingLeftOpen } from '../../../../test/support/open-handles.ts';
import {
  goodAnswers,
  scriptedServers,
  type ScriptedAnswers,
} from '../../../../test/support/scripted-servers.ts';
import { connect, toJson } from '../../src/index.ts';

expectNothingLeftOpen();

const limits = { timeouts: { connectMs: 5000 } };
const ID = '9007199254740993';

const answers: ScriptedAnswers = {
  ...goodAnswers,
  // The largest integers of other languages, as their servers list them.
  'tools/list': `{"jsonrpc":"2.0","id":$ID,"result":{"tools":[{"name":"echo",
    "inputSchema":{"type":"object","properties":{"id":{"type":"integer","maximum":9223372036854775807}}},
    "outputSchema":{"type":"object","properties":{"id":{"type":"integer","minimum":1}},"required":["id"]}}]}}`.replace(
    /\s+/g,
    ' ',
  ),
  'tools/call': `{"jsonrpc":"2.0","id":$ID,"result":{"content":[{"type":"text","text":"{\\"id\\":${ID}}"}],"structuredContent":{"id":${ID},"small":7},"_meta":{"at":${ID}}}}`,
};

const { 'in-memory': _, ...overJson } = scriptedServers;

describe.each(Object.entries(overJson))('over %s', (_name, start) => {
  it('the integers of a result are as they were written, and its schema holds for them', async () => {
    await using server = await start(answers);
    await using client = await connect(server.target, limits);
    const errors: unknown[] = [];
    client.on('error', (error) => errors.push(error));
    const tools = await client.listTools();
    // What is listed has numbers alone.
    expect(() => JSON.stringify(tools)).not.toThrow();
    const result = await client.callTool('echo', { id: 1 });
    expect(result).toMatchObject({ structuredContent: { id: BigInt(ID), small: 7 } });
    expect(toJson(result)).toContain(`"structuredContent":{"id":${ID},"small":7}`);
    expect(toJson(result)).toContain(`"_meta":{"at":${ID}}`);
    expect(errors).toEqual([]);
  });
});

describe('arguments', () => {
  it('are sent as the integers that they are', async () => {
    await using server = await startHttpFixture((request, response) => {
      const { id, method } = request.json as { id?: number; method?: string };
      if (request.method !== 'POST') return void response.writeHead(405).end();
      if (id === undefined) return void response.writeHead(202).end();
      const text = (goodAnswers[method ?? ''] ?? '').replace('$ID', String(id));
      response.writeHead(200, { 'content-type': 'application/json' }).end(text);
    });
    await using client = await connect(`${server.origin}/mcp`, limits);
    await client.callTool('echo', { id: BigInt(ID), more: [{ id: -BigInt(ID) }, `${ID}n`] });
    const body = server.requests.find(({ body }) => body.includes('tools/call'))?.body;
    expect(body).toContain(`"arguments":{"id":${ID},"more":[{"id":-${ID}},"${ID}n"]}`);
  });
});
