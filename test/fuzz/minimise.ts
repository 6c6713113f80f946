import { withFaults, type Fault, type FuzzCase } from './fuzz-case.ts';
import type { Violation } from './check-case.ts';
import type { CaseOutcome, Lane } from './lane.ts';

/** A violation, with no more faults than it takes. */
export interface Confirmed {
  fuzzCase: FuzzCase;
  outcome: CaseOutcome;
  /** Whether it was found again. */
  isSteady: boolean;
}

/** Runs a case again in a new process, then without one fault after the other. */
export async function minimise(
  lane: Lane,
  fuzzCase: FuzzCase,
  first: CaseOutcome,
): Promise<Confirmed> {
  const kinds = kindsOf(first.violations);
  const runAgain = async (faults: readonly Fault[]): Promise<CaseOutcome | undefined> => {
    await lane.renew();
    const outcome = await lane.run(withFaults(fuzzCase, faults));
    return kindsOf(outcome.violations).some((kind) => kinds.includes(kind)) ? outcome : undefined;
  };
  let outcome = await runAgain(fuzzCase.faults);
  if (outcome === undefined) return { fuzzCase, outcome: first, isSteady: false };
  let { faults } = fuzzCase;
  for (const fault of fuzzCase.faults) {
    const fewer = faults.filter((other) => other !== fault);
    const without = faults.length > 1 ? await runAgain(fewer) : undefined;
    if (without === undefined) continue;
    faults = fewer;
    outcome = without;
  }
  return { fuzzCase: withFaults(fuzzCase, faults), outcome, isSteady: true };
}

function kindsOf(violations: readonly Violation[]): string[] {
  return violations.map(({ kind }) => kind);
}
