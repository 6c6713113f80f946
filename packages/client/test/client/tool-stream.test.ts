import { McpServer } from '@modelcontextprotocol/server';
import { describe, expect, it } from 'vitest';
import { startModernServer } from '../../../../test/support/modern-server.ts';
import { everythingCommand } from '../../../../test/support/peers.ts';
import type { RpcMessage } from '../../../../test/support/strict-mcp-session.ts';
import {
  startStreamable,
  type StreamableServer,
} from '../../../../test/support/streamable-fixture.ts';
import { until } from '../../../../test/support/until.ts';
import { failureOf } from '../support/failure-of.ts';
import { atTheEndOfEachTest, roundTrips, said } from '../support/recovery.ts';
import type { LongwireClient, ToolStreamEvent, ToolStreamOptions } from '../../src/index.ts';

const { client: makeClient, closeLater, setUp: setUpSse } = atTheEndOfEachTest();

async function setUp(): Promise<{ server: StreamableServer; client: LongwireClient }> {
  const server = closeLater(await startStreamable());
  const client = makeClient(server.url);
  await client.connect();
  return { server, client };
}

async function all(stream: AsyncIterable<ToolStreamEvent>): Promise<ToolStreamEvent[]> {
  const events: ToolStreamEvent[] = [];
  for await (const event of stream) events.push(event);
  return events;
}

/** What a test says of the one call under way. */
async function callOf(server: Pick<StreamableServer, 'messagesOf'>): Promise<RpcMessage> {
  await until(() => expect(server.messagesOf('tools/call')).toHaveLength(1));
  return server.messagesOf('tools/call')[0] as RpcMessage;
}

const log = (data: unknown): RpcMessage => ({
  jsonrpc: '2.0',
  method: 'notifications/message',
  params: { level: 'info', logger: 'test', data },
});
const progressOf = ({ id }: RpcMessage, progress: number): RpcMessage => ({
  jsonrpc: '2.0',
  method: 'notifications/progress',
  params: { progressToken: id, progress },
});

const isLog = (data: unknown): ToolStreamEvent => ({
  type: 'log',
  message: { level: 'info', logger: 'test', data },
});
const isProgress = (progress: number): ToolStreamEvent => ({
  type: 'progress',
  progress: { progress },
});
const isResult = (text: string): ToolStreamEvent => ({
  type: 'result',
  result: said(text) as never,
});

