import { Client, InMemoryTransport } from '@modelcontextprotocol/client';
import type { CallToolResult, Progress } from '@modelcontextprotocol/client';
import type { McpServer } from '@modelcontextprotocol/server';
import { crc32, inflateSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createDemoServer } from '../../src/demo/server.ts';

let server: McpServer;
let client: Client;

beforeEach(async () => {
  const [near, far] = InMemoryTransport.createLinkedPair();
  server = createDemoServer({ clockMs: 1 });
  await server.connect(far);
  client = new Client({ name: 'test', version: '0' });
  await client.connect(near);
});

afterEach(async () => {
  await client.close();
  expect(server.isConnected()).toBe(false);
});

function textOf({ content }: Pick<CallToolResult, 'content'>): string {
  const [block] = content;
  if (block?.type !== 'text') throw new Error('no text');
  return block.text;
}

describe('the tools', () => {
  it('are these, with what is known about their safety', async () => {
    const { tools } = await client.listTools();
    const hints = tools.map(({ name, annotations }) => [
      name,
      annotations?.readOnlyHint === true ? 'read-only' : annotations?.idempotentHint,
    ]);
    expect(Object.fromEntries(hints)).toEqual({
      echo: 'read-only',
      add: 'read-only',
      fail: 'read-only',
      stream_stock_prices: 'read-only',
      long_task: true,
      forecast: 'read-only',
      chart: 'read-only',
    });
  });

  it('echo and add answer', async () => {
    expect(textOf(await client.callTool({ name: 'echo', arguments: { message: 'hi' } }))).toBe(
      'hi',
    );
    expect(textOf(await client.callTool({ name: 'add', arguments: { a: 2, b: 3 } }))).toBe(
      '2 + 3 = 5',
    );
  });

  it('stream_stock_prices reports every move, and the same prices every time', async () => {
    const progress: Progress[] = [];
    const watch = (): Promise<CallToolResult> =>
      client.callTool(
        { name: 'stream_stock_prices', arguments: { symbols: ['AAPL', 'msft'], duration: 0.6 } },
        { onprogress: (p) => progress.push(p) },
      );
    const first = await watch();
    expect(progress.map((p) => [p.progress, p.total])).toEqual([
      [1, 3],
      [2, 3],
      [3, 3],
    ]);
    expect(progress[0]?.message).toMatch(/^AAPL \d+\.\d\d \([+-]\d\.\d\d %\), MSFT /);
    expect(first.structuredContent).toMatchObject({
      quotes: [{ symbol: 'AAPL' }, { symbol: 'MSFT' }],
      ticks: 3,
    });
    expect(textOf(first).split('\n')).toHaveLength(2);
    expect(await watch()).toEqual(first);
  });

  it('long_task sends progress and log messages', async () => {
    const progress: number[] = [];
    const logged: unknown[] = [];
    client.setNotificationHandler('notifications/message', ({ params }) => {
      logged.push(params.data);
    });
    const result = await client.callTool(
      { name: 'long_task', arguments: { steps: 2, stepMs: 1 } },
      { onprogress: (p) => progress.push(p.progress) },
    );
    expect(textOf(result)).toBe('Done: 2 steps of 1 ms.');
    expect(progress).toEqual([1, 2]);
    expect(logged).toEqual(['step 1 of 2', 'step 2 of 2']);
  });

  it('long_task stops when it is cancelled', async () => {
    const logged: unknown[] = [];
    client.setNotificationHandler('notifications/message', ({ params }) => {
      logged.push(params.data);
    });
    const cancel = new AbortController();
    const call = client.callTool(
      { name: 'long_task', arguments: { steps: 1000, stepMs: 1 } },
      { signal: cancel.signal, onprogress: () => cancel.abort() },
    );
    await expect(call).rejects.toThrow();
    await client.callTool({ name: 'echo', arguments: { message: 'anything' } });
    logged.length = 0;
    await client.callTool({ name: 'long_task', arguments: { steps: 3, stepMs: 5 } });
    expect(logged).toEqual(['step 1 of 3', 'step 2 of 3', 'step 3 of 3']);
  });

  it('forecast answers in the shape of its output schema', async () => {
    const { tools } = await client.listTools();
    expect(tools.find(({ name }) => name === 'forecast')?.outputSchema).toBeDefined();
    const call = { name: 'forecast', arguments: { city: 'Lisbon', days: 2 } };
    const { structuredContent } = await client.callTool(call);
    expect(structuredContent).toMatchObject({ city: 'Lisbon', days: [{ day: 1 }, { day: 2 }] });
    expect((await client.callTool(call)).structuredContent).toEqual(structuredContent);
  });

  it('fail reports an error', async () => {
    const result = await client.callTool({ name: 'fail', arguments: { reason: 'why not' } });
    expect(result).toMatchObject({ isError: true, content: [{ text: 'why not' }] });
    expect(await client.callTool({ name: 'fail' })).toMatchObject({ isError: true });
  });
});

