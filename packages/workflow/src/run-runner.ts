import type { Trigger } from './definition.js';
import { notSent, Stopped, StepFailure, type Failure } from './failure.js';
import type { Run, RunLog, StepRecord } from './run.js';
import { StepRunner, type StepRunnerOptions } from './step-runner.js';

/** A run, and the steps that an earlier process took. */
export interface RunTask {
  run: Run;
  /** Undefined if the workflow no longer has it. */
  trigger: Trigger | undefined;
  earlier: readonly StepRecord[];
  resumed: boolean;
  /** Why it fails before it begins. */
  failure?: Failure;
}

/** What runs share. */
export interface RunOptions extends StepRunnerOptions {
  workflow: string;
  /** Called for every run that has ended, before that is written. */
  onEnd: (log: RunLog) => void | Promise<void>;
  /** Called for a run that failed for good. */
  onDead: (run: Run, error: Failure) => Promise<void>;
}

/**
 * Runs to the end and returns the outcome, or `stopped` if the run is to be resumed.
 *
 * The end is reported before it is written: after a crash in between, a run is reported twice, never
 * not at all.
 *
 * @throws what writing throws.
 */
export async function takeRun(
  task: RunTask,
  options: RunOptions,
): Promise<RunLog['outcome'] | 'stopped'> {
  const { run, earlier, resumed } = task;
  const steps = new StepRunner(run, earlier, options);
  const startedAt = new Date();
  let end: { outcome: 'done' | 'caught' | 'dead'; error?: Failure };
  try {
    end = await outcomeOf(task, steps);
  } catch (error) {
    if (error instanceof Stopped) return 'stopped';
    throw error;
  }
  if (end.outcome === 'dead' && end.error !== undefined) await options.onDead(run, end.error);
  const outcome = options.dryRun && end.outcome === 'done' ? 'dry-run' : end.outcome;
  await options.onEnd({
    run: run.id,
    workflow: options.workflow,
    trigger: run.trigger,
    event: run.event,
    ...end,
    outcome,
    steps: [...steps.records.values()],
    startedAt: startedAt.toISOString(),
    durationMs: Date.now() - startedAt.getTime(),
    resumed,
  });
  await options.journal?.finish({ ...run, ...end, finishedAt: new Date().toISOString() });
  return outcome;
}

async function outcomeOf(
  { run, trigger, earlier, failure: early }: RunTask,
  steps: StepRunner,
): Promise<{ outcome: 'done' | 'caught' | 'dead'; error?: Failure }> {
  if (early !== undefined) return { outcome: 'dead', error: early };
  // A run without a begun step may use the new steps.
  if (!trigger || (earlier.length > 0 && trigger.fingerprint !== run.fingerprint)) {
    const message = `the steps of ${run.trigger} are not those with which the run was begun`;
    return { outcome: 'dead', error: notSent('workflow-changed', message) };
  }
  try {
    await steps.inOrder(trigger.steps);
    return { outcome: 'done' };
  } catch (error) {
    if (!(error instanceof StepFailure)) throw error;
    const { failure } = error;
    if (trigger.catch.length === 0) return { outcome: 'dead', error: failure };
    return recover(trigger, steps, failure);
  }
}

async function recover(
  trigger: Trigger,
  steps: StepRunner,
  failure: Failure,
): Promise<{ outcome: 'caught' | 'dead'; error: Failure }> {
  steps.fail(failure);
  try {
    await steps.inOrder(trigger.catch);
    return { outcome: 'caught', error: failure };
  } catch (error) {
    if (!(error instanceof StepFailure)) throw error;
    const message = `${failure.message}; and then in the error branch: ${error.failure.message}`;
    return { outcome: 'dead', error: { ...failure, message } };
  }
}
