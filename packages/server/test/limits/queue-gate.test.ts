import {
  LATEST_PROTOCOL_VERSION,
  McpServer,
  type JSONRPCMessage,
  type Transport,
} from '@modelcontextprotocol/server';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { MemoryWorkQueue } from '../../src/limits/memory-work-queue.ts';
import { QueueGate } from '../../src/limits/queue-gate.ts';
import { resolveQueues, type QueuesOptions } from '../../src/limits/queues.ts';
import { watchTools } from '../../src/limits/running-tools.ts';
import type { WorkQueue } from '../../src/limits/work-queue.ts';
import { sampleCall, type SampleCall } from '../support/calls.ts';

const RESULT = { kind: 'result', result: {} } as const;

function gate(options: QueuesOptions): { queues: QueueGate; queue: MemoryWorkQueue } {
  const queue = new MemoryWorkQueue();
  return { queues: new QueueGate(resolveQueues(options), queue), queue };
}

describe('queues of heavy tools', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => {
    expect(vi.getTimerCount()).toBe(0);
    vi.useRealTimers();
  });

  it('hold calls until there is a slot, and tell them their place in plain words', async () => {
    const { queues, queue } = gate({ 'render*': { concurrency: 1 } });
    const calls = ['render', 'render_fast', 'render', 'render'].map((target) =>
      sampleCall({ target }),
    );
    const passed: SampleCall[] = [];
    for (const call of calls) {
      void Promise.resolve(queues.hold(call)).then((refusal) => {
        expect(refusal).toBeUndefined();
        passed.push(call);
      });
    }
    await vi.advanceTimersByTimeAsync(1);
    expect(passed).toEqual([calls[0]]);
    expect(queue.depth('render*')).toEqual({ waiting: 3, running: 1 });
    expect(calls[3]?.told).toEqual([[-3, '3rd in the queue of render*']]);
    queues.leave(calls[0]!, RESULT);
    await vi.advanceTimersByTimeAsync(1);
    expect(passed).toEqual(calls.slice(0, 2));
    queues.leave(calls[1]!, { kind: 'error', error: { code: 1, message: 'failed' } });
    await vi.advanceTimersByTimeAsync(1);
    queues.leave(calls[2]!, { kind: 'cancelled' });
    await vi.advanceTimersByTimeAsync(1);
    expect(passed).toEqual(calls);
    expect(calls[3]?.told.map(([, message]) => message)).toEqual([
      '3rd in the queue of render*',
      '2nd in the queue of render*',
      '1st in the queue of render*',
    ]);
    queues.leave(calls[3]!, RESULT);
    await vi.advanceTimersByTimeAsync(1);
    expect(queue.depth('render*')).toEqual({ waiting: 0, running: 0 });
  });

  it('report progress that increases and stays below that of the tool', async () => {
    const { queues } = gate({ render: { concurrency: 1 } });
    const running = sampleCall({ principal: 'x' });
    await queues.hold(running);
    const waiting = [sampleCall(), sampleCall(), sampleCall()];
    for (const call of waiting) void queues.hold(call);
    await vi.advanceTimersByTimeAsync(1);
    // Others take turns, so that the place of the last one grows.
    const others = ['bob', 'cem'].map((principal) => sampleCall({ principal }));
    for (const call of others) void queues.hold(call);
    await vi.advanceTimersByTimeAsync(1);
    for (const call of [running, waiting[0]!, ...others, waiting[1]!]) {
      queues.leave(call, RESULT);
      await vi.advanceTimersByTimeAsync(1);
    }
    const told = waiting[2]!.told;
    expect(told.map(([, message]) => message.split(' ')[0])).toEqual([
      '3rd',
      '5th',
      '4th',
      '3rd',
      '2nd',
      '1st',
    ]);
    for (const [at, [progress]] of told.entries()) {
      expect(progress).toBeGreaterThan(told[at - 1]?.[0] ?? -Infinity);
      expect(progress).toBeLessThan(0);
    }
    queues.leave(waiting[2]!, RESULT);
    await vi.advanceTimersByTimeAsync(1);
  });

  it('refuse calls of a full queue, and those that wait too long, and say so in data', async () => {
    const { queues } = gate({
      render: { concurrency: 1, maxQueued: 1, timeoutMs: 5_000, perPrincipal: 2 },
    });
    const running = sampleCall({ principal: 'x' });
    expect(await queues.hold(running)).toBeUndefined();
    const waiting = queues.hold(sampleCall({ principal: 'x' }));
    await vi.advanceTimersByTimeAsync(1);
    expect(await queues.hold(sampleCall())).toMatchObject({
      status: 503,
      code: -32_000,
      message: expect.stringContaining('maxQueued') as string,
      headers: { 'retry-after': '5' },
      data: { reason: 'queue-full', queue: 'render', retryAfterMs: 5_000 },
    });
    expect(await queues.hold(sampleCall({ principal: 'x' }))).toMatchObject({
      message: expect.stringContaining('perPrincipal') as string,
      data: { reason: 'principal-queue-full' },
    });
    await vi.advanceTimersByTimeAsync(5_000);
    expect(await waiting).toMatchObject({
      message: expect.stringContaining('timeoutMs') as string,
      data: { reason: 'queue-timeout', queue: 'render' },
    });
    queues.leave(running, RESULT);
  });

  it('let go a call that is cancelled while it waits', async () => {
    const { queues, queue } = gate({ render: { concurrency: 1 } });
    const running = sampleCall();
    await queues.hold(running);
    const waiting = sampleCall();
    const held = queues.hold(waiting);
    await vi.advanceTimersByTimeAsync(1);
    waiting.cancel();
    queues.leave(waiting, { kind: 'cancelled' });
    expect(await held).toMatchObject({ data: { reason: 'cancelled' } });
    queues.leave(running, RESULT);
    expect(queue.depth('render')).toEqual({ waiting: 0, running: 0 });
  });

  it('give the slot back of a call that ends while it gets one', async () => {
    let give: ((free: () => void) => void) | undefined;
    const queue: WorkQueue = {
      acquire: () => new Promise((resolve) => void (give = resolve)),
      depth: () => ({ waiting: 0, running: 0 }),
    };
    const queues = new QueueGate(resolveQueues({ render: { concurrency: 1 } }), queue);
    const call = sampleCall();
    const held = queues.hold(call);
    call.cancel();
    queues.leave(call, { kind: 'cancelled' });
    const free = vi.fn();
    give?.(free);
    expect(await held).toMatchObject({ data: { reason: 'cancelled' } });
    expect(free).toHaveBeenCalledOnce();
  });

  it('have nothing to do with other calls', () => {
    const { queues } = gate({ render: { concurrency: 1 } });
    expect(queues.hold(sampleCall({ target: 'echo' }))).toBeUndefined();
    expect(queues.hold(sampleCall({ method: 'prompts/get' }))).toBeUndefined();
    const deliver = vi.fn();
    const call = sampleCall({ target: 'echo' });
    queues.around(call, deliver);
    queues.leave(call, RESULT);
    expect(deliver).toHaveBeenCalledOnce();
    expect(QueueGate.from(resolveQueues(), new MemoryWorkQueue())).toBeUndefined();
  });

  it.each([
    [{ a: {} }, 'queues["a"].concurrency'],
    [{ a: { concurrency: 1, maxQueued: -1 } }, 'queues["a"].maxQueued'],
    [{ a: { concurrency: 1, timeoutMs: 0 } }, 'queues["a"].timeoutMs'],
    [{ a: { concurrency: 1, perUser: 1 } }, 'queues["a"].perUser'],
    [{ a: 3 }, 'queues["a"]'],
  ])('are checked: %j', (options, named) => {
    expect(() => resolveQueues(options as unknown as QueuesOptions)).toThrow(named);
  });
});

