import { setTimeout as delay } from 'node:timers/promises';
import {
  LongwireError,
  ServerError,
  type CallToolResult,
  type LongwireClient,
  type TaskHandle,
  type TaskState,
} from '@longwire/client';
import { CommandError } from '../command-error.js';
import { createStateWords } from '../connection-words.js';
import type { Context } from '../context.js';
import { showProgress } from '../progress.js';
import { sanitizeLine } from '../sanitize.js';
import { askForLogs, showLogs } from '../server-logs.js';
import { operationOptions } from '../session.js';
import { statusWords } from './print-task.js';
import { taskError, type TaskPlace } from './task-words.js';

/** How often, and how many times, a task that was told to end is asked whether it has. */
const ENDING = { everyMs: 200, times: 15 } as const;

/** How much of an id is on the live line. */
const MAX_ID = 9;

/** The server does not know such a task. */
const INVALID_PARAMS = -32_602;

/** Whether a task has ended. */
export function hasEnded({ status }: Pick<TaskState, 'status'>): boolean {
  return status === 'completed' || status === 'failed' || status === 'cancelled';
}

/**
 * Asks how a task is, once.
 *
 * @throws LongwireError that says what to do where the server does not know it.
 */
export async function readTask(context: Context, task: TaskHandle): Promise<TaskState> {
  try {
    return await task.status(operationOptions(context));
  } catch (error) {
    throw isUnknown(error) ? unknownTask(task, error) : error;
  }
}

/**
 * Waits for the end of a task as long as it takes, shows its progress and answers what it asks for.
 *
 * @throws LongwireError; a task that is left says how it is taken up again.
 */
export async function awaitTask(
  context: Context,
  client: LongwireClient,
  { task, place }: { task: TaskHandle; place: TaskPlace | undefined },
): Promise<CallToolResult> {
  const { terminal } = context;
  const { taskId } = task;
  const limits = { deadlineMs: Infinity, ...operationOptions(context) };
  const { signal } = limits;
  // The user knows which, and the line is short.
  const label = `task ${sanitizeLine(taskId, MAX_ID)}`;
  const isAlone = context.connected === undefined;
  const stopLogging = isAlone ? showLogs(terminal, client) : undefined;
  const words = createStateWords(client);
  const stopFollowing = client.on('state', (state) =>
    terminal.showLive(state.name === 'ready' ? label : `${label}: ${words(state)}`),
  );
  try {
    const state = await readTask(context, task);
    if (!hasEnded(state)) terminal.showLive(`${label} ${statusWords(state)}`);
    if (isAlone && !hasEnded(state)) void askForLogs(context, client, limits);
    return await task.result({
      ...limits,
      onProgress: (progress) => showProgress(terminal, label, progress),
    });
  } catch (error) {
    if (!(error instanceof LongwireError)) throw error;
    const isLeft = signal?.aborted === true;
    throw taskError(error, taskId, { isLeft, isCancelled: false, place });
  } finally {
    stopLogging?.();
    stopFollowing();
    terminal.stopLive();
  }
}

/**
 * Tells the server to end a task, and gives what it has become shortly after: a server may let it end in
 * its own time, and a task may have ended before.
 *
 * @throws LongwireError
 */
export async function cancelTask(context: Context, task: TaskHandle): Promise<TaskState> {
  const limits = operationOptions(context);
  const before = await readTask(context, task);
  if (hasEnded(before)) return before;
  try {
    await task.cancel(limits);
  } catch (error) {
    // Some servers refuse to cancel what has ended meanwhile.
    const state = error instanceof ServerError ? await readTask(context, task) : undefined;
    if (state !== undefined && hasEnded(state)) return state;
    throw error;
  }
  let state = await readTask(context, task);
  for (let times = 0; times < ENDING.times && !hasEnded(state); times++) {
    await delay(ENDING.everyMs, undefined, { signal: limits.signal });
    state = await readTask(context, task);
  }
  return state;
}

function isUnknown(error: unknown): error is ServerError {
  return error instanceof ServerError && error.number === INVALID_PARAMS;
}

function unknownTask({ taskId }: TaskHandle, error: ServerError): CommandError {
  return new CommandError(
    `the server knows no task ${sanitizeLine(taskId, 100)}: it has expired or was lost, or belongs to another server, other credentials, or a session that has ended`,
    { code: error.code, certainty: 'answered', taskId, cause: error },
  );
}
