import { expect, it } from 'vitest';
import { check } from './check.mjs';
import type { Fault } from './faults.mjs';
import type { Run } from './journal.mjs';
import type { Made } from './load.mjs';

/** One call that a client made from 1 000 to 2 000, its runs and the faults: what is broken. */
function brokenBy(
  outcome: Made['outcome'],
  { runs = [], faults = [], client = 'plain-http', isSafe = false }: Given = {},
): string[] {
  const tool = isSafe ? 'look' : 'pay';
  const call = { key: 'k', tool, args: { key: 'k', ms: 0, steps: 0 }, isSafe } as const;
  const made = [{ call, client, sentAt: 1_000, settledAt: 2_000, outcome }];
  const load = { made, retries: new Map(), breaches: [] };
  return check(load, new Map([['k', [...runs]]]), faults).map(({ kind }) => kind);
}

interface Given {
  runs?: readonly Run[];
  faults?: readonly Fault[];
  client?: string;
  isSafe?: boolean;
}

const run = (of: Partial<Run> = {}): Run => ({
  key: 'k',
  run: 'r',
  node: 'node-1',
  ranAt: 1_100,
  endedAt: undefined,
  ...of,
});
const kill: Fault = { kind: 'kill', node: 'node-1', from: 1_500, to: 1_800, losesSessions: true };
const answered: Made['outcome'] = { is: 'answered', text: 'pay k r' };
const unknown: Made['outcome'] = { is: 'outcome-unknown', text: '' };

it('finds nothing where all is well', () => {
  expect(brokenBy(answered, { runs: [run({ endedAt: 1_200 })] })).toEqual([]);
  expect(brokenBy({ is: 'did-not-run', text: '' })).toEqual([]);
  expect(brokenBy(unknown, { runs: [run()], faults: [kill] })).toEqual([]);
});

it('finds what hangs, fails, runs twice, or ran though it is said not to have', () => {
  expect(brokenBy({ is: 'hung', text: '' })).toEqual(['hung']);
  expect(brokenBy({ is: 'failed', text: '' })).toEqual(['failed']);
  expect(brokenBy(answered, { runs: [run(), run({ run: 's' })] })).toEqual(['ran-twice']);
  expect(brokenBy({ is: 'did-not-run', text: '' }, { runs: [run()] })).toEqual(['ran-anyway']);
});

it('finds an answer of another run, or of none', () => {
  expect(brokenBy(answered, { runs: [run({ run: 's' })] })).toEqual(['wrong-answer']);
  expect(brokenBy(answered)).toEqual(['wrong-answer']);
});

it('finds an unknown outcome that nothing explains', () => {
  const runs = [run()];
  const on = (fault: Partial<Fault>): string[] =>
    brokenBy(unknown, { runs, faults: [{ ...kill, ...fault }] });
  expect(brokenBy(unknown, { runs })).toEqual(['unexplained']);
  expect(on({ node: 'node-2' })).toEqual(['unexplained']);
  expect(on({ from: 2_001, to: 2_100 })).toEqual(['unexplained']);
  expect(on({ kind: 'cut', losesSessions: false })).toEqual(['unexplained']);
  expect(brokenBy(unknown, { faults: [kill], isSafe: true })).toEqual(['unexplained']);
});

it('takes cut connections as an explanation only where no session is there to come back to', () => {
  const faults: Fault[] = [
    { kind: 'hang-up', node: undefined, from: 1_500, to: 1_501, losesSessions: false },
  ];
  expect(brokenBy(unknown, { runs: [run()], faults })).toEqual(['unexplained']);
  expect(brokenBy(unknown, { runs: [run()], faults, client: 'sdk-modern' })).toEqual([]);
});

it('finds an answer that was given long before its node died', () => {
  const late = { ...kill, from: 1_900, to: 2_100 };
  expect(brokenBy(unknown, { runs: [run({ endedAt: 100 })], faults: [late] })).toEqual([
    'lost-answer',
  ]);
  expect(brokenBy(unknown, { runs: [run({ endedAt: 1_850 })], faults: [late] })).toEqual([]);
});
