import type { Context } from '../context.js';
import { formatDuration } from '../durations.js';
import { errorAsJson } from '../report-error.js';
import { sanitizeLine, visibleJson } from '../sanitize.js';
import type { CheckOutcome } from './run-check.js';

/** Characters of the arguments on the line of a check. */
const maxArguments = 80;

const words = { held: 'held', 'not-held': 'not held', failed: 'failed' } as const;

/** Prints a line of what became of a check, and below it what differs or failed. */
export function printOutcome({ terminal, redactor }: Context, outcome: CheckOutcome): void {
  const { check, verdict, durationMs } = outcome;
  const { server, tool, arguments: args } = check;
  const { green, red, dim } = terminal.colors;
  const isHeld = verdict.outcome === 'held';
  const call = [server, tool, ...(args === undefined ? [] : [shortened(visibleJson(args))])];
  terminal.print(
    [
      (isHeld ? green : red)(words[verdict.outcome].padEnd(8)),
      redactor.message(sanitizeLine(call.join(' '))),
      ...(durationMs === undefined ? [] : [dim(formatDuration(durationMs))]),
    ].join('  '),
  );
  for (const line of linesOf(verdict)) terminal.print(`          ${redactor.message(line)}`);
}

/** Prints how many checks held. */
export function printSummary({ terminal }: Context, outcomes: readonly CheckOutcome[]): void {
  const { held, notHeld, failed } = countsOf(outcomes);
  const parts = [
    `${held} held`,
    ...(notHeld > 0 ? [`${notHeld} not held`] : []),
    ...(failed > 0 ? [`${failed} failed`] : []),
  ];
  terminal.remark(`${parts.join(', ')}.`);
}

/** What `--json` prints. */
export function toDocument(context: Context, outcomes: readonly CheckOutcome[]): object {
  return {
    ...countsOf(outcomes),
    checks: outcomes.map(({ check, verdict, durationMs, failure }) => ({
      ...check,
      outcome: verdict.outcome,
      ...(durationMs !== undefined && { durationMs: Math.round(durationMs) }),
      ...(verdict.outcome === 'not-held' && {
        differences: verdict.differences.map((line) => context.redactor.message(line)),
      }),
      ...(failure !== undefined && {
        error: errorAsJson(failure.error, { ...context, requests: failure.requests }),
      }),
    })),
  };
}

function countsOf(outcomes: readonly CheckOutcome[]): {
  held: number;
  notHeld: number;
  failed: number;
} {
  const count = (wanted: CheckOutcome['verdict']['outcome']): number =>
    outcomes.filter(({ verdict }) => verdict.outcome === wanted).length;
  return { held: count('held'), notHeld: count('not-held'), failed: count('failed') };
}

function linesOf(verdict: CheckOutcome['verdict']): string[] {
  if (verdict.outcome === 'held') return [];
  const lines = verdict.outcome === 'failed' ? [verdict.reason] : verdict.differences;
  return lines.map((line) => sanitizeLine(line, 400));
}

function shortened(text: string): string {
  return text.length <= maxArguments ? text : `${text.slice(0, maxArguments - 1)}…`;
}
