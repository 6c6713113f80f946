import { createClient, type LongwireClient } from '@longwire/client';
import { serve } from '@longwire/server';
import { completable, McpServer, ResourceTemplate } from '@modelcontextprotocol/server';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { createCompletion } from '../../src/shell/completion.ts';

const closing: (() => Promise<void>)[] = [];
const clients: LongwireClient[] = [];

function createOffering(): McpServer {
  const server = new McpServer({ name: 'offering', version: '1' });
  const nothing = (): { content: [] } => ({ content: [] });
  const inputSchema = z.object({
    unit: z.enum(['C', 'two words']),
    city: z.string().describe('Where\nit is'),
    loud: z.boolean().optional(),
  });
  server.registerTool('weather', { inputSchema, description: 'Tells \u001b[31mit' }, nothing);
  server.registerTool('wind', { description: 'Tells it, too' }, nothing);
  const template = new ResourceTemplate('user://{id}', { list: undefined });
  server.registerResource('about', 'off://about', {}, () => ({ contents: [] }));
  server.registerResource('odd', 'off://\u001b[31modd', {}, () => ({ contents: [] }));
  server.registerResource('user', template, {}, () => ({ contents: [] }));
  const argsSchema = z.object({
    tone: completable(z.string(), (typed) =>
      ['dry', 'loud and "clear"'].filter((tone) => tone.startsWith(typed)),
    ),
    text: z.string().optional(),
  });
  server.registerPrompt('brief', { argsSchema }, () => ({ messages: [] }));
  return server;
}

beforeAll(async () => {
  const serving = await serve({ create: createOffering });
  closing.push(() => serving.close());
  for (const name of ['one', 'two']) {
    const client = createClient(serving.sseUrl, { name });
    await client.connect();
    closing.unshift(() => client.close());
    clients.push(client);
  }
});
afterAll(async () => {
  for (const close of closing) await close();
});

/** The lines that a line may become. */
async function lines(text: string, count = 1): Promise<string[]> {
  const among = clients.slice(0, count);
  const complete = createCompletion({
    clients: among,
    tools: async (client, signal) => {
      const asked = client === undefined ? among : [client];
      return (await Promise.all(asked.map((each) => each.listTools({ signal })))).flat();
    },
  });
  const found = await complete(text, new AbortController().signal);
  return (found?.candidates ?? []).map((each) => text.slice(0, found?.from) + each.text);
}

describe('Tab offers', () => {
  it.each([
    ['w', ['watch ', 'weather ', 'wind ']],
    ['call w', ['call weather ', 'call wind ']],
    ['tools wi', ['tools wind ']],
    ['weather ', ['weather unit=', 'weather city=', 'weather loud=']],
    ['call weather unit=C ', ['call weather unit=C city=', 'call weather unit=C loud=']],
    ['weather unit=', ['weather unit=C ', 'weather unit="two words" ']],
    ['weather unit="tw', ['weather unit="two words" ']],
    ['weather loud=t', ['weather loud=true ']],
    ['weather city=', []],
    ['read ', ['read off://about ', 'read user://{id} ']],
    ['read user://{id} ', ['read user://{id} id=']],
    ['prompt ', ['prompt brief ']],
    ['prompt brief text="a b" ', ['prompt brief text="a b" tone=']],
    ['prompt brief tone=d', ['prompt brief tone=dry ']],
    ['prompt brief tone=', ['prompt brief tone=dry ', 'prompt brief tone="loud and \\"clear\\"" ']],
    ['complete ', ['complete brief ', 'complete user://{id} ']],
    ['watch o', ['watch on ', 'watch off ', 'watch off://about ']],
    ['help re', ['help resources ', 'help read ']],
    ['quit ', []],
    ['nothing ', []],
  ])('after %j: %j', async (text, expected) => {
    expect(await lines(text)).toEqual(expected);
  });

  it.each([
    ['call ', ['call one ', 'call two ', 'call weather ', 'call wind ']],
    ['call two wi', ['call two wind ']],
    ['read two off', ['read two off://about ']],
    ['inspect ', ['inspect one ', 'inspect two ']],
    ['one/weather unit=C', ['one/weather unit=C ']],
  ])('with two servers, after %j: %j', async (text, expected) => {
    expect([...new Set(await lines(text, 2))]).toEqual(expected);
  });

  it('what is told of it, on one line and without control characters', async () => {
    const complete = createCompletion({
      clients: clients.slice(0, 1),
      tools: async () => clients[0]?.listTools() ?? [],
    });
    const { signal } = new AbortController();
    expect((await complete('weather c', signal))?.candidates).toEqual([
      { text: 'city=', shown: 'city=', note: 'Where' },
    ]);
    expect((await complete('weath', signal))?.candidates).toMatchObject([{ note: 'Tells it' }]);
  });
});
