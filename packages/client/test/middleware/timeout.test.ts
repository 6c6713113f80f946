import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { LongwireError } from '../../src/errors.ts';
import { timeout, type Middleware, type TimeoutOptions } from '../../src/middleware/index.ts';
import { failureOf } from '../support/failure-of.ts';
import { around, said } from './support/around.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

const never = () => new Promise<never>(() => {});

/** After how many milliseconds a request is ended. */
async function limitOf(options: TimeoutOptions, method: string, name?: string): Promise<number> {
  const rig = around(timeout(options), never);
  const startedAt = performance.now();
  const failed = failureOf(rig.send(method, { params: { name } }).response);
  await vi.runAllTimersAsync();
  await failed;
  return performance.now() - startedAt;
}

it('goes by name, then by the first pattern, then by the default', async () => {
  const options = { defaultMs: 10, tools: { 'get_*': 20, get_all: 30, '*_all': 40 } };
  expect(await limitOf(options, 'tools/call', 'get_one')).toBe(20);
  expect(await limitOf(options, 'tools/call', 'get_all')).toBe(30);
  expect(await limitOf(options, 'tools/call', 'put_all')).toBe(40);
  expect(await limitOf(options, 'tools/call', 'put')).toBe(10);
  expect(await limitOf(options, 'prompts/get', 'get_one')).toBe(10);
});

it('a call that had been sent ends with an unknown outcome, and is cancelled at the server', async () => {
  const rig = around(timeout({ tools: { slow: 100 } }), never);
  const failed = failureOf(rig.call('slow'));
  await vi.advanceTimersByTimeAsync(100);
  const error = await failed;
  expect(error).toMatchObject({ code: 'timeout', certainty: 'outcome-unknown' });
  expect(error.message).toContain('slow did not end within 100 ms');
  expect(rig.aborted).toEqual([error]);
});

it('a call that had not been sent is known not to have run', async () => {
  const rig = around([timeout({ defaultMs: 100 }), never]);
  const failed = failureOf(rig.call('slow'));
  await vi.advanceTimersByTimeAsync(100);
  expect(await failed).toMatchObject({ code: 'timeout', certainty: 'not-sent' });
  expect(rig.asked).toEqual([]);
});

it('a call that ends in time is not changed, and neither is its onSent', async () => {
  let sent = 0;
  const rig = around(timeout({ defaultMs: 100 }));
  const onSent = () => sent++;
  const { request, response } = rig.send('ping', { onSent });
  expect((await response).result).toEqual(said('ok')({} as never));
  expect(sent).toBe(1);
  expect(request.onSent).toBe(onSent);
});

it('the connection’s own requests, and what has no limit, get no timer', async () => {
  const counts: number[] = [];
  const counting: Middleware = (_request, next) => {
    counts.push(vi.getTimerCount());
    return next();
  };
  const rig = around([timeout({ defaultMs: 100, tools: { long: Infinity } }), counting]);
  await rig.send('initialize', { internal: true }).response;
  await rig.call('long');
  await rig.call('other');
  expect(counts).toEqual([0, 0, 1]);
});

it('a failure in time is the call’s', async () => {
  const error = new Error('first') as LongwireError;
  const rig = around(timeout({ defaultMs: 100 }), () => Promise.reject(error));
  expect(await failureOf(rig.call('a'))).toBe(error);
});

it('a wrong option is refused by its name', () => {
  const make = (options: object) => () => timeout(options);
  expect(make({ defaultMs: 0 })).toThrow('timeout.defaultMs');
  expect(make({ tools: { a: 0 } })).toThrow('timeout.tools.a');
  expect(make({ tools: { a: undefined } })).toThrow('timeout.tools.a');
  expect(make({ tools: [1] })).toThrow('timeout.tools: not an object');
  expect(make({ default: 1 })).toThrow('timeout.default: no such option');
});
