import { afterEach, describe, expect, it } from 'vitest';
import { startHostileSse, type HostileSseServer } from '../../../../test/support/hostile-sse.ts';
import { createClient, type LongwireClient, type LongwireError } from '../../src/index.ts';
import { failureOf } from '../support/failure-of.ts';
import { until } from '../../../../test/support/until.ts';

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** A server whose tools promise these structures, and answer with what they are given. */
async function setUp(schemas: Record<string, unknown>): Promise<{
  server: HostileSseServer;
  client: LongwireClient;
  errors: LongwireError[];
}> {
  const server = await startHostileSse({ answer: answering(schemas) });
  closers.push(() => server.close());
  const client = createClient(server.url);
  closers.push(() => client.close());
  const errors: LongwireError[] = [];
  client.on('error', (error) => errors.push(error));
  await client.listTools();
  return { server, client, errors };
}

const answering =
  (schemas: Record<string, unknown>) =>
  ({ method, params }: { method?: string; params?: Record<string, unknown> }): unknown => {
    if (method === 'tools/list') {
      const inputSchema = { type: 'object' };
      const tools = Object.entries(schemas).map(([name, outputSchema]) => ({
        name,
        inputSchema,
        outputSchema,
      }));
      return { tools };
    }
    if (method !== 'tools/call') return undefined;
    const { name, arguments: structuredContent } = params ?? {};
    return { content: [], ...(name !== 'bare' && { structuredContent }) };
  };

const of = (type: string, more: object = {}): object => ({
  $id: 'https://example.com/result',
  type: 'object',
  properties: { n: { type, ...more } },
});

const isBroken = { code: 'protocol', certainty: 'answered' };

describe('the output schema of a tool', () => {
  it('is none where null is written for it', async () => {
    const { client } = await setUp({ bare: null });
    expect(await client.callTool('bare')).toMatchObject({ content: [] });
  });

  it.each([{}, { pattern: '^a', minimum: 1 }])(
    'is its own, whatever name it has (with %j)',
    async (more) => {
      const one = await setUp({ get: of('string', more) });
      const other = await setUp({ get: of('number', more) });
      await one.client.callTool('get', { n: 'a' });
      await other.client.callTool('get', { n: 1 });
      expect(await failureOf(one.client.callTool('get', { n: 1 }))).toMatchObject(isBroken);
      expect(await failureOf(other.client.callTool('get', { n: 'a' }))).toMatchObject(isBroken);
      // Through the official client, too.
      for (const { client } of [one, other]) await client.sdk.listTools();
      expect(await one.client.sdk.callTool({ name: 'get', arguments: { n: 'a' } })).toBeDefined();
      expect(await other.client.sdk.callTool({ name: 'get', arguments: { n: 1 } })).toBeDefined();
      expect([...one.errors, ...other.errors]).toEqual([]);
    },
  );

  it('is that of the list that is, and not of the one before', async () => {
    const { server, client, errors } = await setUp({ get: of('string') });
    await client.callTool('get', { n: 'a' });
    server.mischief.answer = answering({ get: of('number') });
    await client.listTools();
    await client.callTool('get', { n: 1 });
    expect(await failureOf(client.callTool('get', { n: 'a' }))).toMatchObject(isBroken);
    expect(errors).toEqual([]);
  });

  it('of two tools of one list may have one name', async () => {
    const { client } = await setUp({ get: of('string'), count: of('number') });
    await client.callTool('get', { n: 'a' });
    await client.callTool('count', { n: 1 });
    expect(await failureOf(client.callTool('count', { n: 'a' }))).toMatchObject(isBroken);
  });

  it('that takes too long is not checked, is reported once, and blocks nothing', async () => {
    const { client, errors } = await setUp({
      slow: of('string', { pattern: '^(a+)+$' }),
      good: of('string', { pattern: '^a' }),
    });
    const n = `${'a'.repeat(40)}!`;
    for (let i = 0; i < 3; i++) {
      expect(await client.callTool('slow', { n })).toMatchObject({ structuredContent: { n } });
    }
    expect(errors).toMatchObject([
      {
        code: 'protocol',
        message:
          'a result of slow is not checked by its output schema: it took longer than 1000 ms',
      },
    ]);
    await client.callTool('good', { n: 'ab' });
    expect(await failureOf(client.callTool('good', { n: 'b' }))).toMatchObject(isBroken);
  });

  it('that takes too long blocks the official client no more than ours', async () => {
    const { client } = await setUp({ slow: of('string', { pattern: '^(a+)+$' }) });
    await client.sdk.listTools();
    const n = `${'a'.repeat(40)}!`;
    const result = await client.sdk.callTool({ name: 'slow', arguments: { n } });
    expect(result).toMatchObject({ structuredContent: { n } });
  });

  it('that refers to itself for ever is not checked, and says so', async () => {
    const $defs = { a: { $ref: '#/$defs/b' }, b: { $ref: '#/$defs/a' } };
    const { client, errors } = await setUp({ odd: { $ref: '#/$defs/a', $defs } });
    expect(await client.callTool('odd', { n: 1 })).toMatchObject({ structuredContent: { n: 1 } });
    await until(() => expect(errors).toHaveLength(1));
  });

  it('of thousands of alternatives does not stop the rest', async () => {
    const anyOf = Array.from({ length: 5000 }, (_, i) => ({ properties: { n: { const: i } } }));
    const { client } = await setUp({ many: { type: 'object', anyOf }, few: of('number') });
    const many = client.callTool('many', { n: 4000 });
    expect(await client.callTool('few', { n: 1 })).toMatchObject({ structuredContent: { n: 1 } });
    expect(await many).toMatchObject({ structuredContent: { n: 4000 } });
  });
});
