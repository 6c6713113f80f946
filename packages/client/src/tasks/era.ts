import type { Result } from '@modelcontextprotocol/client';
import type { LedgerRequest } from '../connection/ledger.js';
import { isObject } from '../untrusted/is-object.js';
import type { Era } from '../protocol-version.js';

/** Makes a request that may safely be made twice. */
export type Ask = (request: LedgerRequest) => Promise<Result>;

/** How servers of one era of the protocol have tasks. What it gives is in the form of the modern era. */
export interface TaskEra {
  /** What the result of a `tools/call` says of the task that it is; `undefined` if it is none. */
  createdBy(result: Result): unknown;
  /** How a task is: with its `result` or `error` if it has ended, and with what it asks for. */
  get(taskId: string, ask: Ask): Promise<unknown>;
  /** Answers what the task asks for, by key. */
  update(taskId: string, responses: Readonly<Record<string, unknown>>, ask: Ask): Promise<unknown>;
  /** Says that the task is not wanted any more. */
  cancel(taskId: string, ask: Ask): Promise<unknown>;
}

/**
 * The tasks of 2026-07-28: the extension `io.modelcontextprotocol/tasks`.
 *
 * @see https://modelcontextprotocol.github.io/ext-tasks/specification/2026-07-28/tasks.html
 */
const modernTasks: TaskEra = {
  createdBy: (result) => {
    if (result['resultType'] === 'task') return result;
    // Some servers make it in the form of the era before: it must not be taken for what the tool says.
    const { task, content } = result;
    return content === undefined && isObject(task) && 'taskId' in task ? task : undefined;
  },
  get: (taskId, ask) => ask({ method: 'tasks/get', params: { taskId } }),
  update: (taskId, inputResponses, ask) =>
    ask({ method: 'tasks/update', params: { taskId, inputResponses } }),
  cancel: (taskId, ask) => ask({ method: 'tasks/cancel', params: { taskId } }),
};

/** In the legacy era servers make tasks only of calls that ask for it. */
const legacyTasks: TaskEra = { ...modernTasks, createdBy: () => undefined };

/** By era of the connection. */
export const taskEras: Readonly<Record<Era, TaskEra>> = {
  modern: modernTasks,
  legacy: legacyTasks,
};
