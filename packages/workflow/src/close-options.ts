import { isObject } from '@longwire/client/internal';

/** A run that did not finish before the workflow was closed. */
export interface CutRun {
  /** Its id, as in the log of runs, the journal and the dead-letter file. */
  run: string;
  /** The trigger that began it. */
  trigger: string;
}

/** How to close a workflow. */
export interface WorkflowCloseOptions {
  /** How long the runs that are taken may take to finish, in milliseconds. Default 0. */
  drainMs?: number;
  /**
   * Called at the end with each run that did not finish: the next process with the journal resumes it, or
   * it is a dead letter with the code `stopped`.
   */
  onCut?: (run: CutRun) => void;
}

/**
 * Checks the options.
 *
 * @throws TypeError that names the option.
 */
export function checkCloseOptions(options: WorkflowCloseOptions): void {
  if (!isObject(options)) throw new TypeError('options must be an object');
  for (const name of Object.keys(options)) {
    if (name === 'drainMs' || name === 'onCut') continue;
    throw new TypeError(`${name} is not an option; there are drainMs, onCut`);
  }
  const { drainMs, onCut } = options;
  if (drainMs !== undefined && !(typeof drainMs === 'number' && drainMs >= 0)) {
    throw new TypeError(`drainMs must be a number from 0, not ${JSON.stringify(drainMs)}`);
  }
  if (onCut !== undefined && typeof onCut !== 'function') {
    throw new TypeError('onCut must be a function');
  }
}
