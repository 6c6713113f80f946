import { describe, expect, it } from 'vitest';
import { CommentWatch } from '../../../src/channels/tool-events/comment-watch.ts';

const beating = (...times: number[]): CommentWatch => {
  const watch = new CommentWatch();
  for (const time of times) watch.comment(time);
  return watch;
};

describe('CommentWatch', () => {
  it.each([[[]], [[0]], [[0, 10]]])('expects nothing after the comments %j', (times) => {
    expect(beating(...times).hasStopped(1e9)).toBe(false);
  });

  it('counts several comments at the start as one', () => {
    const watch = beating(0, 1, 2, 10, 30);
    expect(watch.hasStopped(1e9)).toBe(false);
    watch.comment(1000);
    expect(watch.hasStopped(1e9)).toBe(false);
  });

  it('has stopped after twice the longest interval, not before', () => {
    const watch = beating(0, 100, 200);
    expect(watch.hasStopped(400)).toBe(false);
    expect(watch.hasStopped(401)).toBe(true);
  });

  it('uses the longest interval, wherever it was', () => {
    for (const times of [
      [0, 500, 600, 700],
      [0, 100, 600, 700],
      [0, 100, 200, 700],
    ]) {
      const watch = beating(...times);
      expect(watch.hasStopped(1700)).toBe(false);
      expect(watch.hasStopped(1701)).toBe(true);
    }
  });

  it('has not stopped after a late comment', () => {
    const watch = beating(0, 100, 200);
    expect(watch.hasStopped(1000)).toBe(true);
    watch.comment(1000);
    expect(watch.hasStopped(2600)).toBe(false);
    expect(watch.hasStopped(2601)).toBe(true);
  });

  it('works with any start of the clock', () => {
    expect(beating(1e9, 1e9 + 100, 1e9 + 200).hasStopped(1e9 + 400)).toBe(false);
    expect(beating(-200, -100, 0).hasStopped(201)).toBe(true);
  });
});
