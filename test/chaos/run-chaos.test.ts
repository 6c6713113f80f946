import { describe, expect, it } from 'vitest';
import { LongwireError } from '@longwire/client';
import { expectNothingLeftOpen } from '../support/open-handles.ts';
import { RUN_MS, seed } from './expect-promise.ts';
import { runChaos, type Caller } from './run-chaos.ts';
import { variantOf, type Variant } from './variants.ts';

expectNothingLeftOpen();

const byHttp = { calls: 300, faults: 60, seed, weights: { stall: 0, refuse: 0, delay: 0 } };
const byProcess = { calls: 300, faults: 15, seed };

describe.for<[Variant, typeof byHttp | typeof byProcess]>([
  [variantOf('sse'), byHttp],
  [variantOf('streamable-http'), byHttp],
  [variantOf('stateless'), byHttp],
  [variantOf('stdio'), byProcess],
])('a run over $0.name', ([variant, sample]) => {
  async function violationsOf(call: Caller): Promise<Set<string>> {
    const { violations } = await runChaos({ ...sample, variant, call });
    return new Set(violations.map(({ kind }) => kind));
  }

  it('notices a caller that tries again whatever failed', { timeout: RUN_MS }, async () => {
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

  it('notices a caller that claims to know what it does not', { timeout: RUN_MS }, async () => {
    const sure: Caller = async (client, tool, args, options) => {
      try {
        return await client.callTool(tool, args, options);
      } catch {
        throw new LongwireError('lost', { code: 'connection-lost', certainty: 'not-sent' });
      }
    };
    expect(await violationsOf(sure)).toContain('ran-after-all');
  });

  it(
    'notices results that are mixed up or made up, and any error',
    { timeout: RUN_MS },
    async () => {
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
    },
  );
});
