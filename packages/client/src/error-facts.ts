import { LongwireError, type ErrorCode } from './errors.js';

/** What fails with one of these found nobody who answers, or lost the connection to it. */
export const UNREACHABLE: ReadonlySet<ErrorCode> = new Set([
  'connect-failed',
  'connect-timeout',
  'connection-lost',
]);

/**
 * The LongwireError that was thrown, or what `wrap` makes of anything else. Default: handling a
 * message of the server failed.
 */
export function asLongwireError(
  error: unknown,
  wrap: (cause: unknown) => LongwireError = unhandledMessage,
): LongwireError {
  return error instanceof LongwireError ? error : wrap(error);
}

function unhandledMessage(cause: unknown): LongwireError {
  return new LongwireError('a message of the server could not be handled', {
    code: 'protocol',
    certainty: 'outcome-unknown',
    cause,
  });
}

/** The first failure. The errors around it say what it meant to whoever met it. */
export function rootError(error: LongwireError): LongwireError {
  return error.cause instanceof LongwireError ? rootError(error.cause) : error;
}

/** Whether a stream was opened, and ended before it said anything. */
export function hasEndedEarly(error: LongwireError): boolean {
  return error.code === 'not-mcp' && rootError(error).code === 'connection-lost';
}

/** Whether a tool reported an error, and the program wants that thrown: its server is well. */
export function isToolError(error: unknown): boolean {
  return error instanceof LongwireError && error.code === 'tool-error';
}
