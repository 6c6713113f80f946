import type { Workflow } from './definition.js';
import type { RunLog } from './run.js';
import type { Servers } from './tools.js';

/** Options of `createWorkflow`. */
export interface WorkflowOptions {
  /** The servers, by the names that the workflow calls them. They stay the program's to close. */
  servers: Servers;
  /**
   * The directory of the journal, created if it is missing. With it, runs are resumed after a crash.
   * One process at a time may use it. It holds events, arguments and results. Default: none.
   */
  journal?: string;
  /**
   * A file to which every event that could not be handled is added, as a line of JSON. Default:
   * such events are only counted and logged.
   */
  deadLetterFile?: string;
  /**
   * Called with every finished run, which ends when the returned promise does. After a crash it may
   * be called twice for a run. Default: nothing is logged.
   */
  log?: (run: RunLog) => void | Promise<void>;
  /** How many runs are active at a time. Default: the workflow's own value. */
  concurrency?: number;
  /** How many runs may wait; further events fail with `queue-full`. Default 10 000. */
  maxQueued?: number;
  /** Calls and writes nothing; `log` gets what would be called. Default `false`. */
  dryRun?: boolean;
  /** Stops the workflow. Default: none. */
  signal?: AbortSignal;
}

/** Options with the defaults filled in. */
export interface ResolvedWorkflowOptions extends WorkflowOptions {
  concurrency: number;
  maxQueued: number;
  dryRun: boolean;
}

const names: readonly (keyof WorkflowOptions)[] = [
  'servers',
  'journal',
  'deadLetterFile',
  'log',
  'concurrency',
  'maxQueued',
  'dryRun',
  'signal',
];

/**
 * Checks the options and fills in the defaults.
 *
 * @throws TypeError that names the option.
 */
export function resolveOptions(
  workflow: Workflow,
  options: WorkflowOptions,
): ResolvedWorkflowOptions {
  for (const name of Object.keys(options)) {
    if (!(names as readonly string[]).includes(name)) {
      throw new TypeError(`${name}: no such option; there are ${names.join(', ')}`);
    }
  }
  const { servers, concurrency = workflow.concurrency, maxQueued = 10_000 } = options;
  if (typeof servers !== 'object' || servers === null)
    throw new TypeError('servers: not an object');
  for (const name of Object.keys(servers)) {
    if (name === '' || name.includes('/')) {
      throw new TypeError(`servers: the name ${JSON.stringify(name)} is empty or has a / in it`);
    }
  }
  for (const [name, value] of Object.entries({ concurrency, maxQueued })) {
    if (!Number.isInteger(value) || value < 1) {
      throw new TypeError(`${name}: ${String(value)} is not a whole number above 0`);
    }
  }
  return { ...options, concurrency, maxQueued, dryRun: options.dryRun ?? false };
}
