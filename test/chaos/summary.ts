import type { CallRecord, Violation } from './check-run.ts';
import type { Mishap } from './rig.ts';

/** Memory after a garbage collection, if the process lets one be asked for. */
export interface MemorySample {
  calls: number;
  heapUsedBytes: number;
  rssBytes: number;
}

/** What happened in a run. */
export interface ChaosSummary {
  /** What all that was random followed from. */
  seed: number;
  /** What the calls were made over. */
  variant: string;
  calls: number;
  faults: Readonly<Partial<Record<Mishap, number>>>;
  faultCount: number;
  settled: number;
  succeeded: number;
  /** Failed calls by `code certainty`. */
  failed: Record<string, number>;
  hung: number;
  wrongResults: number;
  /** Calls that settled more than once, or told progress after they had. */
  duplicates: number;
  writesExecutedTwice: number;
  /** Runs of calls that may run twice, beyond the first of each. */
  repeatedExecutions: number;
  /** Sessions that the server opened. */
  sessions: number;
  /** How often one was taken up again. */
  resumptions: number;
  /** How often the client became ready after the first time. */
  reconnects: number;
  memory: MemorySample[];
  violations: Violation[];
}

/** The figures of a summary that follow from the records. */
export function countCalls(
  records: Iterable<CallRecord>,
  executionsOf: (key: number) => number,
): Pick<
  ChaosSummary,
  | 'settled'
  | 'succeeded'
  | 'failed'
  | 'hung'
  | 'wrongResults'
  | 'duplicates'
  | 'writesExecutedTwice'
  | 'repeatedExecutions'
> {
  const counts = {
    settled: 0,
    succeeded: 0,
    failed: {} as Record<string, number>,
    hung: 0,
    wrongResults: 0,
    duplicates: 0,
    writesExecutedTwice: 0,
    repeatedExecutions: 0,
  };
  for (const record of records) {
    const repeated = Math.max(0, executionsOf(record.key) - 1);
    if (record.settlements > 0) counts.settled += 1;
    if (record.outcome === 'hung') counts.hung += 1;
    if (record.outcome === 'succeeded') counts.succeeded += 1;
    if (record.outcome === 'succeeded' && !record.isRight) counts.wrongResults += 1;
    if (record.settlements > 1 || record.lateProgress > 0) counts.duplicates += 1;
    if (record.kind !== 'write') counts.repeatedExecutions += repeated;
    else if (repeated > 0) counts.writesExecutedTwice += 1;
    if (record.outcome === 'failed') {
      const how = `${record.code} ${record.certainty}`;
      counts.failed[how] = (counts.failed[how] ?? 0) + 1;
    }
  }
  return counts;
}

/** A summary for people. */
export function formatSummary(summary: ChaosSummary): string {
  const { violations, memory, ...rest } = summary;
  const mib = (bytes: number): string => (bytes / 2 ** 20).toFixed(1);
  const shown = violations.slice(0, 20).map(({ kind, what }) => `  ${kind}: ${what}`);
  const more = violations.length - shown.length;
  return [
    ...Object.entries(rest).map(([name, value]) => `${name}: ${JSON.stringify(value)}`),
    ...memory.map(
      ({ calls, heapUsedBytes, rssBytes }) =>
        `memory after ${calls} calls: heap ${mib(heapUsedBytes)} MiB, RSS ${mib(rssBytes)} MiB`,
    ),
    `violations: ${violations.length}`,
    ...shown,
    ...(more > 0 ? [`  and ${more} more`] : []),
  ].join('\n');
}
