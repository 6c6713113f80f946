import { createGroup } from '@longwire/client/group';
import { retry } from '@longwire/client/middleware';
import {
  dataOf,
  LongwireError,
  textOf,
  ToolResultError,
  type LongwireClient,
  type ServerNotification,
  type ToolSource,
} from '@longwire/client';
import { describe, expect, expectTypeOf, it } from 'vitest';
import * as z from 'zod';
import { expectNothingLeftOpen } from '../../../test/support/open-handles.ts';
import { fakeClient, type FakeClient } from '../src/index.ts';

expectNothingLeftOpen();

interface Tools {
  echo: { arguments: { message: string } };
  weather: { arguments: { city: string }; structured: { celsius: number } };
  now: { arguments: { zone?: string } };
}

const failureOf = (call: Promise<unknown>): Promise<LongwireError> =>
  call.then(
    () => expect.unreachable('it succeeded'),
    (error: unknown) => error as LongwireError,
  );

describe('the tools of a fake client', () => {
  it('are functions that answer a text, a structure, a whole result, or nothing', async () => {
    await using client = fakeClient<Tools & { whole: { arguments: object } }>({
      tools: {
        echo: ({ message }) => `Echo: ${message}`,
        weather: async () => ({ celsius: 4 }),
        now: () => {},
        whole: () => ({ content: [], _meta: { cost: 1 } }),
      },
    });
    expect(textOf(await client.callTool('echo', { message: 'hi' }))).toBe('Echo: hi');
    expect(dataOf(await client.callTool('weather', { city: 'Oslo' }))).toEqual({ celsius: 4 });
    expect(await client.callTool('now')).toEqual({ content: [] });
    expect(await client.tool('whole').call()).toEqual({ content: [], _meta: { cost: 1 } });
    expect(client.calls).toEqual([
      { tool: 'echo', arguments: { message: 'hi' }, principal: undefined },
      { tool: 'weather', arguments: { city: 'Oslo' }, principal: undefined },
      { tool: 'now', arguments: {}, principal: undefined },
      { tool: 'whole', arguments: {}, principal: undefined },
    ]);
  });

  it('are listed with what is said of them', async () => {
    const inputSchema = z.object({ city: z.string() });
    await using client = fakeClient({
      tools: {
        plain: () => 'ok',
        weather: {
          run: () => 'ok',
          description: 'How it is outside',
          annotations: { readOnlyHint: true },
          inputSchema,
        },
      },
    });
    expect(await client.listTools()).toMatchObject([
      { name: 'plain', inputSchema: { type: 'object' } },
      {
        name: 'weather',
        description: 'How it is outside',
        annotations: { readOnlyHint: true },
        inputSchema: { properties: { city: { type: 'string' } }, required: ['city'] },
      },
    ]);
  });

  it.each([
    ['a schema of zod', z.object({ city: z.string() })],
    [
      'a JSON Schema',
      { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
    ],
  ])('refuse arguments by %s, and do not run', async (_what, inputSchema) => {
    let ran = 0;
    await using client = fakeClient({
      tools: { weather: { run: () => `run ${++ran}`, inputSchema } },
    });
    const refused = await client.callTool('weather', { city: 5 });
    expect(refused.isError).toBe(true);
    expect(textOf(refused)).toMatch(/^invalid arguments for weather: .*string/);
    expect(textOf(await client.callTool('weather', { city: 'Oslo' }))).toBe('run 1');
    expect(client.calls).toHaveLength(2);
  });

  it('fail with the error that they throw, if it has a code; any other is an error of the tool', async () => {
    const lost = new LongwireError('the connection was lost', {
      code: 'connection-lost',
      certainty: 'outcome-unknown',
    });
    await using client = fakeClient({
      tools: {
        buy: () => {
          throw lost;
        },
        sell: () => {
          throw new Error('closed today');
        },
      },
    });
    expect(await failureOf(client.callTool('buy'))).toBe(lost);
    expect(await client.callTool('sell')).toEqual({
      content: [{ type: 'text', text: 'closed today' }],
      isError: true,
    });
  });

  it('tell progress, and are told when the call ends early', async () => {
    const seen: unknown[] = [];
    let signalled: AbortSignal | undefined;
    await using client = fakeClient({
      tools: {
        steps: (_args, { onProgress }) => {
          onProgress({ progress: 1, total: 2 });
          onProgress({ progress: 2, total: 2 });
          return 'done';
        },
        hang: (_args, { signal }) => {
          signalled = signal;
          return new Promise(() => {});
        },
      },
    });
    await client.callTool('steps', {}, { onProgress: (progress) => seen.push(progress) });
    expect(seen).toEqual([
      { progress: 1, total: 2 },
      { progress: 2, total: 2 },
    ]);
    const failed = await failureOf(client.callTool('hang', {}, { timeoutMs: 20 }));
    expect(failed).toMatchObject({ code: 'timeout', certainty: 'outcome-unknown' });
    await expect.poll(() => signalled?.aborted).toBe(true);
  });

  it('are called again by a middleware, as those of a server are', async () => {
    let calls = 0;
    const refusal = new LongwireError('later', { code: 'queue-full', certainty: 'refused' });
    await using client = fakeClient(
      {
        tools: {
          busy: () => {
            if (++calls === 1) throw refusal;
            return 'now';
          },
        },
      },
      { middleware: [retry({ firstDelayMs: 1 })] },
    );
    expect(textOf(await client.callTool('busy'))).toBe('now');
    expect(calls).toBe(2);
  });

  it('are checked by output schemas and by schemas of a call', async () => {
    const outputSchema = { type: 'object', properties: { celsius: { type: 'number' } } };
    await using client = fakeClient({
      tools: { weather: { run: () => ({ celsius: 'mild' }), outputSchema } },
    });
    const result = z.object({ celsius: z.number() });
    expect(await failureOf(client.callTool('weather', {}, { result }))).toBeInstanceOf(
      ToolResultError,
    );
    await client.listTools();
    expect(await failureOf(client.callTool('weather'))).toBeInstanceOf(ToolResultError);
  });

  it('that are not there are named', async () => {
    await using client = fakeClient({ tools: { echo: () => 'x' } });
    expect(await failureOf(client.callTool('ecko' as 'echo'))).toMatchObject({
      code: 'server-error',
      message: expect.stringContaining('has no tool ecko; did you mean echo?'),
    });
    expect(() => fakeClient({ tools: { echo: 'x' as never } })).toThrow(
      'tools.echo: neither a function nor an object with a function run',
    );
    expect(() => fakeClient({ tool: { echo: () => 'x' } } as never)).toThrow(
      'fakeClient.tool: there is no such option; there are tools, resources, prompts',
    );
  });

  it('may be some of those that the types have', async () => {
    interface Tools {
      price: { arguments: { symbol: string } };
      buy: { arguments: { symbol: string } };
    }
    await using client = fakeClient<Tools>({ tools: { price: ({ symbol }) => `${symbol} 1` } });
    expect(textOf(await client.callTool('price', { symbol: 'A' }))).toBe('A 1');
    expect(await failureOf(client.callTool('buy', { symbol: 'A' }))).toMatchObject({
      message: expect.stringContaining('has no tool buy'),
    });
  });

  it('may change while the client is used', async () => {
    const tools: Record<string, () => string> = { one: () => '1' };
    await using client = fakeClient({ tools });
    let changes = 0;
    client.on('toolsChanged', () => changes++);
    await client.listTools();
    tools['two'] = () => '2';
    await client.emit('toolsChanged');
    expect(changes).toBe(1);
    expect((await client.listTools()).map(({ name }) => name)).toEqual(['one', 'two']);
  });
});

describe('a fake client', () => {
  it('has resources and prompts', async () => {
    await using client = fakeClient({
      resources: { 'a://b': 'text', 'a://c': { blob: 'AAA=', mimeType: 'image/png' } },
      prompts: { greet: ({ name }) => `Greet ${name}` },
    });
    expect((await client.listResources()).map(({ uri }) => uri)).toEqual(['a://b', 'a://c']);
    expect(await client.readResource('a://c')).toMatchObject({
      contents: [{ uri: 'a://c', blob: 'AAA=', mimeType: 'image/png' }],
    });
    expect(await failureOf(client.readResource('a://d'))).toMatchObject({ code: 'server-error' });
    expect((await client.listPrompts()).map(({ name }) => name)).toEqual(['greet']);
    expect(await client.getPrompt('greet', { name: 'Ann' })).toMatchObject({
      messages: [{ role: 'user', content: { type: 'text', text: 'Greet Ann' } }],
    });
  });

  it('says what a test wants it to say', async () => {
    await using client = fakeClient();
    const heard: unknown[] = [];
    const notes: ServerNotification[] = [];
    client.on('log', (log) => heard.push(log));
    client.on('resourceUpdated', (update) => heard.push(update));
    client.on('notification', (note) => notes.push(note));
    await client.emit('log', { level: 'error', data: 'disk full' });
    await client.emit('resourceUpdated', { uri: 'a://b' });
    await client.emit('notification', { method: 'notifications/own', params: { x: 1 } });
    expect(heard).toEqual([{ level: 'error', data: 'disk full' }, { uri: 'a://b' }]);
    expect(notes.at(-1)).toMatchObject({ method: 'notifications/own', params: { x: 1 } });
    await expect(client.emit('state' as 'toolsChanged')).rejects.toThrow(/no event state/);
  });

  it('knows for whom a call is made', async () => {
    await using client = fakeClient({
      tools: { whoami: (_args, { principal }) => principal ?? 'nobody' },
    });
    const ann = client.as('ann');
    expect(textOf(await ann.callTool('whoami'))).toBe('ann');
    expect(textOf(await client.callTool('whoami'))).toBe('nobody');
    const heard = ann.once('log');
    await client.emit('log', { level: 'info', data: 'to all' });
    expect(await heard).toMatchObject({ data: 'to all' });
    expect(client.calls.map(({ principal }) => principal)).toEqual(['ann', undefined]);
  });

  it('goes wherever a client goes', async () => {
    await using client = fakeClient({ tools: { echo: ({ message }) => String(message) } });
    await using group = createGroup({ fake: client });
    expect(textOf(await group.callTool('fake__echo', { message: 'x' }))).toBe('x');
    expect(group.server('fake')).toBe(client);
    await using asAnn = createGroup({ ann: client.as('ann') });
    expect((await asAnn.listTools()).map(({ name }) => name)).toEqual(['echo']);
    expect(asAnn.status()).toMatchObject([{ state: 'ready', tools: 1 }]);
    expect(asAnn.server('ann').server).toEqual({ name: 'fake', version: '1.0.0' });
    const source: ToolSource = client;
    expect(await source.listTools()).toHaveLength(1);
  });
});

// For the compiler alone.
function checkTypes(): void {
  expectTypeOf(fakeClient<Tools>()).toEqualTypeOf<FakeClient<Tools>>();
  expectTypeOf<FakeClient<Tools>>().toExtend<LongwireClient<Tools>>();
  fakeClient<Tools>({
    tools: {
      echo: ({ message }) => message,
      // @ts-expect-error: celsius is a number
      weather: () => ({ celsius: 'mild' }),
      now: ({ zone }) => zone,
    },
  });
  // @ts-expect-error: there is no such tool
  fakeClient<Tools>({ tools: { ecko: () => 'x' } });
  const client = fakeClient();
  // @ts-expect-error: a log has a level
  void client.emit('log', { data: 'x' });
  // @ts-expect-error: nothing is to be said of it
  void client.emit('toolsChanged', {});
}
void checkTypes;
