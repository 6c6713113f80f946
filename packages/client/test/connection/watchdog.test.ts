import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Watchdog } from '../../src/connection/watchdog.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** For so long the fake clock lets a `setImmediate` wait that a timer sets. */
const TURN_MS = 1;

interface Rig {
  watchdog: Watchdog;
  /** When it asked, and when it gave up, in milliseconds from the start. */
  pings: number[];
  silences: number[];
  arrive: () => void;
  prove: () => void;
  /** Lets the question leave, where it does not leave at once. */
  ask: () => void;
}

function watch(silenceMs: number, timeoutMs: number, isProven = true, leaves = true): Rig {
  const start = performance.now();
  const elapsed = (): number => performance.now() - start;
  let heardAt = start;
  let proven = isProven;
  let ask = (): void => {};
  const pings: number[] = [];
  const silences: number[] = [];
  const watchdog = new Watchdog({
    silenceMs,
    timeoutMs,
    heardAt: () => heardAt,
    isProven: () => proven,
    ping: (onAsked) => {
      pings.push(elapsed());
      if (leaves) onAsked();
      else ask = onAsked;
    },
    onSilence: () => silences.push(elapsed()),
    now: () => performance.now(),
  });
  return {
    watchdog,
    pings,
    silences,
    arrive: () => {
      heardAt = performance.now();
    },
    prove: () => {
      proven = true;
    },
    ask: () => ask(),
  };
}

describe('Watchdog', () => {
  it('asks after the silence, and gives up after the timeout, once', () => {
    const { pings, silences } = watch(1000, 300);
    vi.advanceTimersByTime(10_000);
    expect({ pings, silences }).toEqual({
      pings: [1000 + TURN_MS],
      silences: [1300 + 2 * TURN_MS],
    });
    expect(vi.getTimerCount()).toBe(0);
  });

  it('gives the answer its time from when the question has left', () => {
    const { ask, silences } = watch(1000, 300, true, false);
    vi.advanceTimersByTime(5000);
    expect(silences).toEqual([]);
    ask();
    vi.advanceTimersByTime(299);
    expect(silences).toEqual([]);
    vi.advanceTimersByTime(302);
    expect(silences).toHaveLength(1);
  });

  it('takes whatever arrives for a sign of life, and asks a silence after the last of it', () => {
    const { arrive, pings, silences } = watch(1000, 300);
    vi.advanceTimersByTime(700);
    arrive();
    vi.advanceTimersByTime(1100);
    expect(pings).toEqual([1700 + TURN_MS]);
    arrive();
    vi.advanceTimersByTime(1100);
    expect({ pings, silences }).toEqual({
      pings: [1700 + TURN_MS, 2800 + TURN_MS],
      silences: [],
    });
  });

  it('asks no later after a silence that was answered when the timeout is the longer', () => {
    const { arrive, pings } = watch(1000, 5000);
    vi.advanceTimersByTime(1010);
    arrive();
    vi.advanceTimersByTime(1010);
    expect(pings).toEqual([1000 + TURN_MS, 2010 + TURN_MS]);
  });

  it('asks nothing while something keeps arriving', () => {
    const { arrive, pings, silences } = watch(1000, 300);
    for (let i = 0; i < 50; i++) {
      vi.advanceTimersByTime(900);
      arrive();
    }
    expect({ pings, silences }).toEqual({ pings: [], silences: [] });
  });

  it('reads what arrived while the process was held up before it asks or gives up', () => {
    const { arrive, pings, silences } = watch(1000, 300);
    vi.advanceTimersByTime(600);
    vi.advanceTimersToNextTimer();
    // The timer is over, and the event loop comes to its sockets only now.
    arrive();
    vi.advanceTimersToNextTimer();
    expect(pings).toEqual([]);
    vi.advanceTimersByTime(1000 + TURN_MS);
    expect(pings).toEqual([2000 + TURN_MS]);
    vi.advanceTimersToNextTimer();
    arrive();
    vi.advanceTimersToNextTimer();
    expect(silences).toEqual([]);
  });

  it('asks at once where the silence has already lasted', () => {
    const ping = vi.fn<() => void>();
    const watchdog = new Watchdog({
      silenceMs: 100,
      timeoutMs: 50,
      heardAt: () => performance.now() - 500,
      isProven: () => true,
      ping,
      onSilence: () => {},
      now: () => performance.now(),
    });
    expect(ping).toHaveBeenCalledOnce();
    watchdog.stop();
  });

  it.each([
    [1000, 500],
    [20_000, 10_000],
    [60_000, 15_000],
    [Infinity, 15_000],
  ])('asks a line of silence %d that nobody was answered on after %d ms', (silenceMs, ms) => {
    const { arrive, pings } = watch(silenceMs, 300, false);
    vi.advanceTimersByTime(ms - 1);
    expect(pings).toEqual([]);
    arrive();
    vi.advanceTimersByTime(1);
    expect(pings).toEqual([ms]);
  });

  it('asks no line on which somebody was answered meanwhile', () => {
    const { arrive, pings, prove } = watch(1000, 300, false);
    vi.advanceTimersByTime(400);
    prove();
    arrive();
    vi.advanceTimersByTime(999);
    expect(pings).toEqual([]);
  });

  it.each([Infinity, 2 ** 31])('never gives up after a silence of %d', (silenceMs) => {
    const { pings, silences } = watch(silenceMs, 300);
    vi.advanceTimersByTime(2 ** 33);
    expect({ pings, silences }).toEqual({ pings: [], silences: [] });
    expect(vi.getTimerCount()).toBe(0);
  });

  it.each([0, 500, 1000, 1001, 1200])('leaves no timer when it is stopped after %d ms', (ms) => {
    const { watchdog, pings, silences } = watch(1000, 300, false);
    vi.advanceTimersByTime(ms);
    watchdog.stop();
    expect(vi.getTimerCount()).toBe(0);
    const before = pings.length;
    vi.advanceTimersByTime(10_000);
    expect({ more: pings.length - before, silences }).toEqual({ more: 0, silences: [] });
  });

  it('leaves no timer when it is stopped just before it would judge', () => {
    const { watchdog, pings } = watch(1000, 300);
    vi.advanceTimersByTime(600);
    vi.advanceTimersToNextTimer();
    watchdog.stop();
    expect(vi.getTimerCount()).toBe(0);
    expect(pings).toEqual([]);
  });

  it('can be stopped by what it does', () => {
    const rig = watch(1000, 300);
    rig.pings.push = () => {
      rig.watchdog.stop();
      return 0;
    };
    vi.advanceTimersByTime(1000 + TURN_MS);
    expect(vi.getTimerCount()).toBe(0);
  });
});