describe('the events of a call', () => {
  it('are progress, log messages, and the result at the end, in the order of their coming', async () => {
    const { server, client } = await setUp();
    const events = all(client.stream('hang'));
    const call = await callOf(server);
    for (const message of [progressOf(call, 1), log('a'), log('b'), progressOf(call, 2), log('c')])
      server.push(message, 'replies');
    server.answerUnheard({ jsonrpc: '2.0', id: call.id!, result: said('done') });
    expect(await events).toEqual([
      isProgress(1),
      isLog('a'),
      isLog('b'),
      isProgress(2),
      isLog('c'),
      isResult('done'),
    ]);
  });

  it('hold log messages that come on another stream, while it runs and not after', async () => {
    const { server, client } = await setUpSse();
    const stream = client.stream('hang');
    const first = stream.next();
    const call = await callOf(server);
    server.push(log('during'));
    server.push({ jsonrpc: '2.0', method: 'notifications/message', params: { level: 7 } });
    server.push({ jsonrpc: '2.0', method: 'notifications/other', params: { level: 'info' } });
    server.push({ jsonrpc: '2.0', id: call.id!, result: said('done') });
    expect(await first).toEqual({ done: false, value: isLog('during') });
    await until(() => expect(client.stats().calls.inFlight).toBe(0));
    server.push(log('after'));
    await roundTrips(client);
    expect(await all(stream)).toEqual([isResult('done')]);
  });

  it('are each call’s own, but for log messages', async () => {
    const { server, client } = await setUp();
    const slow = all(client.stream('slow', { ms: 50 }));
    const hanging = all(client.stream('hang'));
    await until(() => expect(server.messagesOf('tools/call')).toHaveLength(2));
    await until(() => expect(server.openReplies()).toBe(2));
    const hang = server.messagesOf('tools/call').find(({ params }) => params?.['name'] === 'hang');
    server.push(log('for all'), 'replies');
    expect((await slow).filter(({ type }) => type === 'progress')).toHaveLength(10);
    server.answerUnheard({ jsonrpc: '2.0', id: hang!.id!, result: said('done') });
    const events = await hanging;
    expect(events.filter(({ type }) => type === 'progress')).toEqual([]);
    expect(events).toContainEqual(isLog('for all'));
  });

  it('come to a loop that runs alongside the call', async () => {
    const { client } = await setUp();
    const types: string[] = [];
    for await (const { type } of client.stream('slow', { ms: 50 })) {
      types.push(type);
      if (types.length === 1) expect(client.stats().calls.inFlight).toBe(1);
    }
    expect(types).toEqual([...Array<string>(10).fill('progress'), 'result']);
  });

  it('come from the example server of the protocol, over stdio', async () => {
    const client = makeClient(everythingCommand() as never);
    const events = await all(
      client.stream('trigger-long-running-operation', { duration: 0.1, steps: 4 }),
    );
    expect(events.map(({ type }) => type)).toEqual([
      ...Array<string>(4).fill('progress'),
      'result',
    ]);
    expect(events[3]).toMatchObject({ progress: { progress: 4, total: 4 } });
  });

  it('come from a server of the modern era', async () => {
    const server = closeLater(await startModernServer());
    const events = await all(makeClient(server.url).stream('steps'));
    expect(events).toEqual([
      ...[1, 2, 3].map((progress) => ({ type: 'progress', progress: { progress, total: 3 } })),
      expect.objectContaining({ type: 'result' }),
    ]);
  });

  it('come from a server in this process', async () => {
    const server = (): McpServer => {
      const mcp = new McpServer(
        { name: 'embedded', version: '1.0.0' },
        { capabilities: { logging: {} } },
      );
      mcp.registerTool('tell', {}, async () => {
        await mcp.server.sendLoggingMessage({ level: 'info', logger: 'test', data: 'a' });
        await mcp.server.sendLoggingMessage({ level: 'info', logger: 'test', data: 'b' });
        return said('told') as { content: [] };
      });
      return mcp;
    };
    const client = makeClient({ server } as never);
    expect(await all(client.stream('tell'))).toEqual([isLog('a'), isLog('b'), isResult('told')]);
  });

  it('bring the error of a tool as a result', async () => {
    const { client } = await setUp();
    expect(await all(client.stream('fail'))).toMatchObject([
      { type: 'result', result: { isError: true } },
    ]);
  });
});

