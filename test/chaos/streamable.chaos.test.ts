import { describe, it } from 'vitest';
import { expectNothingLeftOpen } from '../support/open-handles.ts';
import { expectPromiseToHold, RUN_MS } from './expect-promise.ts';
import { variantOf } from './variants.ts';

expectNothingLeftOpen();

const variants = [
  variantOf('streamable-http'),
  variantOf('streamable-http', true),
  variantOf('stateless'),
];

describe('calls over Streamable HTTP that breaks', () => {
  it.for(variants)(
    'all settle, with the right results, and no write runs twice: $name',
    { timeout: RUN_MS },
    async (variant) => {
      await expectPromiseToHold(variant);
    },
  );
});
