import { usageError } from './command-error.js';

const unitMs = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const;

/** The longest that a timer of Node can wait, about 24.8 days. */
const maxDurationMs = 2 ** 31 - 1;

/**
 * Reads `500ms`, `30s`, `1.5m` or `2h`; a bare number is seconds. The answer is in whole milliseconds.
 *
 * @throws LongwireError (usage) that names the option.
 */
export function parseDuration(text: string, option: string): number {
  const match = /^(\d+(?:\.\d+)?|\.\d+)(ms|s|m|h)?$/.exec(text.trim());
  if (match === null) {
    throw usageError(`${option} "${text}" is not a duration, such as 30s, 10m or 500ms`);
  }
  const [, number, unit = 's'] = match;
  const durationMs = Math.round(Number(number) * unitMs[unit as keyof typeof unitMs]);
  if (durationMs < 1) throw usageError(`${option} must be longer than zero`);
  if (durationMs > maxDurationMs)
    throw usageError(`${option} "${text}" is over the limit of 24 days`);
  return durationMs;
}

/** A duration for people: `34 ms`, `2.1 s`, `3 min`. */
export function formatDuration(durationMs: number): string {
  if (durationMs < 1000) return `${Math.round(durationMs)} ms`;
  if (durationMs < 120_000) return `${Number((durationMs / 1000).toFixed(1))} s`;
  return `${Math.round(durationMs / 60_000)} min`;
}
