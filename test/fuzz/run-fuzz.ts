import { makeCase, withFaults, type CaseChoice, type FuzzCase } from './fuzz-case.ts';
import { Lane, type CaseOutcome } from './lane.ts';
import type { SubjectOptions } from './subject-process.ts';
import { minimise, type Confirmed } from './minimise.ts';

/** A run of the fuzzer. */
export interface FuzzOptions extends CaseChoice {
  /** No case begins after this time. */
  budgetMs: number;
  /** No case with a higher number is run. */
  maxCases: number;
  /** How many cases run side by side. */
  lanes: number;
  /** Called for each violation, once it is confirmed. */
  onConfirmed?: (each: Confirmed) => void;
  onProgress?: (cases: number) => void;
  /** What cases of the library run. Default: the library. */
  subject?: SubjectOptions;
}

/** What a run came to. */
export interface FuzzSummary {
  cases: number;
  confirmed: Confirmed[];
  /** How many faults there were of each mutation. */
  mutations: Map<string, number>;
}

/** Runs cases from the first on, until the time or their number is used up. */
export async function runFuzz(options: FuzzOptions): Promise<FuzzSummary> {
  const { budgetMs, maxCases, lanes, subject } = options;
  const endAt = performance.now() + budgetMs;
  const summary: FuzzSummary = { cases: 0, confirmed: [], mutations: new Map() };
  let next = 0;
  const follow = async (): Promise<void> => {
    await using lane = new Lane(subject);
    while (next < maxCases && performance.now() < endAt) {
      const fuzzCase = makeCase(options, next++);
      const outcome = await lane.run(fuzzCase);
      summary.cases += 1;
      count(summary, fuzzCase);
      options.onProgress?.(summary.cases);
      if (outcome.violations.length === 0) continue;
      const confirmed = await minimise(lane, fuzzCase, outcome);
      summary.confirmed.push(confirmed);
      options.onConfirmed?.(confirmed);
    }
  };
  await Promise.all(Array.from({ length: lanes }, follow));
  return summary;
}

/** Runs one case; with names of mutations, with these faults of it alone. */
export async function runOneCase(
  choice: CaseChoice,
  number: number,
  mutations: readonly string[],
): Promise<{ fuzzCase: FuzzCase; outcome: CaseOutcome }> {
  const whole = makeCase(choice, number);
  const faults = whole.faults.filter(({ mutation }) => mutations.includes(mutation));
  const fuzzCase = mutations.length === 0 ? whole : withFaults(whole, faults);
  await using lane = new Lane();
  return { fuzzCase, outcome: await lane.run(fuzzCase) };
}

function count({ mutations }: FuzzSummary, { faults }: FuzzCase): void {
  for (const { mutation } of faults) mutations.set(mutation, (mutations.get(mutation) ?? 0) + 1);
}
