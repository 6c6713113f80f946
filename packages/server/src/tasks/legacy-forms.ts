import {
  INVALID_PARAMS,
  METHOD_NOT_FOUND,
  RELATED_TASK_META_KEY,
  type JSONRPCErrorResponse,
  type JSONRPCResultResponse,
} from '@modelcontextprotocol/server';
import { SERVER_ERROR, type Refusal } from '../refusal.js';
import type { TaskRules } from './task-options.js';
import { TASKS_EXTENSION } from './task-refusals.js';
import type { TaskAnswer } from './task-call.js';
import { taskFields } from './task-fields.js';
import type { TaskProgress, TaskRecord } from './task-store.js';

type Result = JSONRPCResultResponse['result'];
type RpcError = JSONRPCErrorResponse['error'];

/** The version of the protocol that has tasks in its core. */
export const TASKS_VERSION = '2025-11-25';

/** A tool whose calls are always tasks was called without. */
export const TASK_ONLY: Refusal = {
  status: 400,
  code: METHOD_NOT_FOUND,
  message: `This tool runs as a task only: call it with "task" in params (protocol ${TASKS_VERSION}), or declare the extension ${TASKS_EXTENSION} (2026-07-28)`,
};

/** A tool whose calls are never tasks was asked for one. */
export const NEVER_TASK: RpcError = {
  code: METHOD_NOT_FOUND,
  message: 'This tool cannot run as a task: call it without "task" in params',
};

/** A principal that is nobody in particular must not see what others called. */
export const NO_LIST: RpcError = {
  code: METHOD_NOT_FOUND,
  message: 'Tasks are listed only for clients that authenticate: others ask for a task by its id',
};

/** The answer of a task that was cancelled: there is none. */
const CANCELLED: RpcError = {
  code: SERVER_ERROR,
  message: 'The task was cancelled: a part of it may have run',
  data: { reason: 'cancelled', certainty: 'outcome-unknown' },
};

/** How much of a tool's error is a status message. */
const MAX_STATUS_CHARS = 500;

/** What is said of a task in 2025-11-25. */
export function legacyTask(record: TaskRecord): Result {
  const { ttlMs, pollIntervalMs } = record;
  return {
    ...taskFields({ ...record, ...legacyStatus(record) }),
    ttl: ttlMs,
    ...(pollIntervalMs !== undefined && { pollInterval: pollIntervalMs }),
  };
}

/** "when the tool result has `isError` set to `true`, the task should reach `failed` status". */
export function legacyStatus({
  status,
  statusMessage,
  result,
}: TaskRecord): Pick<TaskRecord, 'status' | 'statusMessage'> {
  if (status !== 'completed' || result?.['isError'] !== true) {
    return { status, ...(statusMessage !== undefined && { statusMessage }) };
  }
  const [first] = (result['content'] ?? []) as { text?: unknown }[];
  const text = typeof first?.text === 'string' ? first.text : 'The tool reports an error';
  return { status: 'failed', statusMessage: statusMessage ?? text.slice(0, MAX_STATUS_CHARS) };
}

/** What the call of a task that has ended would have been answered with. */
export function legacyAnswer({ taskId, status, result, error }: TaskRecord): TaskAnswer {
  if (error !== undefined) return { error };
  if (status === 'cancelled' || result === undefined) return { error: CANCELLED };
  return { result: withRelatedTask(result, taskId) };
}

/** What is said of a task names it in its `_meta`. */
export function withRelatedTask<T extends object>(message: T, taskId: string): T {
  const { _meta: meta } = message as { _meta?: object };
  return { ...message, _meta: { ...meta, [RELATED_TASK_META_KEY]: { taskId } } };
}

/** A progress notification of a task, for whoever gave this token. */
export function progressParams(
  taskId: string,
  progressToken: string | number,
  progress: TaskProgress,
): Record<string, unknown> {
  return withRelatedTask({ progressToken, ...progress }, taskId);
}

/** What the kit can do with tasks, as `initialize` says it. */
export function tasksCapability(canList: boolean): Record<string, unknown> {
  return { ...(canList && { list: {} }), cancel: {}, requests: { tools: { call: {} } } };
}

/** A result of `tools/list` that says of each tool whether its calls may be tasks. */
export function withTaskSupport(result: Result, rules: TaskRules): Result {
  const { tools } = result as { tools?: unknown };
  if (!Array.isArray(tools)) return result;
  const told = (tools as Record<string, unknown>[]).map((tool) => {
    const rule = rules.find(String(tool['name']));
    if (rule === undefined && tool['execution'] === undefined) return tool;
    const taskSupport = rule?.task ?? 'forbidden';
    return { ...tool, execution: { ...(tool['execution'] as object | undefined), taskSupport } };
  });
  return { ...result, tools: told };
}

/** The parameters of a request are wrong. */
export function invalid(message: string): RpcError {
  return { code: INVALID_PARAMS, message };
}
