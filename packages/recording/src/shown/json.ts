import { isCut } from '../values.js';

/** Whether this has members: no array, no `null`. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A value as indented JSON; of one that was cut, the beginning as it was kept. */
export function prettyJson(value: unknown): string {
  if (isCut(value)) return value.cut;
  return JSON.stringify(value, null, 2) ?? '';
}

/** A value as JSON on one line; a text as it is; nothing for `undefined`. */
export function lineJson(value: unknown): string {
  if (isCut(value)) return `${value.cut}…`;
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
}