describe('a loop', () => {
  it('that never begins makes no call', async () => {
    const { server, client } = await setUp();
    const stream = client.stream('echo', { message: 'x' });
    await stream.return();
    expect(await all(stream)).toEqual([]);
    expect(server.messagesOf('tools/call')).toEqual([]);
  });

  it.each(['is left', 'throws'])(
    'that %s aborts the call, and sends its cancellation',
    async (how) => {
      const { server, client } = await setUp();
      const looping = (async () => {
        for await (const { type } of client.stream('slow', { ms: 60_000 / 5 })) {
          expect(type).toBe('log');
          if (how === 'throws') throw new Error('enough');
          break;
        }
      })();
      const call = await callOf(server);
      await until(() => expect(server.openReplies()).toBe(1));
      server.push(log('a'), 'replies');
      if (how === 'throws') await expect(looping).rejects.toThrow('enough');
      else await looping;
      expect(client.stats().calls).toMatchObject({ inFlight: 0, failed: { aborted: 1 } });
      await until(() =>
        expect(server.messagesOf('notifications/cancelled')).toMatchObject([
          { params: { requestId: call.id, reason: 'aborted' } },
        ]),
      );
    },
  );

  it('gets what the call failed with, after what came before', async () => {
    const { server, client } = await setUp();
    const events: ToolStreamEvent[] = [];
    const looping = (async () => {
      for await (const event of client.stream('hang')) events.push(event);
    })();
    const call = await callOf(server);
    server.push(progressOf(call, 1), 'replies');
    const error = { code: -32603, message: 'broken' };
    server.answerUnheard({ jsonrpc: '2.0', id: call.id!, error });
    expect(await failureOf(looping)).toMatchObject({ code: 'server-error', number: -32603 });
    expect(events).toEqual([isProgress(1)]);
  });

  it('gets what a signal of its own ended it with, before and while it runs', async () => {
    const { server, client } = await setUp();
    const reason = new Error('enough');
    const before = all(client.stream('echo', {}, { signal: AbortSignal.abort(reason) }));
    expect(await failureOf(before)).toMatchObject({ code: 'aborted', cause: reason });
    expect(server.messagesOf('tools/call')).toEqual([]);
    const aborting = new AbortController();
    const during = failureOf(all(client.stream('hang', {}, { signal: aborting.signal })));
    await callOf(server);
    aborting.abort(reason);
    expect(await during).toMatchObject({ code: 'aborted', cause: reason });
    await until(() => expect(server.messagesOf('notifications/cancelled')).toHaveLength(1));
  });

  it('keeps to the limits of its call', async () => {
    const { client } = await setUp();
    const failure = await failureOf(all(client.stream('hang', {}, { timeoutMs: 20 })));
    expect(failure).toMatchObject({ code: 'timeout' });
  });

  it('has the options of a call, without onProgress, and says at once which are wrong', () => {
    const client = makeClient('http://127.0.0.1:9/');
    for (const [options, message] of [
      [{ onProgress: () => {} }, /^onProgress: /],
      [{ buffer: 1 }, /^buffer: no such option/],
      [{ bufferSize: 0 }, /^bufferSize: 0 is not a number above 0/],
      [{ bufferSize: 1.5 }, /^bufferSize: 1.5 is not a whole number/],
      [{ timeoutMs: -1 }, /^timeoutMs: /],
    ] as const) {
      const begin = (): unknown => client.stream('echo', {}, options as ToolStreamOptions);
      expect(begin).toThrow(TypeError);
      expect(begin).toThrow(message);
    }
  });
});

describe('a loop that is slower than the server', () => {
  /** What is left for a loop that looks again when all has come; the first event is taken at once. */
  async function lateEvents(
    bufferSize: number | undefined,
    say: (call: RpcMessage) => RpcMessage[],
  ): Promise<ToolStreamEvent[]> {
    const { server, client } = await setUp();
    const stream = client.stream('hang', {}, bufferSize === undefined ? {} : { bufferSize });
    const first = stream.next();
    const call = await callOf(server);
    server.push(log('first'), 'replies');
    expect(await first).toEqual({ done: false, value: isLog('first') });
    for (const message of say(call)) server.push(message, 'replies');
    server.answerUnheard({ jsonrpc: '2.0', id: call.id!, result: said('done') });
    await until(() => expect(client.stats().calls.inFlight).toBe(0));
    return all(stream);
  }
  const many = (call: RpcMessage, count: number): RpcMessage[] =>
    Array.from({ length: count }, (_, i) => progressOf(call, i + 1));

  it('misses progress that later progress has overtaken', async () => {
    const events = await lateEvents(3, (call) => [log('a'), ...many(call, 50), log('b')]);
    expect(events).toEqual([isLog('a'), isProgress(50), isLog('b'), isResult('done')]);
  });

  it('misses the oldest log messages when there are too many, and not how far the call is', async () => {
    const events = await lateEvents(3, (call) => [
      progressOf(call, 1),
      ...['a', 'b', 'c', 'd'].map(log),
    ]);
    expect(events).toEqual([isProgress(1), isLog('c'), isLog('d'), isResult('done')]);
  });

  it('gets at least the latest progress', async () => {
    const events = await lateEvents(1, (call) => [...many(call, 5), log('a')]);
    expect(events).toEqual([isProgress(5), isResult('done')]);
  });

  it('misses nothing of a hundred events', async () => {
    const events = await lateEvents(undefined, (call) => many(call, 100));
    expect(events).toHaveLength(101);
    expect(await lateEvents(undefined, (call) => many(call, 1000))).toHaveLength(101);
  });
});
