import type { ClientCall } from '../calls/client-call.js';
import { ANONYMOUS, type Principal } from '../principal.js';
import { invalid, legacyStatus, legacyTask, NO_LIST } from '../tasks/legacy-forms.js';
import type { TaskAnswer } from '../tasks/task-call.js';
import type { TaskEngine } from '../tasks/task-engine.js';
import { NO_TASK } from '../tasks/task-refusals.js';
import { isFinal } from '../tasks/task-store.js';

/** The methods of tasks in 2025-11-25. */
export const TASK_METHODS: ReadonlySet<string> = new Set([
  'tasks/get',
  'tasks/result',
  'tasks/list',
  'tasks/cancel',
]);

/**
 * "receivers that cannot identify requestors **SHOULD NOT** declare the `tasks.list` capability": others
 * would see what somebody else called.
 */
export function canList({ id }: Principal): boolean {
  return id !== ANONYMOUS.id;
}

/** Answers `tasks/get`, `tasks/list` or `tasks/cancel` of 2025-11-25. */
export async function answerTaskMethod(engine: TaskEngine, call: ClientCall): Promise<TaskAnswer> {
  const { method, params = {} } = call;
  if (method === 'tasks/list') return list(engine, call);
  const { taskId } = params;
  if (typeof taskId !== 'string') return { error: invalid('taskId must be a string') };
  if (method === 'tasks/get') {
    const record = await engine.get(call, taskId);
    return record === undefined ? { error: NO_TASK } : { result: legacyTask(record) };
  }
  const before = await engine.cancel(call, taskId);
  if (before === undefined) return { error: NO_TASK };
  const after = isFinal(before.status) ? before : await engine.get(call, taskId);
  if (after === undefined) return { error: NO_TASK };
  if (isFinal(before.status) || after.status !== 'cancelled') {
    const { status } = legacyStatus(after);
    return { error: invalid(`The task has ended (${status}): it cannot be cancelled`) };
  }
  return { result: legacyTask(after) };
}

async function list(engine: TaskEngine, call: ClientCall): Promise<TaskAnswer> {
  if (!canList(call.principal)) return { error: NO_LIST };
  const cursor = call.params?.['cursor'];
  if (cursor !== undefined && typeof cursor !== 'string') {
    return { error: invalid('cursor must be a string') };
  }
  try {
    const page = cursor === undefined ? {} : { cursor };
    const { tasks, nextCursor } = await engine.list(call, page);
    return {
      result: { tasks: tasks.map(legacyTask), ...(nextCursor !== undefined && { nextCursor }) },
    };
  } catch (error) {
    if (error instanceof RangeError) return { error: invalid(error.message) };
    throw error;
  }
}
