import { toJson } from '@longwire/client';
import { afterEach, describe, expect, it } from 'vitest';
import { listen, type FakeServer } from './fake-servers.ts';
import { run } from './run.ts';

const ID = '9007199254740993';

const open: FakeServer[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((server) => server.close()));
});

const integer = { type: 'integer' };
const tool = {
  name: 'echo',
  inputSchema: {
    type: 'object',
    properties: {
      id: integer,
      n: { type: 'number' },
      either: { type: ['integer', 'string'] },
      ids: { type: 'array', items: integer },
      any: {},
      object: { type: 'object' },
    },
  },
};

/** A server that answers with the arguments, as they were written, and records them. */
async function echoing(): Promise<{ url: string; sent: string[] }> {
  const sent: string[] = [];
  const server = await listen((request, response) => {
    if (request.method !== 'POST') return void response.writeHead(405).end();
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const text = String(Buffer.concat(chunks));
      const { id, method } = JSON.parse(text) as { id?: number; method: string };
      if (id === undefined) return void response.writeHead(202).end();
      const [, args = '{}'] = /"arguments":(\{.*?\})(?:,"_meta"|\}\}?$)/.exec(text) ?? [];
      if (method === 'tools/call') sent.push(args);
      const results: Record<string, string> = {
        initialize: toJson({
          protocolVersion: '2025-11-25',
          capabilities: { tools: {} },
          serverInfo: { name: 'echoing', version: '1' },
        }),
        'tools/list': toJson({ tools: [tool] }),
        'tools/call': `{"content":[{"type":"text","text":${toJson(args)}}],"structuredContent":${args}}`,
      };
      const answer = results[method];
      const properties =
        answer === undefined ? '"error":{"code":-32601,"message":"no"}' : `"result":${answer}`;
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(`{"jsonrpc":"2.0","id":${id},${properties}}`);
    });
  });
  open.push(server);
  return { url: `${server.url}/mcp`, sent };
}

describe('an integer beyond 2^53', () => {
  it.each<[string[], string]>([
    [[`id=${ID}`], `{"id":${ID}}`],
    [[`id=-${ID}`], `{"id":-${ID}}`],
    [[`n=${ID}`], `{"n":${ID}}`],
    // Where a text will do, an id is one.
    [[`either=${ID}`], `{"either":"${ID}"}`],
    [[`either=0${ID}`], `{"either":"0${ID}"}`],
    [[`either=+${ID}`], `{"either":"+${ID}"}`],
    [[`ids=1,${ID}`], `{"ids":[1,${ID}]}`],
    [[`ids=[1,${ID}]`], `{"ids":[1,${ID}]}`],
    [[`any:=${ID}`], `{"any":${ID}}`],
    [[`object={"id":${ID}}`], `{"object":{"id":${ID}}}`],
    [['--args', `{"id":${ID}}`], `{"id":${ID}}`],
  ])('is sent and printed as it is written: %j', async (words, expected) => {
    const { url, sent } = await echoing();
    const { code, stdout, stderr } = await run(['call', url, 'echo', ...words, '--json']);
    expect([code, stderr]).toEqual([0, '']);
    expect(sent).toEqual([expected]);
    expect(stdout.replace(/\s/g, '')).toContain(`"structuredContent":${expected}`);
    const shown = await run(['call', url, 'echo', ...words]);
    // Once, though it is there twice.
    expect(shown.stdout.replace(/\s/g, '')).toBe(expected);
  });

  it.each([
    [['id=1e400'], /whole number/],
    [['--args', '{"n":1e400}'], /number that is too large/],
    [['any:=[-1e999]'], /number that is too large/],
  ])('and what is no number for JSON is refused: %j', async (words, message) => {
    const { url, sent } = await echoing();
    const { code, stderr } = await run(['call', url, 'echo', ...words]);
    expect(code).toBe(2);
    expect(stderr).toMatch(message);
    expect(sent).toEqual([]);
  });
});
