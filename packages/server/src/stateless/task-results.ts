import {
  CLIENT_CAPABILITIES_META_KEY,
  SERVER_INFO_META_KEY,
  type JSONRPCResultResponse,
} from '@modelcontextprotocol/server';
import type { ClientCall } from '../calls/client-call.js';
import { TASKS_EXTENSION } from '../tasks/task-refusals.js';
import { taskFields } from '../tasks/task-fields.js';
import type { TaskRecord } from '../tasks/task-store.js';

type Result = JSONRPCResultResponse['result'];

/** "A server returns `CreateTaskResult` in lieu of the standard result shape." */
export function createTaskResult(record: TaskRecord): Result {
  return { ...taskOf(record), resultType: 'task' };
}

/** A task with what belongs to its status. */
export function detailedTask(record: TaskRecord): Result {
  const { status, inputRequests, result, error } = record;
  return {
    ...taskOf(record),
    ...(status === 'input_required' && { inputRequests: modernRequests(inputRequests ?? {}) }),
    ...(status === 'completed' && { result: { resultType: 'complete', ...result } }),
    ...(status === 'failed' && { error }),
  };
}

/** A result of the newest era, which says who answers. */
export function withIdentity(result: Result, serverInfo: unknown): Result {
  const meta = {
    ...(serverInfo !== undefined && { [SERVER_INFO_META_KEY]: serverInfo }),
    ...result._meta,
  };
  return {
    resultType: 'complete',
    ...result,
    ...(Object.keys(meta).length > 0 && { _meta: meta as NonNullable<Result['_meta']> }),
  };
}

/** A result of `server/discover` that announces tasks. */
export function withExtension(result: Result): Result {
  const { capabilities = {} } = result as { capabilities?: Record<string, unknown> };
  const extensions = {
    ...(capabilities['extensions'] as object | undefined),
    [TASKS_EXTENSION]: {},
  };
  return { ...result, capabilities: { ...capabilities, extensions } };
}

function taskOf(record: TaskRecord): Result {
  const { ttlMs, pollIntervalMs } = record;
  return {
    ...taskFields(record),
    ttlMs,
    ...(pollIntervalMs !== undefined && { pollIntervalMs }),
  };
}

/** Requests of a server in the form of the newest era, which has no ids for what is opened by an address. */
function modernRequests(requests: NonNullable<TaskRecord['inputRequests']>): Result {
  const entries = Object.entries(requests).map(([key, request]) => {
    const { elicitationId: _, ...params } = (request.params ?? {}) as Record<string, unknown>;
    return [key, { ...request, params }];
  });
  return Object.fromEntries(entries) as Result;
}

/** Whether a request declares the extension. */
export function canTakeTasks(params: ClientCall['params']): boolean {
  const capabilities = params?._meta?.[CLIENT_CAPABILITIES_META_KEY];
  const { extensions } = (capabilities ?? {}) as { extensions?: unknown };
  return isObject(extensions) && isObject(extensions[TASKS_EXTENSION]);
}

/** Whether that is an object of JSON. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
