import { describe, expect, it } from 'vitest';
import { LongwireError } from '@longwire/client';
import { expectNothingLeftOpen } from '../support/open-handles.ts';
import { runChaos, type Caller } from './run-chaos.ts';
import { chooseSeed } from './seed.ts';
import { formatSummary } from './summary.ts';

expectNothingLeftOpen();

/** `LONGWIRE_SEED=…` makes the decisions of a run again that printed this seed. */
const seed = chooseSeed(process.env['LONGWIRE_SEED']);
console.log(`seed: ${seed}`);

/** More than a run takes on a busy machine; less than a call that hangs is waited for. */
const runMs = 120_000;

describe.for([
  ['plain', false],
  ['resumable', true],
] as const)('calls over %s streams that break', ([, resumable]) => {
  it(
    'all settle, with the right results, and no write runs twice',
    { timeout: runMs },
    async () => {
      const calls = 1500;
      const summary = await runChaos({ calls, faults: 200, seed, resumable });
      console.log(formatSummary(summary));
      expect(summary.violations).toEqual([]);
      expect(summary).toMatchObject({ settled: calls, hung: 0, writesExecutedTwice: 0 });
      // The run was what it claims to be.
      expect(summary.faultCount).toBeGreaterThanOrEqual(180);
      expect(summary.succeeded).toBeGreaterThan(calls / 2);
      expect(summary.sessions).toBeGreaterThan(1);
      expect(summary.resumptions > 0).toBe(resumable);
    },
  );
});

describe('the run itself', () => {
  const sample = { calls: 300, faults: 60, seed, weights: { stall: 0, refuse: 0, delay: 0 } };

  async function violationsOf(call: Caller): Promise<Set<string>> {
    const { violations } = await runChaos({ ...sample, call });
    return new Set(violations.map(({ kind }) => kind));
  }

  it('notices a caller that tries again whatever failed', async () => {
    const stubborn: Caller = async (client, tool, args, options) => {
      for (let attempt = 1; ; attempt += 1) {
        try {
          return await client.callTool(tool, args, options);
        } catch (error) {
          if (attempt === 5) throw error;
        }
      }
    };
    expect(await violationsOf(stubborn)).toContain('executed-twice');
  });

  it('notices a caller that claims to know what it does not', async () => {
    const sure: Caller = async (client, tool, args, options) => {
      try {
        return await client.callTool(tool, args, options);
      } catch {
        throw new LongwireError('lost', { code: 'connection-lost', certainty: 'not-sent' });
      }
    };
    expect(await violationsOf(sure)).toContain('ran-after-all');
  });

  it('notices a caller that mixes up results, makes them up, or throws anything', async () => {
    const one = { key: 1, sizeBytes: 1, delayMs: 0, steps: 0 };
    const mixedUp: Caller = (client, tool, args, options) =>
      client.callTool(tool, args['key'] === 7 ? one : args, options);
    const found = await violationsOf(async (client, tool, args, options) => {
      if (args['key'] === 8) return { content: [] };
      if (args['key'] === 9) throw new Error('anything');
      return mixedUp(client, tool, args, options);
    });
    expect(found).toContain('succeeded-without-running');
    expect(found).toContain('foreign-error');
    expect(found).toContain('wrong-result');
  });
});
