import type { Progress } from '@modelcontextprotocol/client';
import type { ServerError } from '../errors.js';
import { isObject } from '../untrusted/is-object.js';
import { isFinal, taskIn, type TaskSnapshot, type TaskState } from './snapshot.js';

/** A server is asked at most so often, whatever it says, in milliseconds. */
export const MIN_POLL_MS = 100;
/** And at least so often. */
export const MAX_POLL_MS = 10_000;
/** Where the server says nothing. */
export const DEFAULT_POLL_MS = 1_000;
/** So many answers in a row may be of no use. */
const MAX_FAILURES = 5;
/** A task may ask for so much in its life. */
const MAX_INPUTS = 100;

/** What has become of something that a task asks for. */
export type InputPhase =
  /** The program is being asked. */
  | { readonly is: 'asked' }
  /** The program has answered, and the server has not taken the answer yet. */
  | {
      readonly is: 'answered';
      readonly response: unknown;
      readonly isOnItsWay: boolean;
      /** How often the server has refused it. */
      readonly refusals: number;
    }
  /** The server seemed to want no answer any more, before there was one. */
  | { readonly is: 'withdrawn' }
  /** The server has the answer, or there is none. */
  | { readonly is: 'settled' };

/** A task that is followed to its end. It is never changed: each event makes another one of it. */
export interface FollowedTask {
  readonly taskId: string;
  /** As its server said last. */
  readonly state: TaskState | undefined;
  /** What it asked for, by key: each once. */
  readonly inputs: ReadonlyMap<string, InputPhase>;
  /** How often the program was asked. */
  readonly asks: number;
  /** What was told of its progress last. */
  readonly progress: Progress | undefined;
  /** The server counts how far it is: its messages are told with its last number, not with one of ours. */
  readonly isCounted: boolean;
  /** The message of its status that was told last. */
  readonly message: string | undefined;
  /** How many answers in a row were of no use. */
  readonly failures: number;
  /** It has ended, for whoever follows it; nothing happens after that. */
  readonly hasEnded: boolean;
}

/** How a followed task ends. */
export type TaskEnd =
  | { readonly how: 'completed'; readonly result: Readonly<Record<string, unknown>> }
  /** `completed`, but with no result. */
  | { readonly how: 'no-result' }
  | { readonly how: 'failed'; readonly error: NonNullable<TaskSnapshot['error']> }
  | { readonly how: 'cancelled'; readonly message: string | undefined }
  /** Its server does not know it: it expired, or was lost. */
  | { readonly how: 'gone'; readonly cause: ServerError }
  /** Its server gives no answer that can be used. */
  | { readonly how: 'unknown'; readonly problem: string; readonly cause?: Error }
  /** What it asks for cannot be answered. */
  | { readonly how: 'unanswerable'; readonly problem: string; readonly cause?: Error };

/** What happens to a followed task. */
export type TaskEvent =
  | { readonly type: 'snapshot'; readonly snapshot: TaskSnapshot }
  /** An answer came that is no snapshot. */
  | { readonly type: 'garbage'; readonly problem: string }
  /** The server answered with an error, or with an HTTP status that is one. */
  | { readonly type: 'refused'; readonly cause: Error }
  /** The server says that there is no such task. */
  | { readonly type: 'gone'; readonly cause: ServerError }
  /** Asking again is of no use. */
  | { readonly type: 'lost'; readonly cause: Error }
  /** Its call was told of progress by itself. */
  | { readonly type: 'progressed'; readonly progress: Progress }
  | { readonly type: 'input-answered'; readonly key: string; readonly response: unknown }
  | { readonly type: 'input-failed'; readonly key: string; readonly cause: Error }
  | { readonly type: 'update-taken'; readonly keys: readonly string[] }
  /** `cause`: the server has refused it, and is not only away. */
  | { readonly type: 'update-failed'; readonly keys: readonly string[]; readonly cause?: Error };

/** What whoever follows a task does for it. */
export type TaskEffect =
  /** Ask the program. */
  | {
      readonly type: 'ask';
      readonly key: string;
      readonly request: Readonly<Record<string, unknown>>;
    }
  /** The program need not answer any more. */
  | { readonly type: 'withdraw'; readonly key: string }
  /** Send answers to the server. */
  | { readonly type: 'update'; readonly responses: Readonly<Record<string, unknown>> }
  /** The server has said how the task is: the idle time of who waits begins anew. */
  | { readonly type: 'alive' }
  | { readonly type: 'progress'; readonly progress: Progress }
  /** Tell that the server said something that is of no use. */
  | { readonly type: 'report'; readonly problem: string }
  | { readonly type: 'end'; readonly end: TaskEnd };

/** The task after an event, and what is to be done, in order. */
export interface TaskStep {
  readonly task: FollowedTask;
  readonly effects: readonly TaskEffect[];
}

