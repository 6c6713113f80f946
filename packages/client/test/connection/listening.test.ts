import type { Result } from '@modelcontextprotocol/client';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Channel } from '../../src/channels/channel.ts';
import type { CallMark } from '../../src/connection/call-mark.ts';
import type { ServerFacts } from '../../src/connection/handshake.ts';
import type { LedgerRequest } from '../../src/connection/ledger.ts';
import { changesIn, Listening } from '../../src/connection/listening.ts';
import { ConnectionLostError, ServerError } from '../../src/errors.ts';

interface Asked {
  filter: unknown;
  mark: CallMark;
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
  readonly givenUp: CallMark[] = [];
  subscribed: string[] = [];
  gaps = 0;
  readonly listening: Listening = new Listening({
    retry: {
      maxAttempts: 5,
      firstDelayMs: 100,
      maxDelayMs: 1000,
      firstConnect: false,
      random: () => 1,
    },
    subscribed: () => this.subscribed,
    ask: ({ params }: LedgerRequest, mark: CallMark) =>
      new Promise<Result>((resolve, reject) => {
        const end = (error?: Error): void => (error === undefined ? resolve({}) : reject(error));
        this.asked.push({ filter: params?.['notifications'], mark, end });
      }),
    giveUp: (mark) => this.givenUp.push(mark),
    onGap: () => this.gaps++,
    onRefused: () => {},
    report: () => {},
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

describe('listening in the modern era', () => {
  it('asks for nothing that nobody wants, and for what the server can tell', () => {
    const rig = new Rig();
    rig.listening.start(modern, server);
    expect(rig.asked).toEqual([]);
    rig.listening.wantLists();
    expect(rig.last().filter).toEqual({ toolsListChanged: true, resourcesListChanged: true });
    rig.listening.wantLists();
    expect(rig.asked).toHaveLength(1);
  });

  it('opens a wider stream before it closes the one before, without a gap', async () => {
    const rig = new Rig();
    rig.listening.wantLists();
    rig.listening.start(modern, server);
    const [first] = rig.asked;
    first?.mark.onAcknowledged?.();
    const subscribed = rig.listening.subscribe('mem://a', true);
    expect(rig.last().filter).toMatchObject({ resourceSubscriptions: ['mem://a'] });
    expect(rig.givenUp).toEqual([]);
    rig.last().mark.onAcknowledged?.();
    await subscribed;
    expect(rig.givenUp).toEqual([first?.mark]);
    expect(rig.gaps).toBe(0);
    // What was given up ends, too; nothing is opened for it.
    first?.end(lost);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(rig.asked).toHaveLength(2);
  });

  it.each([
    ['gracefully', undefined],
    ['with the line', lost],
  ])('opens the stream again that ends %s, and tells of the gap', async (_how, error) => {
    const rig = new Rig();
    rig.listening.wantLists();
    rig.listening.start(modern, server);
    rig.last().mark.onAcknowledged?.();
    rig.last().end(error);
    await vi.advanceTimersByTimeAsync(99);
    expect(rig.asked).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(rig.asked).toHaveLength(2);
    expect(rig.gaps).toBe(0);
    rig.last().mark.onAcknowledged?.();
    expect(rig.gaps).toBe(1);
  });

  it('waits longer for a stream that keeps ending, and not for one that stood', async () => {
    const rig = new Rig();
    rig.listening.wantLists();
    rig.listening.start(modern, server);
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

  it('asks no more of a server that does not know it', async () => {
    const rig = new Rig();
    rig.listening.wantLists();
    rig.listening.start(modern, server);
    rig.last().end(new ServerError('unknown', { number: -32601 }));
    await vi.advanceTimersByTimeAsync(60_000);
    expect(rig.asked).toHaveLength(1);
  });

  it('fails a subscription that the server refuses', async () => {
    const rig = new Rig();
    rig.listening.start(modern, server);
    const subscribed = rig.listening.subscribe('mem://a', true);
    const refusal = new ServerError('too many', { number: -32603 });
    rig.last().end(refusal);
    await expect(subscribed).rejects.toBe(refusal);
  });

  it('stops with the channel, and tells of the gap on the next', async () => {
    const rig = new Rig();
    rig.listening.wantLists();
    rig.listening.start(modern, server);
    rig.last().mark.onAcknowledged?.();
    rig.listening.stop();
    rig.last().end(lost);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(rig.asked).toHaveLength(1);
    rig.listening.start(modern, server);
    rig.last().mark.onAcknowledged?.();
    expect(rig.gaps).toBe(1);
  });
});

describe('listening in the legacy era', () => {
  it('opens the stream again; one that goes on has lost nothing', async () => {
    const rig = new Rig();
    const ends: ((error: Error) => void)[] = [];
    let isContinued = false;
    const listen = (onOpen: (isContinued: boolean) => void): Promise<void> => {
      onOpen(isContinued);
      return new Promise((_resolve, reject) => {
        ends.push(reject);
      });
    };
    rig.listening.start({ era: 'legacy', listen } as unknown as Channel, server);
    isContinued = true;
    ends[0]?.(lost);
    await vi.advanceTimersByTimeAsync(100);
    expect([ends.length, rig.gaps]).toEqual([2, 0]);
    isContinued = false;
    ends[1]?.(lost);
    await vi.advanceTimersByTimeAsync(200);
    expect([ends.length, rig.gaps]).toEqual([3, 1]);
  });

  it('leaves a server alone that offers none', async () => {
    const rig = new Rig();
    const listen = vi.fn(() => Promise.resolve());
    rig.listening.start({ era: 'legacy', listen } as unknown as Channel, server);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(listen).toHaveBeenCalledOnce();
  });
});

describe('what may have changed unheard', () => {
  it('is what the server would have told', () => {
    expect(changesIn(server, ['mem://a']).map(({ method, params }) => [method, params])).toEqual([
      ['notifications/resources/list_changed', undefined],
      ['notifications/resources/updated', { uri: 'mem://a' }],
    ]);
  });
});
