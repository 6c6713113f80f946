import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { rateLimit, type RateLimitOptions } from '../../src/middleware/index.ts';
import { failureOf } from '../support/failure-of.ts';
import { around, said } from './support/around.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

/** When, in milliseconds, each of these calls gets to the server. */
async function timesOf(
  options: RateLimitOptions,
  tools: string[],
): Promise<[tool: unknown, ms: number][]> {
  const startedAt = performance.now();
  const times: [unknown, number][] = [];
  const rig = around(rateLimit(options), (request) => {
    times.push([request.params?.['name'], performance.now() - startedAt]);
    return said('ok')(request);
  });
  const calls = tools.map((tool) => rig.call(tool));
  await vi.runAllTimersAsync();
  await Promise.all(calls);
  return times;
}

describe('waiting', () => {
  it('goes out in order, as many at once as the burst, then at the rate', async () => {
    const times = await timesOf({ perSecond: 10, burst: 2 }, ['a', 'b', 'c', 'd', 'e']);
    expect(times.map(([tool]) => tool)).toEqual(['a', 'b', 'c', 'd', 'e']);
    expect(times.map(([, ms]) => Math.round(ms / 10) * 10)).toEqual([0, 0, 100, 200, 300]);
  });

  it('has the burst of a second without one, and of one below that', async () => {
    const many = await timesOf({ perSecond: 3 }, ['a', 'a', 'a', 'a']);
    expect(many.map(([, ms]) => ms > 0)).toEqual([false, false, false, true]);
    const few = await timesOf({ perSecond: 0.5 }, ['a', 'a']);
    expect(few.map(([, ms]) => Math.round(ms / 100))).toEqual([0, 20]);
  });

  it('is of each tool alone, where it is limited by tool', async () => {
    const tools = { 'slow_*': { perSecond: 1, burst: 1 } };
    const times = await timesOf({ tools }, ['slow_a', 'slow_a', 'slow_b', 'fast', 'fast']);
    expect(times.map(([tool, ms]) => [tool, Math.round(ms / 100)])).toEqual([
      ['slow_a', 0],
      ['slow_b', 0],
      ['fast', 0],
      ['fast', 0],
      ['slow_a', 10],
    ]);
  });

  it('goes by both rates, where there are both', async () => {
    const options = { perSecond: 2, burst: 1, tools: { a: { perSecond: 1, burst: 1 } } };
    const times = await timesOf(options, ['a', 'a', 'b', 'b']);
    expect(times.map(([tool, ms]) => [tool, Math.round(ms / 100)])).toEqual([
      ['a', 0],
      ['b', 5],
      ['b', 10],
      ['a', 15],
    ]);
  });

  it('ends with the call, and lets the next one in', async () => {
    const rig = around(rateLimit({ perSecond: 1 }));
    await rig.call('a');
    const leaving = rig.send('tools/call', { params: { name: 'b' } });
    const staying = rig.call('c');
    const gone = failureOf(leaving.response);
    leaving.stop();
    expect((await gone).code).toBe('aborted');
    await vi.advanceTimersByTimeAsync(1001);
    await staying;
    expect(rig.asked.map(({ params }) => params?.['name'])).toEqual(['a', 'c']);
  });

  it('has no timer left when the last has gone', async () => {
    const rig = around(rateLimit({ perSecond: 0.001 }));
    await rig.call('a');
    const { response, stop } = rig.send('tools/call', { params: { name: 'b' } });
    const gone = failureOf(response);
    expect(vi.getTimerCount()).toBe(1);
    stop();
    await gone;
    expect(vi.getTimerCount()).toBe(0);
  });

  it('is refused to one more than may wait', async () => {
    const rig = around(rateLimit({ perSecond: 1, maxQueued: 2 }));
    await rig.call('a');
    const waiting = [rig.call('b'), rig.call('c')];
    const error = await failureOf(rig.call('d'));
    expect(error).toMatchObject({ code: 'queue-full', certainty: 'not-sent' });
    expect(error.message).toContain('2 requests wait');
    await vi.runAllTimersAsync();
    await Promise.all(waiting);
  });
});

describe('refusing', () => {
  it('fails at once what is over the rate, by either, and costs nothing of the other', async () => {
    const tools = { a: { perSecond: 1 } };
    const rig = around(rateLimit({ perSecond: 2, tools, over: 'refuse' }));
    await rig.call('a');
    const error = await failureOf(rig.call('a'));
    expect(error).toMatchObject({ code: 'limit-exceeded', certainty: 'not-sent' });
    expect(error.message).toContain("over: 'wait'");
    await rig.call('b');
    await failureOf(rig.call('b'));
    vi.advanceTimersByTime(1000);
    await rig.call('a');
    expect(rig.asked).toHaveLength(3);
  });
});

it('the connection’s own requests neither wait nor count', async () => {
  const rig = around(rateLimit({ perSecond: 1, over: 'refuse' }));
  await rig.send('ping', { internal: true }).response;
  await rig.call('a');
  await rig.send('ping', { internal: true }).response;
  expect(rig.asked).toHaveLength(3);
});

it('a wrong option is refused by its name', () => {
  const make = (options: object) => () => rateLimit(options);
  expect(make({})).toThrow('neither perSecond nor tools');
  expect(make({ perSecond: 0 })).toThrow('rateLimit.perSecond');
  expect(make({ perSecond: 1, burst: 0.5 })).toThrow('rateLimit.burst');
  expect(make({ perSecond: 1, over: 'drop' })).toThrow('rateLimit.over');
  expect(make({ perSecond: 1, maxQueued: 0 })).toThrow('rateLimit.maxQueued');
  expect(make({ tools: { a: 5 } })).toThrow('rateLimit.tools.a: not an object');
  expect(make({ tools: { a: {} } })).toThrow('rateLimit.tools.a.perSecond');
  expect(make({ tools: { a: { perSecond: 1, bursts: 1 } } })).toThrow('rateLimit.tools.a.bursts');
  expect(make({ rps: 1 })).toThrow('rateLimit.rps: no such option');
});
