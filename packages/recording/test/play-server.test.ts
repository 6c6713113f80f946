import { connect, LongwireError, type LongwireClient } from '@longwire/client';
import { Client, InMemoryTransport } from '@modelcontextprotocol/client';
import { McpServer } from '@modelcontextprotocol/server';
import { beforeAll, expect, it } from 'vitest';
import * as z from 'zod';
import { createRecorder, playServer, type RecordedLine } from '../src/index.ts';
import { linesOf, STORY } from './support/picture-of.ts';

let lines: RecordedLine[];
/** What the real server answered. */
let answers: unknown[];

function createMarket(): McpServer {
  const server = new McpServer({ name: 'market', version: '2.1.0' });
  let price = 100;
  const inputSchema = z.object({ symbol: z.string(), token: z.string().optional() });
  server.registerTool('price', { inputSchema }, async ({ symbol }, { mcpReq }) => {
    const progressToken = mcpReq._meta?.progressToken;
    if (progressToken !== undefined) {
      const params = { progressToken, progress: 1, total: 2, message: 'asking' };
      await mcpReq.notify({ method: 'notifications/progress', params });
    }
    if (symbol === 'NONE') throw new Error('no such share');
    return { content: [{ type: 'text', text: `${symbol} ${price++}` }] };
  });
  server.registerResource('rules', 'market://rules', {}, (uri) => ({
    contents: [{ uri: uri.href, text: 'Buy low.' }],
  }));
  server.registerPrompt('advise', { argsSchema: z.object({ who: z.string() }) }, ({ who }) => ({
    messages: [{ role: 'user', content: { type: 'text', text: `Advise ${who}.` } }],
  }));
  return server;
}

async function use(client: LongwireClient): Promise<unknown[]> {
  const steps: unknown[] = [];
  const onProgress = (step: unknown): void => void steps.push(step);
  return [
    await client.callTool('price', { symbol: 'AAPL' }, { onProgress }),
    steps,
    await client.callTool('price', { symbol: 'AAPL' }),
    await client.callTool('price', { symbol: 'NONE' }),
    await client.callTool('price', { symbol: 'NVDA', token: 'of-the-user' }),
    await client.readResource('market://rules'),
    await client.getPrompt('advise', { who: 'me' }),
    await client.readResource('market://none').catch((error: LongwireError) => error.code),
  ];
}

beforeAll(async () => {
  lines = [];
  const recorder = createRecorder({ write: (line) => lines.push(line) });
  const middleware = [recorder.middleware('market')];
  await using client = await connect({ server: createMarket }, { middleware });
  recorder.watch({ name: 'market', client });
  const kinds = {
    tools: await client.listTools(),
    resources: await client.listResources(),
    prompts: await client.listPrompts(),
  };
  for (const [kind, items] of Object.entries(kinds)) {
    const listed = { kind, items } as unknown as { kind: 'tools'; items: [] };
    recorder.catalogue({ server: 'market', ...listed });
  }
  answers = await use(client);
});

it('answers as the server did, call by call', async () => {
  await using client = await connect({ server: () => playServer(lines, 'market') });
  expect(client.server).toMatchObject({ name: 'market', version: '2.1.0' });
  expect((await client.listTools()).map(({ name }) => name)).toEqual(['price']);
  expect(await use(client)).toEqual(answers);
  // The last answer, again.
  const { content } = await client.callTool('price', { symbol: 'AAPL' });
  expect(content).toEqual([{ type: 'text', text: 'AAPL 101' }]);
});

it('begins anew with each server that is made of it, and serves other clients', async () => {
  const client = new Client({ name: 'other', version: '1.0.0' });
  const [near, far] = InMemoryTransport.createLinkedPair();
  const server = playServer(lines, 'market');
  await server.connect(far);
  await client.connect(near);
  const { content } = await client.callTool({ name: 'price', arguments: { symbol: 'AAPL' } });
  expect(content).toEqual([{ type: 'text', text: 'AAPL 100' }]);
  await client.close();
  await server.close();
});

it('refuses what was not recorded, and says so', async () => {
  await using client = await connect({ server: () => playServer(lines, 'market') });
  await expect(client.callTool('price', { symbol: 'TSLA' })).rejects.toThrow(
    /no such call: tools\/call price \{"symbol":"TSLA"\}/,
  );
  expect(() => playServer(lines, 'other')).toThrow(TypeError);
  const answers: object[] = [];
  const transport = {
    onmessage: undefined as ((message: never) => void) | undefined,
    start: async () => undefined,
    send: async (message: never) => void answers.push(message),
    close: async () => undefined,
  };
  await playServer(lines, 'market').connect(transport);
  transport.onmessage?.({ jsonrpc: '2.0', id: 1, method: 'constructor' } as never);
  expect(answers).toMatchObject([{ id: 1, error: { code: -32_601 } }]);
});

it('answers with an error where nobody had an answer', async () => {
  const story = linesOf([
    ...STORY,
    { type: 'catalogue', kind: 'tools', items: [], server: 'files' },
  ]);
  await using client = await connect({ server: () => playServer(story, 'files') });
  await expect(client.callTool('write')).rejects.toThrow(/no answer/);
});
