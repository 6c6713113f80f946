import { toJson } from '@longwire/client';
import { WorkflowError, type RunLog, type WorkflowStats } from '@longwire/workflow';
import type { Context } from '../context.js';
import { formatDuration } from '../durations.js';
import type { ExitCode } from '../exit-codes.js';
import { errorAsJson } from '../report-error.js';
import { sanitizeLine } from '../sanitize.js';

/** Prints finished runs; of a dry run, what would be called. */
export function createRunPrinter({ terminal, options }: Context): (run: RunLog) => void {
  const { colors } = terminal;
  return (run) => {
    if (options.json) return terminal.json(run, { lines: true });
    const { trigger, event, outcome, steps, durationMs, error } = run;
    const about = `${event.name} of ${event.server}`;
    if (outcome === 'dry-run') {
      terminal.print(sanitizeLine(`${trigger} on ${about} would call`));
      for (const { call, arguments: given, state, principal } of steps) {
        if (state === 'skipped') continue;
        const as = principal === undefined ? '' : ` as ${principal}`;
        terminal.print(`  ${sanitizeLine(`${call ?? ''} ${toJson(given)}${as}`)}`);
      }
      return;
    }
    const calls = steps.flatMap(({ call = '', attempts, state, task }) => {
      if (attempts === undefined) return [];
      // Whoever looks into a failure can ask for it.
      return state === 'failed' && task !== undefined ? [`${call} (task ${task.taskId})`] : [call];
    });
    const told = error === undefined ? '' : ` (${error.code}: ${error.message})`;
    const line = `${trigger} on ${about}: ${outcome}, ${calls.join(', ') || 'nothing called'}, ${formatDuration(durationMs)}${told}`;
    const time = colors.dim(event.at);
    const shown = sanitizeLine(line);
    terminal.print(`${time} ${outcome === 'done' ? shown : colors.yellow(shown)}`);
  };
}

/** The counts of a workflow, on one line. */
export function summary({ events, duplicates, overflowed, runs, queued }: WorkflowStats): string {
  const counts: [number, string][] = [
    [runs.done, 'done'],
    [runs['dry-run'], 'shown'],
    [runs.caught, 'caught by the error branch'],
    [runs.dead, 'failed'],
    [runs.superseded, 'superseded'],
    [duplicates, 'taken before'],
    [overflowed, 'dropped because too many waited'],
    [queued, 'left'],
  ];
  const told = counts.flatMap(([count, words]) => (count > 0 ? [`${count} ${words}`] : []));
  return `${events} event${events === 1 ? '' : 's'}${told.length > 0 ? `: ${told.join(', ')}` : ''}.`;
}

/** Says how many events matched no trigger. */
export function unmatchedRemark(unmatched: number, all: number): string {
  return `No trigger is about ${unmatched} of the ${all} events: see "on" and "from" of the workflow.`;
}

/** Prints the mistakes of a workflow, one on each line; rethrows any other error. */
export function reportProblems(context: Context, error: unknown): ExitCode {
  const { terminal, options } = context;
  if (!(error instanceof WorkflowError)) throw error;
  for (const line of error.message.split('\n')) {
    terminal.error(`${terminal.remarkColors.red('error:')} ${sanitizeLine(line)}`);
  }
  const document = { code: 'config', certainty: 'not-sent', ...errorAsJson(error, context) };
  if (options.json) terminal.json({ error: document }, { lines: true });
  return 2;
}
