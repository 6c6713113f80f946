import type { Result } from '@modelcontextprotocol/client';
import type { LedgerRequest } from '../connection/ledger.js';
import { taskIn, type TaskState } from './snapshot.js';

/** Makes a request that may safely be made twice. */
export type Ask = (request: LedgerRequest) => Promise<Result>;

/** How servers of one era of the protocol have tasks. What it gives is in the form of the modern era. */
export interface TaskEra {
  /** What the result of a `tools/call` says of the task that it is; `undefined` if it is none. */
  createdBy(result: Result): unknown;
  /** How a task is. */
  state(taskId: string, ask: Ask): Promise<unknown>;
  /** How a task is: with its `result` or `error` if it has ended, and with what it asks for. */
  get(taskId: string, ask: Ask): Promise<unknown>;
  /** Answers what the task asks for, by key. */
  update(taskId: string, responses: Readonly<Record<string, unknown>>, ask: Ask): Promise<unknown>;
  /** Says that the task is not wanted any more. */
  cancel(taskId: string, ask: Ask): Promise<unknown>;
  /** Called whenever the task goes on: it may wait for the end otherwise than by asking how the task is. */
  listen?(task: TaskState, line: TaskLine): void;
}

/** Where whoever waits for a task is told of it. */
export interface TaskLine {
  /** Makes a request that stays open until the task has ended, or is followed no more. */
  hold: Ask;
  /** Takes what the server says of the task. */
  take(value: unknown): void;
  /** Asks how the task is. */
  askNow(): void;
}

/**
 * The tasks of 2026-07-28: the extension `io.modelcontextprotocol/tasks`.
 *
 * @see https://modelcontextprotocol.github.io/ext-tasks/specification/2026-07-28/tasks.html
 */
export const modernTasks: TaskEra = {
  createdBy: (result) => {
    if (result['resultType'] === 'task') return result;
    // Some servers make it in the form of the era before: it must not be taken for what the tool says.
    return taskIn(result);
  },
  state: askHowItIs,
  get: askHowItIs,
  update: (taskId, inputResponses, ask) =>
    ask({ method: 'tasks/update', params: { taskId, inputResponses } }),
  cancel: (taskId, ask) => ask({ method: 'tasks/cancel', params: { taskId } }),
};

function askHowItIs(taskId: string, ask: Ask): Promise<unknown> {
  return ask({ method: 'tasks/get', params: { taskId } });
}