describe('a tool that ignores its signal', () => {
  /** A server whose tool runs until it is told to end. */
  async function stubborn(): Promise<{
    deliver(message: JSONRPCMessage): void;
    begun: () => Promise<() => void>;
    isWatched: boolean;
    close(): Promise<void>;
  }> {
    const server = new McpServer({ name: 'stubborn', version: '1.0.0' });
    const begins = new EventTarget();
    let end: () => void = () => {};
    server.registerTool('render', {}, async () => {
      const ended = new Promise<void>((resolve) => void (end = resolve));
      begins.dispatchEvent(new Event('begun'));
      await ended;
      return { content: [] };
    });
    const isWatched = watchTools(server);
    const transport: Transport = {
      start: async () => {},
      send: async () => {},
      close: async () => {},
    };
    await server.connect(transport);
    const deliver = (message: JSONRPCMessage): void => transport.onmessage?.(message);
    deliver({
      jsonrpc: '2.0',
      id: 'initialize',
      method: 'initialize',
      params: {
        protocolVersion: LATEST_PROTOCOL_VERSION,
        capabilities: {},
        clientInfo: { name: 'test', version: '1' },
      },
    });
    deliver({ jsonrpc: '2.0', method: 'notifications/initialized' });
    return {
      deliver,
      begun: async () => {
        await once(begins, 'begun');
        return () => end();
      },
      isWatched,
      close: () => server.close(),
    };
  }

  function message({ id }: SampleCall): JSONRPCMessage {
    return { jsonrpc: '2.0', id, method: 'tools/call', params: { name: 'render', arguments: {} } };
  }

  it('keeps the slot of its cancelled call until it ends', async () => {
    const server = await stubborn();
    expect(server.isWatched).toBe(true);
    const { queues, queue } = gate({ render: { concurrency: 1 } });
    const first = sampleCall();
    expect(await queues.hold(first)).toBeUndefined();
    const begun = server.begun();
    queues.around(first, () => server.deliver(message(first)));
    const end = await begun;
    server.deliver({
      jsonrpc: '2.0',
      method: 'notifications/cancelled',
      params: { requestId: first.id },
    });
    first.cancel();
    queues.leave(first, { kind: 'cancelled' });
    const second = sampleCall();
    const held = queues.hold(second);
    expect(queue.depth('render')).toEqual({ waiting: 1, running: 1 });
    end();
    expect(await held).toBeUndefined();
    queues.leave(second, RESULT);
    expect(queue.depth('render')).toEqual({ waiting: 0, running: 0 });
    await server.close();
  });

  it('loses the slot of its cancelled call after abandonedMs', async () => {
    const server = await stubborn();
    const { queues, queue } = gate({ render: { concurrency: 1, abandonedMs: 20 } });
    const first = sampleCall();
    await queues.hold(first);
    const begun = server.begun();
    queues.around(first, () => server.deliver(message(first)));
    await begun;
    queues.leave(first, { kind: 'cancelled' });
    expect(queue.depth('render').running).toBe(1);
    const second = sampleCall();
    expect(await queues.hold(second)).toBeUndefined();
    queues.leave(second, RESULT);
    await server.close();
  });

  it('does not begin once its call has ended', async () => {
    const server = await stubborn();
    const { queues, queue } = gate({ render: { concurrency: 1 } });
    const call = sampleCall();
    await queues.hold(call);
    let hasBegun = false;
    void server.begun().then(() => (hasBegun = true));
    queues.around(call, () => server.deliver(message(call)));
    queues.leave(call, { kind: 'cancelled' });
    expect(queue.depth('render').running).toBe(0);
    await new Promise(setImmediate);
    expect(hasBegun).toBe(false);
    await server.close();
  });

  it('is left alone on a server without handlers', () => {
    expect(watchTools({})).toBe(false);
    expect(watchTools(new McpServer({ name: 'none', version: '1' }))).toBe(false);
  });
});

describe('a queue in which thousands wait', () => {
  it('serves them all, tells places in few passes, and leaves nothing behind', async () => {
    const queue = new MemoryWorkQueue();
    const endings = Array.from({ length: 5_000 }, () => new AbortController());
    let told = 0;
    const limits = {
      concurrency: 10,
      maxQueued: Infinity,
      timeoutMs: 60_000,
      perPrincipal: Infinity,
    };
    const outcomes = endings.map(({ signal }, at) =>
      queue.acquire({
        queue: 'q',
        principal: `${at % 500}`,
        limits,
        signal,
        onPlace: () => told++,
      }),
    );
    expect(queue.depth('q')).toEqual({ waiting: 4_990, running: 10 });
    let served = 0;
    for (const [at, outcome] of outcomes.entries()) {
      if (at >= 10 && at % 5 === 0) endings[at]?.abort();
      void outcome.then((slot) => {
        if (typeof slot !== 'function') return;
        served++;
        queueMicrotask(slot);
      });
    }
    await Promise.all(outcomes);
    await new Promise(setImmediate);
    expect(served).toBe(5_000 - 998);
    expect(queue.depth('q')).toEqual({ waiting: 0, running: 0 });
    expect(told).toBeLessThan(5_000);
  });
});
