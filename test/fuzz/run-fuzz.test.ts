import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { expectNothingLeftOpen } from '../support/open-handles.ts';
import { FUZZ_TRANSPORTS } from './fuzz-case.ts';
import { runFuzz } from './run-fuzz.ts';

expectNothingLeftOpen();

const badSubject = fileURLToPath(new URL('bad-subject.mjs', import.meta.url));

describe('the fuzzer notices a subject', () => {
  afterEach(() => {
    delete process.env['FUZZ_BREAKS'];
  });

  it.for(['hung', 'died', 'printed'] as const)(
    'that has %s, every time, with one fault',
    { timeout: 120_000 },
    async (kind) => {
      process.env['FUZZ_BREAKS'] = kind;
      const { confirmed, cases } = await runFuzz({
        seed: 1,
        only: ['timing/late'],
        without: [],
        transports: FUZZ_TRANSPORTS,
        subjects: ['library'],
        budgetMs: 60_000,
        maxCases: 1,
        lanes: 1,
        subject: { script: badSubject, patienceMs: 3000 },
      });
      expect(cases).toBe(1);
      const [first] = confirmed;
      expect(first?.isSteady).toBe(true);
      expect(first?.outcome.violations.map((each) => each.kind)).toEqual([kind]);
      expect(first?.fuzzCase.faults).toHaveLength(1);
    },
  );
});
