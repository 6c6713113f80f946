import { passOnTask } from '../client/task-handle.js';
import type { TaskHandle, ToolSource } from '../client/types.js';
import { disabledError } from './member-errors.js';

/** A server of a group. */
export interface TaskServer {
  readonly name: string;
  readonly isDisabled: boolean;
}

/** The handle of a task of one of a group's servers, by the name that the server has there. */
export function serverTask(task: TaskHandle, server: TaskServer): TaskHandle {
  return passOnTask({
    taskId: task.taskId,
    server: () => server.name,
    within: (what, options, run) =>
      server.isDisabled ? Promise.reject(disabledError(what, server.name)) : run(task, options),
  });
}

/**
 * The same of a task that was made before.
 *
 * @throws TypeError for a source that has no tasks.
 */
export function taskOf(source: ToolSource, taskId: string, server: TaskServer): TaskHandle {
  if (source.task !== undefined) return serverTask(source.task(taskId), server);
  throw new TypeError(`task: ${server.name} is a source of tools without a method task`);
}
