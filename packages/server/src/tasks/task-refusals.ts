import {
  INTERNAL_ERROR,
  INVALID_PARAMS,
  ProtocolErrorCode,
  type JSONRPCErrorResponse,
} from '@modelcontextprotocol/server';
import { SERVER_ERROR, type Refusal } from '../refusal.js';

type RpcError = JSONRPCErrorResponse['error'];

/** The name of the extension of 2026-07-28. */
export const TASKS_EXTENSION = 'io.modelcontextprotocol/tasks';

/** A principal must not use up the store. */
export function tooManyTasks(): Refusal {
  return {
    status: 503,
    code: SERVER_ERROR,
    message:
      'There are too many tasks (maxPerPrincipal or maxTasks of the store of tasks): the call did not run; try again when others have expired',
    headers: { 'retry-after': '5' },
    data: { reason: 'too-many-tasks', retryAfterMs: 5_000 },
  };
}

/** The same for a task of somebody else, one that has expired, and one that never was. */
export const NO_TASK: RpcError = {
  code: INVALID_PARAMS,
  message: 'There is no such task: it has expired, or there never was one',
};

/** What is known of tasks cannot be read. */
export const STORE_FAILED: RpcError = {
  code: INTERNAL_ERROR,
  message: 'The store of tasks failed: the log of the server says why',
};

/** For a client of 2026-07-28 that has not declared the extension. */
export const NEEDS_EXTENSION: Omit<Refusal, 'status'> = {
  code: ProtocolErrorCode.MissingRequiredClientCapability,
  message: `Missing required client capability: this needs the extension ${TASKS_EXTENSION}`,
  data: { requiredCapabilities: { extensions: { [TASKS_EXTENSION]: {} } } },
};

/** A call that was cut, whose task remains. */
export const CUT_TASK: RpcError = {
  code: SERVER_ERROR,
  message: 'The task was cancelled because the server stops: a part of it may have run',
  data: { reason: 'stopping', certainty: 'outcome-unknown' },
};
