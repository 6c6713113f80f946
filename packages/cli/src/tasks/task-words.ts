import { LongwireError, type ErrorCode, type LongwireClient } from '@longwire/client';
import { CommandError } from '../command-error.js';
import { sanitizeLine } from '../sanitize.js';
import { shellWord } from '../shell-word.js';
import type { Context } from '../context.js';
import type { Target } from '../target.js';

/** Where a task is, and how it is taken up from there. */
export interface TaskPlace {
  /** The server as it was written; none where no word names it. */
  readonly server: string | undefined;
  /** In a session the command is written without `longwire`. */
  readonly isSession: boolean;
}

/** Where a task of a server can be taken up; `undefined` if it ends with this command. */
export function taskPlace(
  { connected }: Pick<Context, 'connected'>,
  {
    server,
    client,
    target,
  }: { server: string | undefined; client: LongwireClient; target: Target },
): TaskPlace | undefined {
  if (connected !== undefined) return { server: client.name, isSession: true };
  return typeof target === 'string' ? { server, isSession: false } : undefined;
}

/** The command that takes a task up, ready to be pasted. */
export function takeUpCommand(taskId: string, { server, isSession }: TaskPlace): string {
  const words = ['task', ...(server === undefined ? [] : [server]), sanitizeLine(taskId)];
  return [...(isSession ? [] : ['longwire']), ...words.map(shellWord)].join(' ');
}

/** After these errors nobody knows how the task is, and the server may still be at it. */
const MAY_GO_ON: ReadonlySet<ErrorCode> = new Set([
  'connection-lost',
  'connect-failed',
  'connect-timeout',
  'closed',
  'http-status',
  'unauthorized',
  'forbidden',
  'not-mcp',
  'limit-exceeded',
  'queue-full',
  'protocol',
]);

/** What is told of a task whose call, or whoever else waits for it, fails. */
export interface TaskErrorOptions {
  /** The user has left it. */
  readonly isLeft: boolean;
  /** It was cancelled because nobody waits for it any more. */
  readonly isCancelled: boolean;
  /** Where it is taken up; none where it ends with its server's process. */
  readonly place: TaskPlace | undefined;
}

/** The error of a call that has become a task, with what is known of the task, and how it is taken up. */
export function taskError(
  error: LongwireError,
  taskId: string,
  { isLeft, isCancelled, place }: TaskErrorOptions,
): LongwireError {
  const { code, certainty, summary } = error;
  const task = `the task ${sanitizeLine(taskId)}`;
  const say = (message: string): CommandError =>
    new CommandError(message, { code, certainty, taskId, cause: error });
  const isLate = code === 'timeout' || code === 'deadline';
  const more = `a longer --${code} allows more`;
  if (isLate && isCancelled) return say(`${summary}; ${task} was cancelled; ${more}`);
  if (place === undefined) return error;
  const takeUp = `${takeUpCommand(taskId, place)} takes it up`;
  if (isLeft) return say(`${task} goes on; ${takeUp}`);
  if (isLate) {
    const why = error.cause instanceof LongwireError ? ` (${error.cause.summary})` : '';
    return say(`${task} has not ended in time${why}, and may go on: ${takeUp}; ${more}`);
  }
  const mayGoOn = certainty === 'outcome-unknown' && MAY_GO_ON.has(code);
  return mayGoOn ? say(`${summary}; ${task} may go on: ${takeUp}`) : error;
}
