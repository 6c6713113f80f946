import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { NoSlot, QueueLimits, WorkQueue } from '../../src/limits/work-queue.ts';
import { using, type Make, type Made } from './made.ts';

const LIMITS: QueueLimits = {
  concurrency: 1,
  maxQueued: 100,
  timeoutMs: Infinity,
  perPrincipal: Infinity,
};

/** Somebody who asked for a slot. */
class Asker {
  readonly name: string;
  readonly places: number[] = [];
  readonly #ending = new AbortController();
  readonly outcome: Promise<NoSlot | 'slot'>;
  #free: (() => void) | undefined;
  settled: NoSlot | 'slot' | undefined;

  constructor(
    queue: WorkQueue,
    name: string,
    { queueName = 'q', limits = {} }: { queueName?: string; limits?: Partial<QueueLimits> } = {},
  ) {
    this.name = name;
    const [principal = ''] = name.split('-');
    this.outcome = queue
      .acquire({
        queue: queueName,
        principal,
        limits: { ...LIMITS, ...limits },
        signal: this.#ending.signal,
        onPlace: (place) => this.places.push(place),
      })
      .then((slot) => {
        if (typeof slot === 'function') this.#free = slot;
        return (this.settled = typeof slot === 'function' ? 'slot' : slot);
      });
  }

  cancel(): void {
    this.#ending.abort();
  }

  free(): void {
    this.#free?.();
  }
}

/** Frees slots one after the other until nobody waits; who got them, in this order. */
async function drain({ advance }: Made<WorkQueue>, askers: readonly Asker[]): Promise<string[]> {
  const order: string[] = [];
  const isServed = new Set<Asker>();
  for (;;) {
    await advance(5);
    const running = askers.filter((asker) => asker.settled === 'slot' && !isServed.has(asker));
    if (running.length === 0) return order;
    for (const asker of running) {
      order.push(asker.name);
      isServed.add(asker);
      asker.free();
    }
  }
}

