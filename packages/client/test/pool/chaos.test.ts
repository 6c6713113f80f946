import { setTimeout as delay } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { until } from '../../../../test/support/until.ts';
import { LongwireError } from '../../src/index.ts';
import { createRandom } from '../../../testing/src/random.ts';
import { said } from '../support/recovery.ts';
import { atTheEndOfEachTest, targetsOf } from '../support/pool.ts';

const { serve, gateTo, pool: makePool } = atTheEndOfEachTest();

it.each([1, 2, 3])('settles every call while two servers come and go (seed %i)', async (seed) => {
  const random = createRandom(seed);
  const gates = [await gateTo(await serve()), await gateTo(await serve())];
  const pool = makePool(
    gates.map(({ url }) => url),
    {
      maxPerConnection: seed,
      ejectMs: 20,
      idleMs: 30,
      retry: { maxAttempts: 3, firstDelayMs: 5, maxDelayMs: 20 },
    },
  );
  let isOver = false;
  const chaos = async (): Promise<void> => {
    while (!isOver) {
      const gate = gates[random.below(2)];
      gate?.shut();
      await delay(random.below(30));
      await gate?.open();
      await delay(random.below(60));
    }
  };
  const call = async (message: string): Promise<'answered' | 'failed'> => {
    const options = {
      idempotent: random.chance(0.5),
      ...(random.chance(0.1) && { signal: AbortSignal.timeout(random.below(20)) }),
    };
    try {
      expect(await pool.callTool('echo', { message }, options)).toEqual(said(message));
      return 'answered';
    } catch (error) {
      expect(error).toBeInstanceOf(LongwireError);
      expect((error as LongwireError).code).not.toBe('closed');
      return 'failed';
    }
  };
  const made: Promise<'answered' | 'failed'>[] = [];
  const coming = chaos();
  for (let i = 0; i < 300; i++) {
    made.push(call(`m${i}`));
    if (i % 5 === 0) await delay(random.below(15));
    const [one, two] = targetsOf(pool);
    expect(one.busy + one.idle + two.busy + two.idle).toBeLessThanOrEqual(4);
  }
  const outcomes = await Promise.all(made);
  isOver = true;
  await coming;
  expect(outcomes.filter((outcome) => outcome === 'answered').length).toBeGreaterThan(30);
  expect(pool.status()).toMatchObject({ waiting: 0, targets: [{ inFlight: 0 }, { inFlight: 0 }] });
  // Each one is closed once it is idle.
  await until(() => expect(targetsOf(pool)).toMatchObject([{ idle: 0 }, { idle: 0 }]));
});
