import type { Trigger } from './definition.js';
import { notSent, Stopped, StepFailure, type Failure } from './failure.js';
import type { Run, RunLog, StepRecord } from './run.js';
import { StepRunner, type StepSurroundings } from './step-runner.js';

/** A run, and what was done of it before this process. */
export interface RunTask {
  run: Run;
  /** Undefined where there is none of that name any more. */
  trigger: Trigger | undefined;
  earlier: readonly StepRecord[];
  resumed: boolean;
  /** Why it fails before it begins. */
  refusal?: Failure;
}

/** What runs are made with. */
export interface RunSurroundings extends StepSurroundings {
  workflow: string;
  /** Told of every run that is over, before that is written down. */
  onEnd: (log: RunLog) => void | Promise<void>;
  /** Gives up an event. */
  giveUp: (run: Run, error: Failure) => Promise<void>;
  /** Writes down that a run is over. */
  finish: (run: Run) => Promise<void>;
}

/**
 * Takes a run to its end; what it says is how, or `stopped`: it is to be gone on with.
 *
 * What tells of the end comes before it is written down, so that after a crash in between a run
 * may be told of twice, and never not at all.
 *
 * @throws what writing down throws.
 */
export async function takeRun(
  task: RunTask,
  surroundings: RunSurroundings,
): Promise<RunLog['outcome'] | 'stopped'> {
  const { run, earlier, resumed } = task;
  const steps = new StepRunner(run, earlier, surroundings);
  const startedAt = new Date();
  let end: { outcome: 'done' | 'caught' | 'dead'; error?: Failure };
  try {
    end = await outcomeOf(task, steps);
  } catch (error) {
    if (error instanceof Stopped) return 'stopped';
    throw error;
  }
  if (end.outcome === 'dead' && end.error !== undefined) await surroundings.giveUp(run, end.error);
  const outcome = surroundings.dryRun && end.outcome === 'done' ? 'dry-run' : end.outcome;
  await surroundings.onEnd({
    run: run.id,
    workflow: surroundings.workflow,
    trigger: run.trigger,
    event: run.event,
    ...end,
    outcome,
    steps: [...steps.records.values()],
    startedAt: startedAt.toISOString(),
    durationMs: Date.now() - startedAt.getTime(),
    resumed,
  });
  await surroundings.finish({ ...run, ...end, finishedAt: new Date().toISOString() });
  return outcome;
}

async function outcomeOf(
  { run, trigger, earlier, refusal }: RunTask,
  steps: StepRunner,
): Promise<{ outcome: 'done' | 'caught' | 'dead'; error?: Failure }> {
  if (refusal !== undefined) return { outcome: 'dead', error: refusal };
  // A run of which nothing was begun is as good as new.
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