/** What every queue does. */
export function describeWorkQueue(
  name: string,
  make: Make<WorkQueue>,
  { runs = 200 }: { readonly runs?: number } = {},
): void {
  describe(`${name} as a queue for work`, () => {
    it('lets as many run as may, and the next one when one ends', () =>
      using(make(), async (made) => {
        const { store: queue, advance } = made;
        const limits = { concurrency: 2 };
        const askers = ['a-1', 'a-2', 'a-3'].map((who) => new Asker(queue, who, { limits }));
        await advance(5);
        expect(askers.map(({ settled }) => settled)).toEqual(['slot', 'slot', undefined]);
        expect(queue.depth('q')).toEqual({ waiting: 1, running: 2 });
        askers[0]!.free();
        askers[0]!.free();
        expect(await askers[2]!.outcome).toBe('slot');
        expect(queue.depth('q')).toEqual({ waiting: 0, running: 2 });
        askers[1]!.free();
        askers[2]!.free();
        await advance(5);
        expect(queue.depth('q')).toEqual({ waiting: 0, running: 0 });
      }));

    it('keeps queues apart', () =>
      using(make(), async ({ store: queue }) => {
        expect(await new Asker(queue, 'a-1').outcome).toBe('slot');
        expect(await new Asker(queue, 'a-2', { queueName: 'other' }).outcome).toBe('slot');
      }));

    it('serves principals in turns, and each of them in order', () =>
      using(make(), async (made) => {
        const { store: queue } = made;
        const names = ['a-1', 'a-2', 'a-3', 'a-4', 'b-1', 'b-2', 'c-1'];
        const askers = names.map((who) => new Asker(queue, who));
        const order = await drain(made, askers);
        expect(order).toEqual(['a-1', 'a-2', 'b-1', 'c-1', 'a-3', 'b-2', 'a-4']);
        // The first had its turn before any of them waited.
        expect(queue.depth('q')).toEqual({ waiting: 0, running: 0 });
      }));

    it('tells everybody their place whenever it changes', () =>
      using(make(), async (made) => {
        const { store: queue, advance } = made;
        const running = new Asker(queue, 'x-1');
        const [a1, a2, a3] = ['a-1', 'a-2', 'a-3'].map((who) => new Asker(queue, who));
        await advance(5);
        const b1 = new Asker(queue, 'b-1');
        await advance(5);
        expect([a1, a2, a3, b1].map((asker) => asker!.places)).toEqual([[1], [2, 3], [3, 4], [2]]);
        running.free();
        await advance(5);
        expect([a2, a3, b1].map((asker) => asker!.places.at(-1))).toEqual([2, 3, 1]);
        b1.cancel();
        await advance(5);
        expect([a2, a3].map((asker) => asker!.places.at(-1))).toEqual([1, 2]);
        expect(a1!.places).toEqual([1]);
        expect(running.places).toEqual([]);
      }));

    it('refuses when the queue is full, and when a principal has too much in it', () =>
      using(make(), async ({ store: queue, advance }) => {
        const limits = { maxQueued: 2, perPrincipal: 2 };
        const running = new Asker(queue, 'a-1', { limits });
        const waiting = new Asker(queue, 'a-2', { limits });
        await advance(5);
        expect(await new Asker(queue, 'a-3', { limits }).outcome).toBe('principal-full');
        const other = new Asker(queue, 'b-1', { limits });
        await advance(5);
        expect(await new Asker(queue, 'c-1', { limits }).outcome).toBe('full');
        running.free();
        expect(await waiting.outcome).toBe('slot');
        const again = new Asker(queue, 'a-4', { limits });
        await advance(5);
        expect(again.settled).toBeUndefined();
        other.cancel();
        expect(await other.outcome).toBe('cancelled');
      }));

    it('takes nobody into the queue where nobody may wait, but lets them run', () =>
      using(make(), async ({ store: queue }) => {
        const limits = { maxQueued: 0 };
        expect(await new Asker(queue, 'a-1', { limits }).outcome).toBe('slot');
        expect(await new Asker(queue, 'b-1', { limits }).outcome).toBe('full');
      }));

    it('lets go whoever waits too long, or cancels, and keeps the order of the others', () =>
      using(make(), async (made) => {
        const { store: queue, advance } = made;
        const first = new Asker(queue, 'a-1');
        const late = new Asker(queue, 'b-1', { limits: { timeoutMs: 50 } });
        const cancelled = new Asker(queue, 'a-2');
        const rest = ['a-3', 'b-2', 'c-1'].map((who) => new Asker(queue, who));
        await advance(5);
        cancelled.cancel();
        expect(await cancelled.outcome).toBe('cancelled');
        await advance(100);
        expect(await late.outcome).toBe('timeout');
        const before = new Asker(queue, 'd-1');
        before.cancel();
        expect(await before.outcome).toBe('cancelled');
        expect(await drain(made, [first, late, cancelled, ...rest])).toEqual([
          'a-1',
          'b-2',
          'a-3',
          'c-1',
        ]);
        expect(queue.depth('q')).toEqual({ waiting: 0, running: 0 });
      }));

    it('is fair in every history: nobody who waits is passed twice by the same principal', () =>
      fc.assert(
        fc.asyncProperty(
          fc.integer({ min: 1, max: 3 }),
          fc.array(
            fc.oneof(
              { weight: 3, arbitrary: fc.record({ come: fc.constantFrom('a', 'b', 'c', 'd') }) },
              { weight: 2, arbitrary: fc.record({ free: fc.nat(20) }) },
              { weight: 1, arbitrary: fc.record({ cancel: fc.nat(20) }) },
            ),
            { maxLength: 60 },
          ),
          (concurrency, steps) =>
            using(make(), async (made) => {
              const { store: queue, advance } = made;
              const model: { asker: Asker; passedBy: Map<string, number> }[] = [];
              const running: Asker[] = [];
              const serve = async (): Promise<void> => {
                await advance(5);
                const served = model.filter(({ asker }) => asker.settled === 'slot');
                for (const { asker } of served) {
                  const [principal = ''] = asker.name.split('-');
                  model.splice(
                    model.findIndex((one) => one.asker === asker),
                    1,
                  );
                  running.push(asker);
                  for (const other of model) {
                    if (other.asker.name.startsWith(`${principal}-`)) continue;
                    const isFirst = !model.some(
                      (one) =>
                        one !== other &&
                        model.indexOf(one) < model.indexOf(other) &&
                        one.asker.name[0] === other.asker.name[0],
                    );
                    if (!isFirst) continue;
                    const passes = (other.passedBy.get(principal) ?? 0) + 1;
                    other.passedBy.set(principal, passes);
                    expect(passes).toBeLessThanOrEqual(1);
                  }
                }
                expect(running.length).toBeLessThanOrEqual(concurrency);
                expect(queue.depth('q')).toEqual({
                  waiting: model.length,
                  running: running.length,
                });
                if (running.length < concurrency) expect(model).toEqual([]);
                const places = model.map(({ asker }) => asker.places.at(-1) ?? 0);
                expect(places.toSorted((one, two) => one - two)).toEqual(
                  model.map((_none, at) => at + 1),
                );
              };
              let serial = 0;
              for (const step of steps) {
                if ('come' in step) {
                  const limits = { concurrency };
                  const asker = new Asker(queue, `${step.come}-${++serial}`, { limits });
                  model.push({ asker, passedBy: new Map() });
                } else if ('free' in step) {
                  running.splice(step.free % Math.max(1, running.length), 1)[0]?.free();
                } else {
                  const [gone] = model.splice(step.cancel % Math.max(1, model.length), 1);
                  gone?.asker.cancel();
                }
                await serve();
              }
              for (const { asker } of model) asker.cancel();
              for (const asker of running) asker.free();
              await advance(5);
              expect(queue.depth('q')).toEqual({ waiting: 0, running: 0 });
            }),
        ),
        { numRuns: runs },
      ));
  });
}
