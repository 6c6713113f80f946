import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { CallClock, type Timed } from '../../src/client/call-clock.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('CallClock', () => {
  it('ends each call at its own time, with one timer', () => {
    const clock = new CallClock();
    const ended: string[] = [];
    const call = (name: string, ms: number): Timed & { dueAt: number } => ({
      dueAt: performance.now() + ms,
      expire: () => ended.push(name),
      hold: () => () => {},
    });
    const moved = call('moved', 30);
    const settled = call('settled', 10);
    for (const each of [call('late', 50), call('early', 20), moved, settled]) clock.add(each);
    expect(vi.getTimerCount()).toBe(1);
    moved.dueAt += 100;
    clock.delete(settled);

    vi.advanceTimersByTime(20);
    expect(ended).toEqual(['early']);
    vi.advanceTimersByTime(40);
    expect(ended).toEqual(['early', 'late']);
    vi.advanceTimersByTime(80);
    expect(ended).toEqual(['early', 'late', 'moved']);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('waits longer than a timer can', () => {
    const clock = new CallClock();
    const expire = vi.fn();
    const days = 40 * 24 * 3_600_000;
    clock.add({ dueAt: performance.now() + days, expire, hold: () => () => {} });
    vi.advanceTimersByTime(days - 1000);
    expect(expire).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1000);
    expect(expire).toHaveBeenCalledOnce();
  });
});
