import type { Result } from '@modelcontextprotocol/client';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Channel } from '../../src/channels/channel.ts';
import type { RequestContext } from '../../src/connection/request-context.ts';
import type { ServerFacts } from '../../src/connection/initialize.ts';
import type { LedgerRequest } from '../../src/connection/ledger.ts';
import { changesIn, ServerStream } from '../../src/connection/server-stream.ts';
import { ConnectionLostError, ServerError } from '../../src/errors.ts';

interface Asked {
  filter: unknown;
  context: RequestContext;
  end: (error?: Error) => void;
}

const lost = new ConnectionLostError('gone', { certainty: 'outcome-unknown' });
const listChanged = { listChanged: true };
const server: ServerFacts = {
  protocolVersion: '2026-07-28',
  capabilities: { tools: listChanged, prompts: {}, resources: { ...listChanged, subscribe: true } },
};

class Rig {
  readonly asked: Asked[] = [];
  readonly cancelled: RequestContext[] = [];
  subscribed: string[] = [];
  gaps = 0;
  readonly serverStream: ServerStream = new ServerStream({
    retry: {
      maxAttempts: 5,
      firstDelayMs: 100,
      maxDelayMs: 1000,
      firstConnect: false,
      random: () => 1,
    },
    subscribed: () => this.subscribed,
    port: {
      ask: ({ params }: LedgerRequest, context: RequestContext) =>
        new Promise<Result>((resolve, reject) => {
          const end = (error?: Error): void => (error === undefined ? resolve({}) : reject(error));
          this.asked.push({ filter: params?.['notifications'], context, end });
        }),
      cancel: (context) => this.cancelled.push(context),
      deliver: () => {},
      report: () => {},
    },
    onGap: () => this.gaps++,
    onRefused: () => {},
  });

  last(): Asked {
    const asked = this.asked.at(-1);
    if (asked === undefined) throw new Error('nothing was asked');
    return asked;
  }
}

const modern = { era: 'modern' } as unknown as Channel;

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('the server stream in the modern era', () => {
  it('asks only for notifications that the program wants and the server has', () => {
    const rig = new Rig();
    rig.serverStream.start(modern, server);
    expect(rig.asked).toEqual([]);
    rig.serverStream.watchLists(['tools', 'prompts', 'resources']);
    expect(rig.last().filter).toEqual({ toolsListChanged: true, resourcesListChanged: true });
    rig.serverStream.watchLists(['tools', 'prompts', 'resources']);
    expect(rig.asked).toHaveLength(1);
  });

  it('opens a wider stream before it closes the one before, without a gap', async () => {
    const rig = new Rig();
    rig.serverStream.watchLists(['tools', 'prompts', 'resources']);
    rig.serverStream.start(modern, server);
    const [first] = rig.asked;
    first?.context.onAcknowledged?.();
    const subscribed = rig.serverStream.subscribe('mem://a', true);
    expect(rig.last().filter).toMatchObject({ resourceSubscriptions: ['mem://a'] });
    expect(rig.cancelled).toEqual([]);
    rig.last().context.onAcknowledged?.();
    await subscribed;
    expect(rig.cancelled).toEqual([first?.context]);
    expect(rig.gaps).toBe(0);
    // The cancelled stream ends as well; nothing is opened for it.
    first?.end(lost);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(rig.asked).toHaveLength(2);
  });

  it.each([
    ['gracefully', undefined],
    ['with the connection', lost],
  ])('opens the stream again that ends %s, and reports the gap', async (_how, error) => {
    const rig = new Rig();
    rig.serverStream.watchLists(['tools', 'prompts', 'resources']);
    rig.serverStream.start(modern, server);
    rig.last().context.onAcknowledged?.();
    rig.last().end(error);
    await vi.advanceTimersByTimeAsync(99);
    expect(rig.asked).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(rig.asked).toHaveLength(2);
    expect(rig.gaps).toBe(0);
    rig.last().context.onAcknowledged?.();
    expect(rig.gaps).toBe(1);
  });

  it('waits longer for a stream that keeps ending soon', async () => {
    const rig = new Rig();
    rig.serverStream.watchLists(['tools', 'prompts', 'resources']);
    rig.serverStream.start(modern, server);
    for (const delayMs of [100, 200, 400, 800, 1000]) {
      rig.last().end(lost);
      const before = rig.asked.length;
      await vi.advanceTimersByTimeAsync(delayMs - 1);
      expect(rig.asked).toHaveLength(before);
      await vi.advanceTimersByTimeAsync(1);
      expect(rig.asked).toHaveLength(before + 1);
    }
    await vi.advanceTimersByTimeAsync(5000);
    const before = rig.asked.length;
    rig.last().end(lost);
    await vi.advanceTimersByTimeAsync(100);
    expect(rig.asked).toHaveLength(before + 1);
  });

  it('does not ask again a server that does not know the method', async () => {
    const rig = new Rig();
    rig.serverStream.watchLists(['tools', 'prompts', 'resources']);
    rig.serverStream.start(modern, server);
    rig.last().end(new ServerError('unknown', { number: -32601 }));
    await vi.advanceTimersByTimeAsync(60_000);
    expect(rig.asked).toHaveLength(1);
  });

  it('fails a subscription that the server refuses', async () => {
    const rig = new Rig();
    rig.serverStream.start(modern, server);
    const subscribed = rig.serverStream.subscribe('mem://a', true);
    const refusal = new ServerError('too many', { number: -32603 });
    rig.last().end(refusal);
    await expect(subscribed).rejects.toBe(refusal);
  });

  it('stops with the channel, and reports the gap on the next', async () => {
    const rig = new Rig();
    rig.serverStream.watchLists(['tools', 'prompts', 'resources']);
    rig.serverStream.start(modern, server);
    rig.last().context.onAcknowledged?.();
    rig.serverStream.stop();
    rig.last().end(lost);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(rig.asked).toHaveLength(1);
    rig.serverStream.start(modern, server);
    rig.last().context.onAcknowledged?.();
    expect(rig.gaps).toBe(1);
  });
});

describe('the server stream in the legacy era', () => {
  it('opens the stream again; a resumed stream has no gap', async () => {
    const rig = new Rig();
    const ends: ((error: Error) => void)[] = [];
    let isContinued = false;
    const listen = (onOpen: (isContinued: boolean) => void): Promise<void> => {
      onOpen(isContinued);
      return new Promise((_resolve, reject) => {
        ends.push(reject);
      });
    };
    rig.serverStream.start({ era: 'legacy', listen } as unknown as Channel, server);
    isContinued = true;
    ends[0]?.(lost);
    await vi.advanceTimersByTimeAsync(100);
    expect([ends.length, rig.gaps]).toEqual([2, 0]);
    isContinued = false;
    ends[1]?.(lost);
    await vi.advanceTimersByTimeAsync(200);
    expect([ends.length, rig.gaps]).toEqual([3, 1]);
  });

  it('does not ask again a server that has none', async () => {
    const rig = new Rig();
    const listen = vi.fn(() => Promise.resolve());
    rig.serverStream.start({ era: 'legacy', listen } as unknown as Channel, server);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(listen).toHaveBeenCalledOnce();
  });
});

describe('notifications that may have been missed', () => {
  it('are those that the server would have sent', () => {
    expect(changesIn(server, ['mem://a']).map(({ method, params }) => [method, params])).toEqual([
      ['notifications/resources/list_changed', undefined],
      ['notifications/resources/updated', { uri: 'mem://a' }],
    ]);
  });
});
