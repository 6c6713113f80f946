import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { MemoryRateStore } from '../../src/limits/memory-rate-store.ts';
import { RateGate, resolveRates, type RateOptions } from '../../src/limits/rates.ts';
import type { RateStore } from '../../src/limits/rate-store.ts';
import { sampleCall } from '../support/calls.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function gate(options: RateOptions, store: RateStore = new MemoryRateStore()): RateGate {
  const made = RateGate.from(resolveRates(options), store);
  if (made === undefined) throw new Error('there is no gate');
  return made;
}

describe('rates of calls', () => {
  it('are limited for each principal, and the refusal says by what and until when', async () => {
    const rates = gate({ perPrincipal: { max: 2, windowMs: 10_000 } });
    expect(rates.admit(sampleCall())).toBeUndefined();
    expect(rates.admit(sampleCall({ method: 'tools/list', target: undefined }))).toBeUndefined();
    const refusal = await rates.admit(sampleCall());
    expect(refusal).toMatchObject({
      status: 429,
      code: -32_000,
      headers: { 'retry-after': '5' },
      data: { reason: 'rate-limited', option: 'rates.perPrincipal', retryAfterMs: 5_000 },
    });
    expect(refusal?.message).toContain('rates.perPrincipal');
    expect(rates.admit(sampleCall({ principal: 'bob' }))).toBeUndefined();
    await vi.advanceTimersByTimeAsync(5_000);
    expect(rates.admit(sampleCall())).toBeUndefined();
  });

  it('do not count pings, which show that a session lives', () => {
    const rates = gate({ perPrincipal: { max: 1, windowMs: 10_000 } });
    for (let at = 0; at < 5; at++) {
      expect(rates.admit(sampleCall({ method: 'ping', target: undefined }))).toBeUndefined();
    }
    expect(rates.admit(sampleCall())).toBeUndefined();
  });

  it('are limited for tools by name and by pattern, for each principal', async () => {
    const rates = gate({
      tools: { 'render_*': { max: 1, windowMs: 60_000 }, render_one: { max: 2, windowMs: 60_000 } },
    });
    expect(rates.admit(sampleCall({ target: 'render_one' }))).toBeUndefined();
    expect(rates.admit(sampleCall({ target: 'render_two' }))).toBeUndefined();
    expect(await rates.admit(sampleCall({ target: 'render_three' }))).toMatchObject({
      status: 429,
      data: { option: 'rates.tools["render_*"]' },
    });
    expect(rates.admit(sampleCall({ target: 'render_one' }))).toBeUndefined();
    expect(await rates.admit(sampleCall({ target: 'render_one' }))).toMatchObject({ status: 429 });
    expect(rates.admit(sampleCall({ target: 'render_two', principal: 'bob' }))).toBeUndefined();
    expect(rates.admit(sampleCall({ target: 'echo' }))).toBeUndefined();
    const prompt = sampleCall({ method: 'prompts/get', target: 'render_one' });
    expect(rates.admit(prompt)).toBeUndefined();
  });

  it('are asked of a store elsewhere, too', async () => {
    const store: RateStore = {
      take: async (key) => ({
        isAllowed: key.startsWith('principal:'),
        left: 0,
        retryAfterMs: 1_200,
      }),
    };
    const limit = { max: 1, windowMs: 60_000 };
    const rates = gate({ perPrincipal: limit, tools: { '*': limit } }, store);
    expect(await rates.admit(sampleCall())).toMatchObject({
      headers: { 'retry-after': '2' },
      data: { option: 'rates.tools["*"]' },
    });
    expect(await rates.admit(sampleCall({ method: 'tools/list' }))).toBeUndefined();
  });

  it('need no gate where none is set', () => {
    const store = new MemoryRateStore();
    expect(RateGate.from(resolveRates(), store)).toBeUndefined();
    expect(
      RateGate.from(resolveRates({ perPrincipal: { max: Infinity, windowMs: 1 } }), store),
    ).toBeUndefined();
  });

  it.each([
    [{ perPrincipal: { max: 0, windowMs: 1 } }, 'rates.perPrincipal.max'],
    [{ perAddress: { max: 1, windowMs: Infinity } }, 'rates.perAddress.windowMs'],
    [{ tools: { a: { max: 1 } } }, 'rates.tools["a"].windowMs'],
    [{ tools: [] }, 'rates.tools'],
    [{ perUser: { max: 1, windowMs: 1 } }, 'rates.perUser'],
  ])('are checked: %j', (options, named) => {
    expect(() => resolveRates(options as unknown as RateOptions)).toThrow(named);
  });
});

describe('the store of rates in memory', () => {
  it('forgets keys beyond its limit, that of the longest ago first', () => {
    const store = new MemoryRateStore({ maxKeys: 3 });
    const limit = { max: 1, windowMs: 60_000 };
    for (const key of ['a', 'b', 'c', 'd']) store.take(key, limit);
    expect(store.size).toBe(3);
    expect(store.take('d', limit).isAllowed).toBe(false);
    expect(store.take('a', limit).isAllowed).toBe(true);
  });

  it('forgets keys that have used up nothing any more, and then has no timer', async () => {
    const store = new MemoryRateStore();
    for (let key = 0; key < 1_000; key++) store.take(`${key}`, { max: 10, windowMs: 1_000 });
    store.take('slow', { max: 1, windowMs: 100_000 });
    expect(vi.getTimerCount()).toBe(1);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(store.size).toBe(1);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(store.size).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
  });
});
