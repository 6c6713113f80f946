import { ToolResultError, type CallToolResult, type TaskHandle } from '@longwire/client';
import type { CallStep } from './definition.js';
import { failureOf, notSent, type Failure } from './failure.js';
import { textOf, valueOf } from './result-value.js';
import type { StepRecord, StepTask } from './run.js';
import type { Source } from './source.js';
import type { Servers, ToolAddress } from './tools.js';

/** How a call of a step ended; `left`: its task goes on without this process. */
export type CallOutcome = { result: unknown } | { failure: Failure } | 'left';

/** What a call of a step is made with. */
export interface StepCallOptions {
  servers: Servers;
  /** Aborted when the call must end. */
  aborting: AbortSignal;
  /** Notes durably that the call has become a task. Without it, a task ends with its call. */
  noteTask: ((task: StepTask) => Promise<void>) | undefined;
}

/** Whether a server can be asked for the task of a step that an earlier process has begun. */
export function canTakeUp(
  { task }: StepRecord,
  { server }: ToolAddress,
  servers: Servers,
): boolean {
  return task !== undefined && servers[server]?.task !== undefined;
}

/**
 * Calls the tool of a step, or takes up the task that the record of the step has.
 *
 * @throws what `noteTask` throws.
 */
export async function makeStepCall(
  step: CallStep,
  { server, tool }: ToolAddress,
  record: StepRecord,
  options: StepCallOptions,
): Promise<CallOutcome> {
  const { arguments: given = {}, call = tool, principal, task } = record;
  const source = options.servers[server];
  if (source === undefined) return { failure: notSent('config', `no server ${server}`) };
  const view = principal === undefined ? source : viewOf(source, principal);
  if (view instanceof Error) return { failure: notSent('config', view.message) };
  const { idempotent, timeoutMs } = step;
  const limits = timeoutMs === undefined ? {} : { timeoutMs };
  if (task !== undefined) return takeUp(call, view, task, limits, options);
  const passed = { ...limits, ...(idempotent === true && { idempotent }) };
  return callTool(options, call, async (own) => view.callTool(tool, given, { ...passed, ...own }));
}

/** Options of a call that belong to this process alone. */
interface OwnOptions {
  signal: AbortSignal;
  onTask?: (task: TaskHandle) => void;
}

/** Makes a call. When it must end, it is cancelled; a task that was noted is left instead. */
function callTool(
  { aborting, noteTask }: StepCallOptions,
  call: string,
  send: (own: OwnOptions) => Promise<CallToolResult>,
): Promise<CallOutcome> {
  return new Promise((resolve, reject) => {
    const calling = new AbortController();
    let noted: Promise<void> | undefined;
    const settle = (outcome: CallOutcome): void => {
      aborting.removeEventListener('abort', onAbort);
      // The journal has the task before it has what comes after.
      Promise.resolve(noted).then(() => resolve(outcome), reject);
    };
    const onAbort = (): void => {
      if (noted === undefined) calling.abort();
      else settle('left');
    };
    aborting.addEventListener('abort', onAbort, { once: true });
    if (aborting.aborted) onAbort();
    const onTask = ({ taskId, server }: TaskHandle): void => {
      noted = noteTask?.({ taskId, server });
      noted?.catch(reject);
    };
    send({ signal: calling.signal, ...(noteTask !== undefined && { onTask }) }).then(
      (answer) => settle(outcomeOf(call, answer)),
      (error: unknown) => settle(failedWith(call, error)),
    );
  });
}

/** Waits for the end of a task that an earlier process has begun. */
async function takeUp(
  call: string,
  view: Pick<Source, 'task'>,
  { taskId, server }: StepTask,
  limits: { timeoutMs?: number },
  { aborting }: StepCallOptions,
): Promise<CallOutcome> {
  let task: TaskHandle | undefined;
  try {
    task = view.task?.(taskId, server);
    if (task === undefined) throw new TypeError('task: this server has no tasks');
    return outcomeOf(call, await task.result({ ...limits, signal: aborting }));
  } catch (error) {
    if (aborting.aborted) return 'left';
    const outcome = failedWith(call, error);
    if (!('failure' in outcome) || outcome.failure.certainty === 'answered') return outcome;
    const { failure } = outcome;
    // As with a call that takes too long. Whether this arrives changes nothing.
    if (limitCodes.has(failure.code)) void task?.cancel().catch(() => {});
    // The task was made, whatever became of asking for it.
    return { failure: { ...failure, certainty: 'outcome-unknown' } };
  }
}

const limitCodes: ReadonlySet<Failure['code']> = new Set(['timeout', 'deadline']);

/** A source as a principal, or why there is none. */
function viewOf(source: Source, principal: string): Pick<Source, 'callTool' | 'task'> | Error {
  try {
    return source.as?.(principal) ?? new TypeError('as: this server knows no principals');
  } catch (error) {
    return error as Error;
  }
}

function failedWith(call: string, error: unknown): Exclude<CallOutcome, 'left'> {
  // The tool ran, and this is its answer: a retry would run it twice.
  if (error instanceof ToolResultError) return outcomeOf(call, error.result);
  return { failure: failureOf(error) };
}

function outcomeOf(call: string, answer: CallToolResult): Exclude<CallOutcome, 'left'> {
  return answer.isError === true
    ? { failure: toolFailure(call, answer) }
    : { result: valueOf(answer) };
}

function toolFailure(call: string, { content }: CallToolResult): Failure {
  const told = textOf(content);
  const message = `${call} answered with an error${told === undefined ? '' : `: ${told}`}`;
  return { code: 'tool-error', message, certainty: 'answered' };
}
