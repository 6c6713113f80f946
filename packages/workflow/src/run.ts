import type { WorkflowEvent } from './event.js';
import type { Failure } from './failure.js';
import type { Chain } from './loop-guard.js';

/**
 * How a run ended:
 *
 * - `done`: all its steps are done.
 * - `caught`: a step failed, and the error branch is done.
 * - `dead`: it failed, and so did its error branch, if any. It is in the dead-letter file.
 * - `superseded`: a later event of the same key came before it began (debouncing).
 */
export type RunOutcome = 'done' | 'caught' | 'dead' | 'superseded';

/** One event that is handled by one trigger. */
export interface Run {
  /** The order in which runs were taken. */
  seq: number;
  id: string;
  /** The name of the trigger. */
  trigger: string;
  /** Of the trigger's steps, when the run was taken. */
  fingerprint: string;
  event: WorkflowEvent;
  /** The value of the trigger's `key`: of the runs with the same value, one runs at a time. */
  key?: string;
  /** The id of the dead run whose event this run retries. */
  retryOf?: string;
  chain: Chain;
  /** Undefined until it is finished. */
  outcome?: RunOutcome;
  /** Why it is `caught` or `dead`. */
  error?: Failure;
  /** When it was finished, in ISO 8601. */
  finishedAt?: string;
}

/** Runs with the same value must not run at the same time; undefined: no restriction. */
export function exclusionKey({ trigger, key }: Run): string | undefined {
  return key === undefined ? undefined : JSON.stringify([trigger, key]);
}

/**
 * The state of a step:
 *
 * - `waiting`: it is to be called; its arguments are known.
 * - `begun`: the tool is being called. After a restart, the outcome of that call is unknown, unless it has
 *   become a `task`, which is taken up.
 * - `done`, `failed`, `skipped`: it is finished.
 */
export type StepState = 'waiting' | 'begun' | 'done' | 'failed' | 'skipped';

/** A task that a server has made of the call of a step. */
export interface StepTask {
  taskId: string;
  /** What the server is called by the source that was called. */
  server: string;
}

/** What is known of a step of a run. */
export interface StepRecord {
  /** Where it is in its trigger, as in `then[1].call`. */
  path: string;
  id: string;
  state: StepState;
  /** What is called, as `server/tool`. */
  call?: string;
  arguments?: Record<string, unknown>;
  /** For whom it is called, by the `as` of the file. */
  principal?: string;
  /** How often it was called. */
  attempts?: number;
  /** What the latest call has become; noted with a journal only. */
  task?: StepTask;
  result?: unknown;
  error?: Failure;
  /** When it was begun, in ISO 8601. */
  startedAt: string;
  /** How long it took, retries and delays included. */
  durationMs?: number;
}

/** A finished run as it is logged, in the order in which runs end. */
export interface RunLog {
  run: string;
  workflow: string;
  trigger: string;
  event: WorkflowEvent;
  outcome: RunOutcome | 'dry-run';
  /** The steps that were begun, failed or skipped, in that order. */
  steps: readonly StepRecord[];
  error?: Failure;
  /** When its first step was begun; a resumed run was begun earlier. */
  startedAt: string;
  durationMs: number;
  /** A process ended during the run, and another one resumed it. */
  resumed: boolean;
}
