import type { McpResponse } from './contract.js';
import { LongwireError, type ErrorCode } from '../errors.js';

/**
 * How a request ended: `ok`, `tool-error` (a result with `isError: true`), the code of its error,
 * or `error` for one that is none of Longwire's.
 */
export type Outcome = 'ok' | 'tool-error' | 'error' | ErrorCode;

/** How a request ended that was answered. */
export function outcomeOf({ result }: McpResponse): Outcome {
  return result['isError'] === true ? 'tool-error' : 'ok';
}

/** How a request ended that failed. */
export function outcomeOfError(error: unknown): Outcome {
  return error instanceof LongwireError ? error.code : 'error';
}
