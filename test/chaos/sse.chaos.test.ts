import { describe, it } from 'vitest';
import { expectNothingLeftOpen } from '../support/open-handles.ts';
import { expectPromiseToHold, RUN_MS } from './expect-promise.ts';
import { variantOf } from './variants.ts';

expectNothingLeftOpen();

describe('calls over HTTP+SSE that breaks', () => {
  it.for([variantOf('sse'), variantOf('sse', true)])(
    'all settle, with the right results, and no write runs twice: $name',
    { timeout: RUN_MS },
    async (variant) => {
      await expectPromiseToHold(variant);
    },
  );
});
