import { endOfCall, isCut, type CallPicture } from '@longwire/recording';
import { isObject } from '@longwire/recording/shown';

/** What the timeline draws as one: a call, a task with all that was asked of it, or the rounds of a call. */
export interface CallSpan {
  readonly server: string;
  /** The oldest first; never empty. */
  readonly calls: CallPicture[];
}

/** What a span is of. */
export type SpanKind = 'call' | 'task' | 'rounds';

const TASK_IS_OVER: readonly unknown[] = ['completed', 'failed', 'cancelled'];

/** The call that a span began with. */
export function firstOf({ calls }: CallSpan): CallPicture {
  return calls[0] as CallPicture;
}

/** The call that says what became of a span. */
export function lastOf({ calls }: CallSpan): CallPicture {
  return calls.at(-1) as CallPicture;
}

/** When a span began, in milliseconds since 1970. */
export function beginOf(span: CallSpan): number {
  return firstOf(span).at;
}

/** When a span ended, as far as that is known; of one in flight, now. */
export function endOf({ calls }: CallSpan, now: number): number {
  return calls.reduce((end, call) => Math.max(end, endOfCall(call, now)), 0);
}

/** What a span is of. */
export function kindOf(span: CallSpan): SpanKind {
  if (taskIdOf(firstOf(span)) !== undefined) return 'task';
  return span.calls.length > 1 ? 'rounds' : 'call';
}

/** Whether more may come: a call is in flight, its task goes on, or the server waits for the next round. */
export function isOpen(span: CallSpan): boolean {
  if (span.calls.some(({ end }) => end === undefined)) return true;
  const last = lastOf(span);
  if (kindOf(span) === 'task') return last.end?.outcome === 'result' && !isTaskOver(last);
  return asksForMore(last);
}

/** The task that a call began, as the server named it. */
export function taskIdOf({ end }: CallPicture): string | undefined {
  const result = resultOf(end?.result);
  const task = isObject(result['task']) ? result['task'] : result;
  const isTask = task !== result || result['resultType'] === 'task';
  return isTask && typeof task['taskId'] === 'string' ? task['taskId'] : undefined;
}

/** The task that a call asks for. */
export function askedTaskOf({ method, arguments: args }: CallPicture): string | undefined {
  if (!method.startsWith('tasks/') || !isObject(args)) return undefined;
  return typeof args['taskId'] === 'string' ? args['taskId'] : undefined;
}

/** Whether a call is the next round of another: that one ended with a question of the server. */
export function isNextRound(call: CallPicture, before: CallPicture): boolean {
  return (
    before.server === call.server &&
    before.method === call.method &&
    before.name === call.name &&
    before.end !== undefined &&
    before.end.at <= call.at &&
    asksForMore(before)
  );
}

function asksForMore({ end }: CallPicture): boolean {
  return resultOf(end?.result)['resultType'] === 'input_required';
}

function isTaskOver({ method, end }: CallPicture): boolean {
  const result = resultOf(end?.result);
  const { status } = isObject(result['task']) ? result['task'] : result;
  return method === 'tasks/result' || method === 'tasks/cancel' || TASK_IS_OVER.includes(status);
}

function resultOf(result: unknown): Readonly<Record<string, unknown>> {
  return isObject(result) && !isCut(result) ? result : {};
}
