import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RateLimit, RateStore } from '../../src/limits/rate-store.ts';
import { using, type Make } from './made.ts';

async function takeAll(store: RateStore, key: string, limit: RateLimit): Promise<number> {
  let taken = 0;
  while ((await store.take(key, limit)).isAllowed) taken++;
  return taken;
}

/** What every store of rates does. */
export function describeRateStore(
  name: string,
  make: Make<RateStore>,
  { runs = 200 }: { readonly runs?: number } = {},
): void {
  describe(`${name} as a store of rates`, () => {
    it('allows as many as the limit says, and says how many are left', () =>
      using(make(), async ({ store }) => {
        const limit = { max: 3, windowMs: 60_000 };
        expect(await store.take('a', limit)).toMatchObject({ isAllowed: true, left: 2 });
        expect(await store.take('a', limit)).toMatchObject({ isAllowed: true, left: 1 });
        expect(await store.take('a', limit)).toMatchObject({ isAllowed: true, left: 0 });
        const refused = await store.take('a', limit);
        expect(refused).toMatchObject({ isAllowed: false, left: 0 });
        expect(refused.retryAfterMs).toBeGreaterThan(0);
        expect(refused.retryAfterMs).toBeLessThanOrEqual(60_000);
      }));

    it('counts each key on its own', () =>
      using(make(), async ({ store }) => {
        const limit = { max: 2, windowMs: 60_000 };
        expect(await takeAll(store, 'a', limit)).toBe(2);
        expect(await takeAll(store, 'b', limit)).toBe(2);
        expect(await takeAll(store, '__proto__', limit)).toBe(2);
      }));

    it('allows one again when it said that it would', () =>
      using(make(), async ({ store, advance }) => {
        const limit = { max: 5, windowMs: 1_000 };
        await takeAll(store, 'a', limit);
        const { retryAfterMs } = await store.take('a', limit);
        await advance(Math.ceil(retryAfterMs));
        expect((await store.take('a', limit)).isAllowed).toBe(true);
      }));

    it('allows all again after a window without any', () =>
      using(make(), async ({ store, advance }) => {
        const limit = { max: 7, windowMs: 500 };
        expect(await takeAll(store, 'a', limit)).toBe(7);
        await advance(1_000);
        expect(await takeAll(store, 'a', limit)).toBe(7);
      }));

    it('never allows more than twice the limit within a window, and never refuses for longer than one', () =>
      fc.assert(
        fc.asyncProperty(
          fc.record({
            max: fc.integer({ min: 1, max: 20 }),
            windowMs: fc.integer({ min: 5, max: 50 }),
          }),
          fc.array(fc.integer({ min: 0, max: 20 }), { maxLength: 60 }),
          (limit, pauses) =>
            using(make(), async ({ store, advance }) => {
              const allowedAt: number[] = [];
              let now = 0;
              for (const pause of pauses) {
                await advance(pause);
                now += pause;
                const taken = await store.take('a', limit);
                if (taken.isAllowed) allowedAt.push(now);
                expect(taken.retryAfterMs).toBeLessThanOrEqual(limit.windowMs + 1);
                expect(taken.left).toBeLessThan(limit.max);
              }
              for (const [at, start] of allowedAt.entries()) {
                const within = allowedAt.slice(at).filter((time) => time - start < limit.windowMs);
                expect(within.length).toBeLessThanOrEqual(2 * limit.max);
              }
            }),
        ),
        { numRuns: runs },
      ));
  });
}
