import type { RunOutcome } from './run.js';

/** What a workflow has done since it was started. */
export interface WorkflowStats {
  /** Events that match a trigger, regardless of its condition. */
  events: number;
  /** Events, or keys, that were taken before. */
  duplicates: number;
  /** Events that failed because too many runs waited. */
  overflowed: number;
  /** Finished runs, by outcome; superseded ones were not begun. */
  runs: Record<RunOutcome | 'dry-run', number>;
  /** Runs that wait, debounced ones included. */
  queued: number;
  /** Active runs. */
  running: number;
}