/** A task of which nothing is known but its id, and the progress that its call has made before. */
export function followedTask(taskId: string, progress?: Progress): FollowedTask {
  return {
    taskId,
    state: undefined,
    inputs: new Map(),
    asks: 0,
    progress,
    isCounted: progress !== undefined,
    message: undefined,
    failures: 0,
    hasEnded: false,
  };
}

/** How long to wait until the server is asked again, in milliseconds. `isHeard`: it says by itself what happens. */
export function pollDelayMs({ state, failures }: FollowedTask, isHeard: boolean): number {
  if (isHeard && failures === 0) return MAX_POLL_MS;
  const asked = state?.pollIntervalMs ?? DEFAULT_POLL_MS;
  const ms = Number.isFinite(asked) ? asked * 2 ** failures : MAX_POLL_MS;
  return Math.min(Math.max(ms, MIN_POLL_MS), MAX_POLL_MS);
}

/** What an event makes of a followed task. Pure: it sends nothing, asks nobody and knows no time. */
export function follow(task: FollowedTask, event: TaskEvent): TaskStep {
  if (task.hasEnded) return { task, effects: [] };
  switch (event.type) {
    case 'snapshot':
      return takeSnapshot(task, event.snapshot);
    case 'garbage': {
      const { problem } = event;
      const report: TaskEffect = { type: 'report', problem };
      return failed(task, { how: 'unknown', problem }, [report]);
    }
    case 'refused':
      return failed(task, { how: 'unknown', problem: event.cause.message, cause: event.cause }, []);
    case 'gone':
      return ended(task, { how: 'gone', cause: event.cause });
    case 'lost':
      return ended(task, { how: 'unknown', problem: event.cause.message, cause: event.cause });
    case 'progressed':
      return { task: { ...task, progress: event.progress, isCounted: true }, effects: [] };
    case 'input-answered':
      return inputAnswered(task, event.key, event.response);
    case 'input-failed':
      return inputFailed(task, event.key, event.cause);
    case 'update-taken':
      return { task: { ...task, inputs: settled(task.inputs, event.keys) }, effects: [] };
    case 'update-failed':
      return updateFailed(task, event.keys, event.cause);
  }
}

function ended(task: FollowedTask, end: TaskEnd, before: readonly TaskEffect[] = []): TaskStep {
  const withdrawn = [...task.inputs].flatMap(([key, { is }]): TaskEffect[] =>
    is === 'asked' ? [{ type: 'withdraw', key }] : [],
  );
  return {
    task: { ...task, hasEnded: true },
    effects: [...before, ...withdrawn, { type: 'end', end }],
  };
}

function failed(task: FollowedTask, end: TaskEnd, effects: readonly TaskEffect[]): TaskStep {
  const failures = task.failures + 1;
  const next = { ...task, failures };
  return failures < MAX_FAILURES ? { task: next, effects } : ended(next, end, effects);
}

function takeSnapshot(task: FollowedTask, snapshot: TaskSnapshot): TaskStep {
  const { state } = snapshot;
  // Answers and notifications may overtake each other. An end is an end, whatever came before it.
  const isOld = !isFinal(state.status) && isOlder(state, task.state);
  const known: FollowedTask = { ...task, failures: 0, state: isOld ? task.state : state };
  const told = isOld ? { task: known, effects: [] } : tellProgress(known, snapshot);
  if (isFinal(state.status)) return ended(told.task, endOf(snapshot), told.effects);
  const inputs = takeInputs(told.task, snapshot, { isNewer: isOlder(task.state, state) });
  if ('how' in inputs) return ended(told.task, inputs, told.effects);
  return {
    task: inputs.task,
    effects: [{ type: 'alive' }, ...told.effects, ...inputs.effects],
  };
}

function endOf({ state, result, error }: TaskSnapshot): TaskEnd {
  if (state.status === 'cancelled') return { how: 'cancelled', message: state.statusMessage };
  if (error !== undefined) return { how: 'failed', error };
  if (!isObject(result)) return { how: 'no-result' };
  const { resultType, ...rest } = result;
  const isTask = taskIn(rest) !== undefined;
  const isComplete = !isTask && (resultType === undefined || resultType === 'complete');
  return isComplete ? { how: 'completed', result: rest } : { how: 'no-result' };
}

/** Only dates that can be read say something. */
function isOlder(now: TaskState | undefined, before: TaskState | undefined): boolean {
  if (now === undefined || before === undefined) return false;
  return Date.parse(now.lastUpdatedAt) < Date.parse(before.lastUpdatedAt);
}

