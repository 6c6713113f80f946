import { INTERNAL_ERROR } from '@modelcontextprotocol/client';
import {
  HttpStatusError,
  LongwireError,
  ServerError,
  ToolResultError,
  type ErrorCode,
} from '../errors.js';
import { rootError, UNREACHABLE } from '../error-facts.js';

/** The limits that a call was given, and not by what its client has by default. */
export interface OwnLimits {
  timeoutMs?: number;
  deadlineMs?: number;
}

/** A server that is well causes none of these. Of `http-status`, the status decides. */
const OF_SERVER: ReadonlySet<ErrorCode> = new Set([...UNREACHABLE, 'not-mcp']);

/** Many servers answer a wrong name with the number of an internal error. */
const WRONG_NAME = /\bunknown tool\b|\bno such tool\b|\btool\b.*\bnot found\b/i;

/**
 * Whether a failed call says that its server is not well. What the program causes does not: an aborted
 * call, a call over a time limit of its own, wrong names, arguments and credentials, its own limits. Nor
 * does what a tool does: a result that is an error, or one that misses its schema.
 */
export function isServerFailure(error: unknown, own: OwnLimits = {}): boolean {
  if (!(error instanceof LongwireError)) return false;
  const { code } = error;
  if (OF_SERVER.has(code)) return true;
  switch (code) {
    case 'http-status': {
      const root = rootError(error);
      return !(root instanceof HttpStatusError) || root.status >= 500;
    }
    case 'server-error':
      return isInternalError(error);
    case 'protocol':
      return !(error instanceof ToolResultError);
    case 'timeout':
      return own.timeoutMs === undefined && isOverdue(error, own);
    case 'deadline':
      return own.deadlineMs === undefined && isOverdue(error, own);
    default:
      return false;
  }
}

/** Whether a failed call says that its server is there: it has answered, or refused the call. */
export function hasAnswered(error: unknown): boolean {
  if (!(error instanceof LongwireError)) return false;
  return error.certainty === 'answered' || error.certainty === 'refused';
}

function isInternalError(error: LongwireError): boolean {
  return (
    error instanceof ServerError &&
    error.number === INTERNAL_ERROR &&
    !WRONG_NAME.test(error.message)
  );
}

/** The server had the call and did not answer, or it could not be reached for all that time. */
function isOverdue({ certainty, cause }: LongwireError, own: OwnLimits): boolean {
  return certainty !== 'not-sent' || isServerFailure(cause, own);
}
