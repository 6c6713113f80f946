import { describe, expect, it, vi } from 'vitest';
import { ClusterAwayError, SessionLostError } from '../../src/cluster/cluster.ts';
import type { LoggedEvent } from '../../src/events/event-log.ts';
import { OwnedLog } from '../../src/sessions/owned-log.ts';

function event(seq: number): LoggedEvent {
  return { seq, stream: 0, data: `"${seq}"` };
}

/** A log in whose store the messages are that it took, in order. */
function logTo(append: (event: LoggedEvent, times: number) => Promise<void> | void): {
  log: OwnedLog;
  kept: number[];
  lost: unknown[];
} {
  const kept: number[] = [];
  const lost: unknown[] = [];
  const times = new Map<number, number>();
  const log = new OwnedLog({
    sessionId: 'one',
    events: {
      append: async (_id, one) => {
        const count = (times.get(one.seq) ?? 0) + 1;
        times.set(one.seq, count);
        await append(one, count);
        kept.push(one.seq);
      },
    },
    onLost: (error) => lost.push(error),
    onKept: () => undefined,
  });
  return { log, kept, lost };
}

describe('what a session says', () => {
  it('is kept in order, whatever failed first', async () => {
    const { log, kept, lost } = logTo((one, times) => {
      // A gap is refused, as by the store.
      if (times === 1 && one.seq >= 2) throw new ClusterAwayError();
    });
    await Promise.all([1, 2, 3, 4].map((seq) => log.keep(event(seq))));
    expect(kept).toEqual([1, 2, 3, 4]);
    expect(log.isKept).toBe(true);
    expect(lost).toEqual([]);
  });

  it('is waited for by whoever wants to read it', async () => {
    let isAway = true;
    const { log, kept } = logTo(() => {
      if (isAway) throw new ClusterAwayError();
    });
    await log.settled();
    const keeping = Promise.all([1, 2].map((seq) => log.keep(event(seq))));
    const order: string[] = [];
    const settled = log.settled().then(() => order.push(`read with ${kept.join(', ')}`));
    await new Promise((resolve) => setImmediate(resolve));
    order.push('the store is back');
    isAway = false;
    await Promise.all([keeping, settled]);
    expect(order).toEqual(['the store is back', 'read with 1, 2']);
  });

  it('waits behind what could not be kept', async () => {
    let isAway = true;
    const { log, kept } = logTo(() => {
      if (isAway) throw new ClusterAwayError();
    });
    const first = log.keep(event(1));
    await expect.poll(() => log.isKept).toBe(false);
    await new Promise((resolve) => setImmediate(resolve));
    const second = log.keep(event(2));
    isAway = false;
    await Promise.all([first, second]);
    expect(kept).toEqual([1, 2]);
  });

  it('is not kept where another node has it, and nothing of it after that', async () => {
    const { log, kept, lost } = logTo(() => {
      throw new SessionLostError();
    });
    await Promise.all([log.keep(event(1)), log.keep(event(2))]);
    await log.keep(event(3));
    expect(kept).toEqual([]);
    expect(lost).toHaveLength(1);
  });

  it('is given up after half a minute', async () => {
    vi.useFakeTimers();
    try {
      const { log, lost } = logTo(() => {
        throw new ClusterAwayError();
      });
      const kept = log.keep(event(1));
      await vi.advanceTimersByTimeAsync(29_000);
      expect(lost).toEqual([]);
      await vi.advanceTimersByTimeAsync(2_000);
      await kept;
      expect(lost).toHaveLength(1);
    } finally {
      vi.useRealTimers();
    }
  });
});
