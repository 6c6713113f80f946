import type { CallToolResult, LongwireClient, TaskHandle, TaskState } from '@longwire/client';
import { callWritten, type WrittenCall } from '../call-tool.js';
import type { Context } from '../context.js';
import { sanitizeLine } from '../sanitize.js';
import { operationOptions } from '../session.js';
import { takeUpCommand, type TaskPlace } from './task-words.js';

/** What comes of a call that is left as soon as it is a task. */
export type Detached =
  | { readonly became: 'task'; readonly task: TaskHandle }
  /** It was answered, and no task. */
  | { readonly became: 'result'; readonly result: CallToolResult };

/**
 * Makes a call, and leaves it to the server as soon as it is a task.
 *
 * @throws as {@link callWritten}; LongwireError (usage) where it cannot become a task.
 */
export async function callAndDetach(
  context: Context,
  client: LongwireClient,
  call: WrittenCall,
): Promise<Detached> {
  const left = new AbortController();
  let task: TaskHandle | undefined;
  const onTask = (made: TaskHandle): void => {
    task = made;
    left.abort();
  };
  const signal = AbortSignal.any([context.interruptions.signal, left.signal]);
  try {
    const result = await callWritten(context, client, { ...call, onTask }, { signal });
    return { became: 'result', result };
  } catch (error) {
    if (task === undefined) throw error;
    return { became: 'task', task };
  }
}

/** Prints the task that a call has become: its id alone, or all that is known of it as JSON. */
export async function printDetached(
  context: Context,
  task: TaskHandle,
  place: TaskPlace,
): Promise<void> {
  const { terminal, options } = context;
  const { taskId, server } = task;
  if (!options.json) {
    terminal.print(sanitizeLine(taskId));
    terminal.remark(`It goes on; ${takeUpCommand(taskId, place)} takes it up.`);
    return;
  }
  // The task is there, whatever becomes of this question.
  const state: Partial<TaskState> = await task.status(operationOptions(context)).catch(() => ({}));
  terminal.json({ task: { taskId, server, ...state } });
}
