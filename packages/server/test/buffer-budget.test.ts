import { describe, expect, it } from 'vitest';
import { BufferBudget } from '../src/events/buffer-budget.ts';
import { PING, call, endpointOf, openSocket, post, serving, stream } from './fixture.ts';

const MIB = 1024 * 1024;

/** More than the kernel takes for a reader who has stopped. */
const HUGE = { text: 'x', times: 30 * MIB };

describe('what waits for all readers together', () => {
  it('is over the limit for a stream with more than its share', () => {
    const budget = new BufferBudget({ maxTotalBufferedBytes: 100, maxSessions: 10 });
    expect(budget.hasRoom(100, 0)).toBe(true);
    budget.add(90);
    expect(budget.hasRoom(10, 90)).toBe(true);
    expect(budget.hasRoom(11, 0)).toBe(false);
    expect(budget.hasRoom(10, 0)).toBe(true);
    budget.add(10);
    expect(budget.hasRoom(5, 5)).toBe(true);
    expect(budget.hasRoom(5, 6)).toBe(false);
    budget.add(-90);
    expect(budget.hasRoom(11, 0)).toBe(true);
  });

  it('ends the session that goes over it, spares small messages, and counts down again', async () => {
    const { url, samples } = await serving({ maxTotalBufferedBytes: 40 * MIB, resumeMs: 1 });
    const slow = await openSocket(url);
    slow.socket.pause();
    await post(new URL(slow.endpoint, url).href, call(1, 'repeat', HUGE));

    const cut = await stream(url);
    const cutEndpoint = await endpointOf(cut, url);
    const small = await stream(url);
    const smallEndpoint = await endpointOf(small, url);
    await post(cutEndpoint, call(1, 'repeat', HUGE));
    await samples[1]!.closed;
    await expect(cut.next()).rejects.toThrow();
    await post(smallEndpoint, PING);
    await small.nextOf('message');

    slow.socket.destroy();
    await samples[0]!.closed;
    for (let id = 2; id < 5; id++) {
      await post(smallEndpoint, call(id, 'repeat', HUGE));
      expect((await small.nextOf('message')).length).toBeGreaterThan(HUGE.times);
    }
  });
});
