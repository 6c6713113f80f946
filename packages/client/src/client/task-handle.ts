import type { CallToolResult } from '@modelcontextprotocol/client';
import { CERTAINTY_TEXT } from '../certainty-text.js';
import { LongwireError, noteTask, ServerError, type Certainty } from '../errors.js';
import type { Tasks } from '../tasks/tasks.js';
import { callObserver } from './call.js';
import type { Operations } from './operations.js';
import { callAsWanted } from './result-data.js';
import { toCallToolResult } from './results.js';
import type { CallTimeouts, OperationOptions, TaskHandle } from './types.js';

/** What the handle of a task is made with. */
export interface TaskHandleOptions {
  tasks: Tasks;
  operations: Operations;
  server: () => string;
  timeouts: CallTimeouts;
  throwOnToolError: boolean | undefined;
  /** Given what is corrected in a result. */
  report: (error: unknown) => void;
}

/** Makes a handle. */
export function createTaskHandle(
  taskId: string,
  { tasks, operations, server, timeouts, throwOnToolError, report }: TaskHandleOptions,
): TaskHandle {
  checkTaskId(taskId);
  const what = `the task ${taskId}`;
  const wait = (options: OperationOptions): Promise<CallToolResult> =>
    operations.run(what, options, async (connection, call) => {
      const result = await tasks.wait(taskId, call, connection);
      return toCallToolResult(result, what, report);
    });
  return {
    taskId,
    get server() {
      return server();
    },
    status: (options = {}) =>
      operations.run(`asking how ${what} is`, options, (connection, call) =>
        tasks.state(taskId, call, connection),
      ),
    result: (options = {}) => {
      const isThrown = options.throwOnToolError ?? throwOnToolError;
      const wanted = isThrown === true ? { ...options, throwOnToolError: true } : options;
      const result = callAsWanted(what, { options: wanted, timeouts }, wait);
      // A pool has to know that nothing was sent, to wait on another connection.
      return callObserver in options ? result : result.catch(failOfTask(taskId));
    },
    cancel: (options = {}) =>
      operations.run(`cancelling ${what}`, options, (connection, call) =>
        tasks.cancel(taskId, call, connection),
      ),
  };
}

/** They say of a call that it has not run. */
const IS_UNRUN: ReadonlySet<Certainty> = new Set(['not-sent', 'refused']);

/**
 * The task was made, whatever becomes of waiting for it: an error must not say that nothing has run, or
 * the program calls the tool again. Only its server may say so.
 */
function failOfTask(taskId: string): (error: unknown) => never {
  return (error) => {
    if (!(error instanceof LongwireError)) throw error;
    const { code, certainty, summary, hint } = error;
    const isOfTask = error instanceof ServerError || !IS_UNRUN.has(certainty);
    if (isOfTask) {
      noteTask(error, taskId);
      throw error;
    }
    const isPlain = error.constructor === LongwireError;
    throw new LongwireError(
      summary.replace(CERTAINTY_TEXT[certainty], 'it may go on, or have ended'),
      {
        code,
        certainty: 'outcome-unknown',
        hint,
        taskId,
        cause: isPlain ? error.cause : error,
      },
    );
  };
}

/** Whose handle it is. */
export interface TaskOwner {
  readonly taskId: string;
  /** What the server is called now. */
  server: () => string;
  /** Does something with the task on the session that it is for. `what` is being done, for messages. */
  within: <Options extends OperationOptions, T>(
    what: string,
    options: Options,
    run: (task: TaskHandle, options: Options) => Promise<T>,
  ) => Promise<T>;
}

/** A handle that passes everything on to the client of a session. */
export function passOnTask({ taskId, server, within }: TaskOwner): TaskHandle {
  return {
    taskId,
    get server() {
      return server();
    },
    status: (options = {}) =>
      within(`asking how the task ${taskId} is`, options, (task, own) => task.status(own)),
    result: (options = {}) =>
      within(`the task ${taskId}`, options, (task, own) => task.result(own)).catch(
        failOfTask(taskId),
      ),
    cancel: (options = {}) =>
      within(`cancelling the task ${taskId}`, options, (task, own) => task.cancel(own)),
  };
}

/** @throws TypeError for what is no id of a task. */
export function checkTaskId(taskId: unknown): asserts taskId is string {
  if (typeof taskId === 'string' && taskId !== '') return;
  throw new TypeError('taskId: not the id of a task, as onTask gives it');
}
