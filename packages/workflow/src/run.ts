import type { WorkflowEvent } from './event.js';
import type { Failure } from './failure.js';
import type { Chain } from './loop-guard.js';

/**
 * How a run ended:
 *
 * - `done`: all its steps are done.
 * - `caught`: a step failed, and the error branch is done.
 * - `dead`: it failed, and so did its error branch if it has one. It is in the dead-letter file.
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
  /** What the trigger's `key` says of the event: of the runs with it, one goes on at a time. */
  key?: string;
  /** The id of the run that was given up, and whose event this one takes again. */
  retryOf?: string;
  chain: Chain;
  /** Undefined as long as it is not over. */
  outcome?: RunOutcome;
  /** Why it is `caught` or `dead`. */
  error?: Failure;
  /** When it was over, in ISO 8601. */
  finishedAt?: string;
}

/** What a run shares with those that must not go on beside it; undefined: it has none. */
export function exclusionKey({ trigger, key }: Run): string | undefined {
  return key === undefined ? undefined : JSON.stringify([trigger, key]);
}

/**
 * Where a step stands:
 *
 * - `waiting`: it is to be called; its arguments are known.
 * - `begun`: the tool is being called. Found at the start, the outcome of that call is not known.
 * - `done`, `failed`, `skipped`: it is over.
 */
export type StepState = 'waiting' | 'begun' | 'done' | 'failed' | 'skipped';

/** What is known of a step of a run. */
export interface StepRecord {
  /** Where it is in its trigger, as in `then[1].call`. */
  path: string;
  id: string;
  state: StepState;
  /** What is called, as `server/tool`. */
  call?: string;
  arguments?: Record<string, unknown>;
  /** How often it was called. */
  attempts?: number;
  result?: unknown;
  error?: Failure;
  /** When it was begun, in ISO 8601. */
  startedAt: string;
  /** How long it took, retries and what lies between them included. */
  durationMs?: number;
}

/** A run that is over, as it is logged: one for each, in the order in which they end. */
export interface RunLog {
  run: string;
  workflow: string;
  trigger: string;
  event: WorkflowEvent;
  outcome: RunOutcome | 'dry-run';
  /** The steps that were begun, failed or left out, in the order in which they were. */
  steps: readonly StepRecord[];
  error?: Failure;
  /** When its first step was begun; a resumed run was begun earlier. */
  startedAt: string;
  durationMs: number;
  /** The process ended while it went on, and another one went on with it. */
  resumed: boolean;
}
