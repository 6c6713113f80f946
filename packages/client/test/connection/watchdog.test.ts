import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Watchdog } from '../../src/connection/watchdog.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** How long the fake clock delays a `setImmediate` that a timer sets. */
const TURN_MS = 1;

interface Rig {
  watchdog: Watchdog;
  /** When it pinged, and when it reported the silence, in milliseconds from the start. */
  pings: number[];
  silences: number[];
  arrive: () => void;
  prove: () => void;
  /** Lets the ping leave, if it does not leave at once. */
  ask: () => void;
}

function watch(silenceMs: number, timeoutMs: number, isProven = true, leaves = true): Rig {
  const start = performance.now();
  const elapsed = (): number => performance.now() - start;
  let lastActivityAt = start;
  let proven = isProven;
  let ask = (): void => {};
  const pings: number[] = [];
  const silences: number[] = [];
  const watchdog = new Watchdog({
    silenceMs,
    timeoutMs,
    lastActivityAt: () => lastActivityAt,
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
      lastActivityAt = performance.now();
    },
    prove: () => {
      proven = true;
    },
    ask: () => ask(),
  };
}

describe('Watchdog', () => {
  it('pings after the silence, and reports it after the timeout, once', () => {
    const { pings, silences } = watch(1000, 300);
    vi.advanceTimersByTime(10_000);
    expect({ pings, silences }).toEqual({
      pings: [1000 + TURN_MS],
      silences: [1300 + 2 * TURN_MS],
    });
    expect(vi.getTimerCount()).toBe(0);
  });

  it('starts the timeout when the ping has left', () => {
    const { ask, silences } = watch(1000, 300, true, false);
    vi.advanceTimersByTime(5000);
    expect(silences).toEqual([]);
    ask();
    vi.advanceTimersByTime(299);
    expect(silences).toEqual([]);
    vi.advanceTimersByTime(302);
    expect(silences).toHaveLength(1);
  });

  it('counts everything that arrives, and pings a silence after the last of it', () => {
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

  it('pings no later after an answered ping when the timeout is longer than the silence', () => {
    const { arrive, pings } = watch(1000, 5000);
    vi.advanceTimersByTime(1010);
    arrive();
    vi.advanceTimersByTime(1010);
    expect(pings).toEqual([1000 + TURN_MS, 2010 + TURN_MS]);
  });

  it('does not ping while something arrives', () => {
    const { arrive, pings, silences } = watch(1000, 300);
    for (let i = 0; i < 50; i++) {
      vi.advanceTimersByTime(900);
      arrive();
    }
    expect({ pings, silences }).toEqual({ pings: [], silences: [] });
  });

  it('reads what arrived while the process was blocked before it pings or reports', () => {
    const { arrive, pings, silences } = watch(1000, 300);
    vi.advanceTimersByTime(600);
    vi.advanceTimersToNextTimer();
    // The timer has fired; the event loop reads its sockets only now.
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

  it('pings at once if nothing has arrived for that long already', () => {
    const ping = vi.fn<() => void>();
    const watchdog = new Watchdog({
      silenceMs: 100,
      timeoutMs: 50,
      lastActivityAt: () => performance.now() - 500,
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
  ])('with a silence of %d pings a connection without an answer after %d ms', (silenceMs, ms) => {
    const { arrive, pings } = watch(silenceMs, 300, false);
    vi.advanceTimersByTime(ms - 1);
    expect(pings).toEqual([]);
    arrive();
    vi.advanceTimersByTime(1);
    expect(pings).toEqual([ms]);
  });

  it('does not ping a connection on which a request was answered meanwhile', () => {
    const { arrive, pings, prove } = watch(1000, 300, false);
    vi.advanceTimersByTime(400);
    prove();
    arrive();
    vi.advanceTimersByTime(999);
    expect(pings).toEqual([]);
  });

  it.each([Infinity, 2 ** 31])('never reports a silence of %d', (silenceMs) => {
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

  it('leaves no timer when it is stopped just before it would report', () => {
    const { watchdog, pings } = watch(1000, 300);
    vi.advanceTimersByTime(600);
    vi.advanceTimersToNextTimer();
    watchdog.stop();
    expect(vi.getTimerCount()).toBe(0);
    expect(pings).toEqual([]);
  });

  it('can be stopped by its own callbacks', () => {
    const rig = watch(1000, 300);
    rig.pings.push = () => {
      rig.watchdog.stop();
      return 0;
    };
    vi.advanceTimersByTime(1000 + TURN_MS);
    expect(vi.getTimerCount()).toBe(0);
  });
});
