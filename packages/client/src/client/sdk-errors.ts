import { LongwireError } from '../errors.js';
import type { RequestContext } from '../connection/request-context.js';
import { serverError } from '../connection/failures.js';

/** The SDK lists all that is wrong in an answer. */
const MAX_MESSAGE = 2000;

/** The error of ours that an error is, or was made of. */
export function longwireErrorIn(error: unknown): LongwireError | undefined {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof LongwireError) return cause;
  }
  return undefined;
}

/**
 * Makes a LongwireError of what the SDK's `Client` rejected a request with. An error of the connection
 * stays the same, also where the `Client` has wrapped it. What the server answered is taken from the
 * ledger, because the `Client` changes some error numbers.
 */
export function fromSdkError(error: unknown, what: string, context: RequestContext): LongwireError {
  const own = longwireErrorIn(error);
  if (own !== undefined) return own;
  if (context.serverError !== undefined) return serverError(what, context.serverError);
  const whole = error instanceof Error ? error.message : String(error);
  const message = whole.length > MAX_MESSAGE ? `${whole.slice(0, MAX_MESSAGE)}…` : whole;
  const { certainty } = context;
  return certainty === 'answered'
    ? new LongwireError(`the server's answer to ${what} breaks the protocol: ${message}`, {
        code: 'protocol',
        certainty,
        cause: error,
      })
    : new LongwireError(`${what} failed: ${message}`, {
        code: 'protocol',
        certainty,
        cause: error,
      });
}

/** What failed outside any call, as an error of ours. */
export function reportable(error: unknown): LongwireError {
  if (error instanceof LongwireError) return error;
  return new LongwireError(error instanceof Error ? error.message : String(error), {
    code: 'protocol',
    certainty: 'outcome-unknown',
    cause: error,
  });
}
