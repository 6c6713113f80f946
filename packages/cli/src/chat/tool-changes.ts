import { isDeepStrictEqual } from 'node:util';
import { isJsonObject } from '../json-object.js';
import { visibleJson } from '../sanitize.js';

/** Nobody reads more than this. */
const maxLines = 40;
const maxValueLength = 600;

/** How much equal text is shown before a difference. */
const contextLength = 30;

/** The differences between two values, a line each. */
export function changesOf(before: unknown, now: unknown): string[] {
  const lines = changesAt('', before, now);
  if (lines.length <= maxLines) return lines;
  return [...lines.slice(0, maxLines), `  and ${lines.length - maxLines} more changes`];
}

function changesAt(path: string, before: unknown, now: unknown): string[] {
  if (isDeepStrictEqual(before, now)) return [];
  if (isJsonObject(before) && isJsonObject(now)) {
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

/** Where two texts differ, with some context before it. */
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
