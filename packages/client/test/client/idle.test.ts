import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Idle } from '../../src/client/idle.ts';

beforeEach(() => {
  vi.useFakeTimers({
    toFake: ['setTimeout', 'clearTimeout', 'setImmediate', 'clearImmediate', 'performance'],
  });
});
afterEach(() => {
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

function setUp(ms: number) {
  const onIdle = vi.fn<() => void>();
  return { idle: new Idle(ms, onIdle), onIdle };
}

describe('Idle', () => {
  it('calls back when nothing has been under way for the time, counted from the latest end', () => {
    const { idle, onIdle } = setUp(100);
    idle.begin();
    idle.begin();
    idle.end();
    vi.advanceTimersByTime(500);
    idle.end();
    vi.advanceTimersByTime(60);
    idle.begin();
    idle.end();
    vi.advanceTimersByTime(99);
    expect(onIdle).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(onIdle).toHaveBeenCalledTimes(1);
  });

  it('does not call back while something is under way, and does after it', () => {
    const { idle, onIdle } = setUp(100);
    idle.begin();
    idle.end();
    idle.begin();
    vi.advanceTimersByTime(1000);
    expect(onIdle).not.toHaveBeenCalled();
    idle.end();
    vi.advanceTimersByTime(100);
    expect(onIdle).toHaveBeenCalledTimes(1);
  });

  it('with no time at all waits for the program’s turn of the event loop', () => {
    const { idle, onIdle } = setUp(0);
    idle.begin();
    idle.end();
    idle.begin();
    vi.runAllTimers();
    expect(onIdle).not.toHaveBeenCalled();
    idle.end();
    expect(onIdle).not.toHaveBeenCalled();
    vi.runAllTimers();
    expect(onIdle).toHaveBeenCalledTimes(1);
  });

  it('with infinite time, or stopped, never calls back', () => {
    for (const ms of [Infinity, 100, 0]) {
      const { idle, onIdle } = setUp(ms);
      idle.begin();
      idle.end();
      if (ms !== Infinity) idle.stop();
      vi.advanceTimersByTime(1_000_000);
      expect(onIdle).not.toHaveBeenCalled();
    }
  });
});
