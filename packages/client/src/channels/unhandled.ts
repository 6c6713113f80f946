import { LongwireError } from '../errors.js';

/** What ends a channel when taking a message of the server failed: the LongwireError thrown, or one about it. */
export function asLongwireError(error: unknown): LongwireError {
  if (error instanceof LongwireError) return error;
  return new LongwireError('a message of the server could not be handled', {
    code: 'protocol',
    certainty: 'outcome-unknown',
    cause: error,
  });
}
