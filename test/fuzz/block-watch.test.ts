import { expect, it } from 'vitest';
import { BlockWatch } from './block-watch.ts';

/** Holds everything up for so much time of the processor. */
function block(ms: number): void {
  const before = process.cpuUsage();
  for (;;) {
    const { user, system } = process.cpuUsage(before);
    if (user + system > ms * 1000) return;
  }
}

it('notices how long everything was held up, once', () => {
  const watch = new BlockWatch();
  block(300);
  // The system counts in steps of a few milliseconds.
  expect(watch.take().longestBlockMs).toBeGreaterThanOrEqual(280);
  expect(watch.take().longestBlockMs).toBeLessThan(280);
});
