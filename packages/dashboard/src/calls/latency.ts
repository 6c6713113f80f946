import type { CallPicture } from '@longwire/recording';
import type { OutcomeName } from '@longwire/recording/shown';

/** How calls end, in the order of a bar from its foot. */
export const ENDED_OUTCOMES = ['error', 'tool-error', 'result'] as const satisfies OutcomeName[];

/** Calls that took longer than one duration, and at most another. */
export interface DurationBucket {
  readonly fromMs: number;
  /** `Infinity` for the last one. */
  readonly toMs: number;
  readonly counts: Record<(typeof ENDED_OUTCOMES)[number], number>;
}

/** How long the calls of one tool took, or those of another method. */
export interface ToolLatency {
  readonly server: string;
  /** The terms of the filter that find it: a tool by its name, anything else by its method. */
  readonly key: 'tool' | 'method';
  readonly name: string;
  readonly count: number;
  /** How many failed, or whose tool said that it failed. */
  readonly errors: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly maxMs: number;
}

const BOUNDS_MS = [
  0, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 60_000,
] as const;

/** How many calls took how long, on a scale that grows by factors; without what is empty at both ends. */
export function durationBuckets(calls: Iterable<CallPicture>): DurationBucket[] {
  const buckets = BOUNDS_MS.map((fromMs, index): DurationBucket => ({
    fromMs,
    toMs: BOUNDS_MS[index + 1] ?? Number.POSITIVE_INFINITY,
    counts: { result: 0, 'tool-error': 0, error: 0 },
  }));
  for (const { end } of calls) {
    if (end === undefined) continue;
    const bucket = buckets.find(({ toMs }) => end.durationMs <= toMs);
    if (bucket !== undefined) bucket.counts[end.outcome]++;
  }
  const first = buckets.findIndex((bucket) => countOf(bucket) > 0);
  const last = buckets.findLastIndex((bucket) => countOf(bucket) > 0);
  return first === -1 ? [] : buckets.slice(first, last + 1);
}

/** How many calls are in it. */
export function countOf({ counts }: DurationBucket): number {
  return counts.result + counts['tool-error'] + counts.error;
}

/** What `duration:` has to be for the calls of this bucket, and no others. */
export function durationValues({ fromMs, toMs }: DurationBucket): string[] {
  return [
    ...(fromMs > 0 ? [`>${inUnits(fromMs)}`] : []),
    ...(Number.isFinite(toMs) ? [`<=${inUnits(toMs)}`] : []),
  ];
}

function inUnits(ms: number): string {
  return ms < 1000 ? `${ms}ms` : `${ms / 1000}s`;
}

/** Calls that ended by server and tool, or method. Tools come first; the order does not change by itself. */
export function toolLatencies(calls: Iterable<CallPicture>): ToolLatency[] {
  const groups = new Map<string, CallPicture[]>();
  for (const call of calls) {
    if (call.end === undefined) continue;
    const key = JSON.stringify([call.server, ...nameOf(call)]);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [call]);
    else group.push(call);
  }
  return [...groups]
    .map(([key, group]) => {
      const [server, by, name] = JSON.parse(key) as [string, ToolLatency['key'], string];
      const durations = Float64Array.from(group, ({ end }) => end?.durationMs ?? 0).sort();
      const at = (share: number): number => durations[Math.ceil(group.length * share) - 1] ?? 0;
      return {
        server,
        key: by,
        name,
        count: group.length,
        errors: group.filter(({ end }) => end?.outcome !== 'result').length,
        p50Ms: at(0.5),
        p95Ms: at(0.95),
        maxMs: at(1),
      };
    })
    .toSorted(
      (one, other) =>
        other.key.localeCompare(one.key) ||
        one.server.localeCompare(other.server) ||
        one.name.localeCompare(other.name),
    );
}

function nameOf({ method, name }: CallPicture): [ToolLatency['key'], string] {
  return method === 'tools/call' && name !== undefined ? ['tool', name] : ['method', method];
}