/** Progress never goes back. Where the server counts nothing, each of its messages counts one further. */
function tellProgress(task: FollowedTask, { state }: TaskSnapshot): TaskStep {
  const { statusMessage, progress: said } = state;
  const before = task.progress?.progress ?? -Infinity;
  if (said !== undefined) {
    if (said.progress < before || isSame(said, task.progress)) return { task, effects: [] };
    const next = { ...task, progress: said, isCounted: true, message: statusMessage };
    return { task: next, effects: [{ type: 'progress', progress: said }] };
  }
  const isToldAlready = statusMessage === undefined || statusMessage === task.message;
  if (isToldAlready || isFinal(state.status)) return { task, effects: [] };
  const counted = task.isCounted ? task.progress : undefined;
  const progress = {
    ...(counted ?? { progress: Math.max(0, before) + 1 }),
    message: statusMessage,
  };
  const next = { ...task, progress, message: statusMessage };
  // A notification of the call may have said the same before.
  if (isSame(progress, task.progress)) return { task: next, effects: [] };
  return { task: next, effects: [{ type: 'progress', progress }] };
}

function isSame(one: Progress, other: Progress | undefined): boolean {
  return (
    one.progress === other?.progress && one.total === other.total && one.message === other.message
  );
}

/** Asks for what was not asked for before, and sends answers again that the server has not taken. */
function takeInputs(
  task: FollowedTask,
  { inputRequests = {} }: TaskSnapshot,
  { isNewer }: { isNewer: boolean },
): TaskStep | TaskEnd {
  const inputs = new Map(task.inputs);
  let { asks } = task;
  const effects: TaskEffect[] = [];
  const responses: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
  for (const [key, request] of Object.entries(inputRequests)) {
    const phase = inputs.get(key);
    if (phase === undefined || phase.is === 'withdrawn') {
      if (!isObject(request) || typeof request['method'] !== 'string') {
        return { how: 'unanswerable', problem: 'it asks for something without a method' };
      }
      if (++asks > MAX_INPUTS) {
        return { how: 'unanswerable', problem: `it asks for more than ${MAX_INPUTS} things` };
      }
      inputs.set(key, { is: 'asked' });
      effects.push({ type: 'ask', key, request });
    } else if (phase.is === 'answered' && !phase.isOnItsWay) {
      inputs.set(key, { ...phase, isOnItsWay: true });
      responses[key] = phase.response;
    }
  }
  // Two states of the same moment may come in any order: the later one alone tells what is missing in it.
  if (isNewer) {
    for (const [key, { is }] of inputs) {
      if (is !== 'asked' || Object.hasOwn(inputRequests, key)) continue;
      // Somebody else has answered, or the task needs no answer any more.
      inputs.set(key, { is: 'withdrawn' });
      effects.push({ type: 'withdraw', key });
    }
  }
  if (Object.keys(responses).length > 0) effects.push({ type: 'update', responses });
  return { task: { ...task, inputs, asks }, effects };
}

function inputAnswered(task: FollowedTask, key: string, response: unknown): TaskStep {
  if (task.inputs.get(key)?.is !== 'asked') return { task, effects: [] };
  const inputs = new Map(task.inputs).set(key, {
    is: 'answered',
    response,
    isOnItsWay: true,
    refusals: 0,
  });
  const effects: TaskEffect[] = [
    { type: 'alive' },
    { type: 'update', responses: Object.fromEntries([[key, response]]) },
  ];
  return { task: { ...task, inputs }, effects };
}

function inputFailed(task: FollowedTask, key: string, cause: Error): TaskStep {
  if (task.inputs.get(key)?.is !== 'asked') return { task, effects: [] };
  const inputs = new Map(task.inputs).set(key, { is: 'settled' });
  return ended({ ...task, inputs }, { how: 'unanswerable', problem: cause.message, cause });
}

function settled(inputs: FollowedTask['inputs'], keys: readonly string[]): FollowedTask['inputs'] {
  const next = new Map(inputs);
  for (const key of keys) if (next.get(key)?.is === 'answered') next.set(key, { is: 'settled' });
  return next;
}

/** The answers are sent again when the server asks for them again, but not for ever. */
function updateFailed(task: FollowedTask, keys: readonly string[], cause?: Error): TaskStep {
  const inputs = new Map(task.inputs);
  let isTooOften = false;
  for (const key of keys) {
    const phase = inputs.get(key);
    if (phase?.is !== 'answered') continue;
    const refusals = phase.refusals + (cause === undefined ? 0 : 1);
    isTooOften ||= refusals >= MAX_FAILURES;
    inputs.set(key, { ...phase, isOnItsWay: false, refusals });
  }
  const next = { ...task, inputs };
  if (!isTooOften || cause === undefined) return { task: next, effects: [] };
  const problem = `its server does not take the answer: ${cause.message}`;
  return ended(next, { how: 'unanswerable', problem, cause });
}
