import { describe, expect, it } from 'vitest';
import { expectNothingLeftOpen } from '../support/open-handles.ts';
import { expectPromiseToHold, RUN_MS } from './expect-promise.ts';
import { variantOf } from './variants.ts';

expectNothingLeftOpen();

describe('calls to a process that is killed', () => {
  it(
    'all settle, with the right results, and no write runs twice',
    { timeout: RUN_MS },
    async () => {
      const { faults, sessions } = await expectPromiseToHold(variantOf('stdio'));
      // Each kill but the last is followed by a process of its own.
      expect(faults.kill).toBeGreaterThanOrEqual(29);
      expect(sessions).toBeGreaterThanOrEqual(29);
    },
  );
});
