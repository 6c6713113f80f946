import { expect } from 'vitest';
import type { LongwireError } from '../../src/index.ts';

/** What a promise is rejected with; that it is fulfilled is a failure of the test. */
export function failureOf(promise: Promise<unknown>): Promise<LongwireError> {
  return promise.then(
    () => expect.unreachable('it succeeded'),
    (error: unknown) => error as LongwireError,
  );
}
