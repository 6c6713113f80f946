import { expect } from 'vitest';
import { runChaos } from './run-chaos.ts';
import { chooseSeed } from './seed.ts';
import { formatSummary, type ChaosSummary } from './summary.ts';
import type { Variant } from './variants.ts';

/** The same for every run of the tests, so that they say the same; `LONGWIRE_SEED=…` takes another. */
export const seed = chooseSeed(process.env['LONGWIRE_SEED'] ?? '21');
console.log(`seed: ${seed}`);

/** More than a run takes on a busy machine. */
export const RUN_MS = 120_000;

const CALLS = 2000;
const FAULTS = 300;

/** Makes a run, and expects that the promise held, and that the run was what it claims to be. */
export async function expectPromiseToHold(variant: Variant): Promise<ChaosSummary> {
  const faults = FAULTS / variant.faultCost;
  const summary = await runChaos({ calls: CALLS, faults, seed, variant });
  console.log(formatSummary(summary));
  expect(summary.violations).toEqual([]);
  expect(summary).toMatchObject({ settled: CALLS, hung: 0, writesExecutedTwice: 0 });
  expect(summary.faultCount).toBeGreaterThanOrEqual(0.9 * faults);
  expect(summary.succeeded).toBeGreaterThan(CALLS / 2);
  expect(summary.sessions > 1).toBe(variant.transport !== 'stateless');
  expect(summary.resumptions > 0).toBe(variant.resumable);
  return summary;
}