describe('chart', () => {
  async function png(values?: number[]): Promise<Buffer> {
    const call = { name: 'chart', arguments: values ? { values } : {} };
    const { content } = await client.callTool(call);
    const image = content.find((block) => block.type === 'image');
    expect(image?.mimeType).toBe('image/png');
    return Buffer.from(image?.data ?? '', 'base64');
  }

  it('is a PNG whose chunks are in order and intact', async () => {
    const file = await png();
    expect(file.subarray(0, 8).toString('latin1')).toBe('\x89PNG\r\n\x1a\n');
    const types: string[] = [];
    for (let at = 8; at < file.length;) {
      const end = at + 8 + file.readUInt32BE(at);
      types.push(file.toString('latin1', at + 4, at + 8));
      expect(file.readUInt32BE(end)).toBe(crc32(file.subarray(at + 4, end)));
      at = end + 4;
    }
    expect(types).toEqual(['IHDR', 'PLTE', 'IDAT', 'IEND']);
  });

  it('draws higher bars for higher values, and negative ones downwards', async () => {
    const blue = 3;
    const red = 4;
    const file = await png([1, 3, -2]);
    const width = file.readUInt32BE(16);
    const height = file.readUInt32BE(20);
    const dataAt = file.indexOf('IDAT');
    const rows = inflateSync(file.subarray(dataAt + 4, dataAt + 4 + file.readUInt32BE(dataAt - 4)));
    expect(rows.length).toBe((width + 1) * height);
    const column = (third: number, colour: number): number => {
      const x = Math.round(24 + ((width - 48) / 3) * (third + 0.5));
      return Array.from({ length: height }, (_, y) => rows[y * (width + 1) + 1 + x]).filter(
        (pixel) => pixel === colour,
      ).length;
    };
    expect(column(1, blue)).toBeGreaterThan(2 * column(0, blue));
    expect(column(0, red)).toBe(0);
    expect(column(2, red)).toBeGreaterThan(column(0, blue));
  });
});

describe('the rest', () => {
  it('has a resource that stays and one that changes', async () => {
    const { resources } = await client.listResources();
    expect(resources.map(({ uri }) => uri)).toEqual(['demo://about', 'demo://clock']);
    const about = await client.readResource({ uri: 'demo://about' });
    expect(about).toMatchObject({ contents: [{ mimeType: 'text/markdown' }] });
    expect(await client.readResource({ uri: 'demo://about' })).toEqual(about);
  });

  it('tells subscribers of the clock that it has changed, again and again', async () => {
    let updates = 0;
    const twice = new Promise<void>((resolve) => {
      client.setNotificationHandler('notifications/resources/updated', ({ params: { uri } }) => {
        expect(uri).toBe('demo://clock');
        updates += 1;
        if (updates === 2) resolve();
      });
    });
    await client.subscribeResource({ uri: 'demo://clock' });
    await twice;
    const before = await client.readResource({ uri: 'demo://clock' });
    await client.unsubscribeResource({ uri: 'demo://clock' });
    expect(before).toMatchObject({ contents: [{ mimeType: 'text/plain' }] });
  });

  it('has a prompt, and completes its tone', async () => {
    const { messages } = await client.getPrompt({
      name: 'market_brief',
      arguments: { symbols: 'AAPL,MSFT' },
    });
    expect(messages).toMatchObject([{ content: { text: expect.stringContaining('AAPL,MSFT') } }]);
    const { completion } = await client.complete({
      ref: { type: 'ref/prompt', name: 'market_brief' },
      argument: { name: 'tone', value: 'd' },
    });
    expect(completion.values).toEqual(['dramatic', 'dry']);
  });
});
