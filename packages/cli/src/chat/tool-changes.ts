import { isDeepStrictEqual } from 'node:util';
import { visibleJson } from '../sanitize.js';

/** More than this nobody reads. */
const maxLines = 40;
const maxValueLength = 600;

/** How much of what is the same is shown before a difference. */
const contextLength = 30;

/** What is another in the second than in the first, a line each. */
export function changesOf(before: unknown, now: unknown): string[] {
  const lines = changesAt('', before, now);
  if (lines.length <= maxLines) return lines;
  return [...lines.slice(0, maxLines), `  and ${lines.length - maxLines} more changes`];
}

function changesAt(path: string, before: unknown, now: unknown): string[] {
  if (isDeepStrictEqual(before, now)) return [];
  if (isObject(before) && isObject(now)) {
    const keys = new Set([...Object.keys(before), ...Object.keys(now)]);
    return [...keys].flatMap((key) => {
      const name = /^\w+$/.test(key) ? key : visibleJson(key);
      return changesAt(path === '' ? name : `${path}.${name}`, before[key], now[key]);
    });
  }
  if (before === undefined) return [`  ${path}: new: ${cut(now)}`];
  if (now === undefined) return [`  ${path}: gone: ${cut(before)}`];
  const from =
    typeof before === 'string' && typeof now === 'string' ? firstDifference(before, now) : 0;
  return [`  ${path}: ${cut(before, from)} → ${cut(now, from)}`];
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** From where two texts differ, with what it takes to find the place. */
function firstDifference(one: string, other: string): number {
  let at = 0;
  while (at < one.length && one[at] === other[at]) at++;
  const start = Math.max(0, at - contextLength);
  return start < contextLength ? 0 : start;
}

function cut(value: unknown, from = 0): string {
  const begun = typeof value === 'string' && from > 0 ? `…${value.slice(from)}` : value;
  const text = visibleJson(begun);
  if (text.length <= maxValueLength) return text;
  return `${text.slice(0, maxValueLength)}… (${text.length - maxValueLength} more characters)`;
}
