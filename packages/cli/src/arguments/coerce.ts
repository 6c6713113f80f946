import { DEFAULT_JSON_BOUNDS, parseExactJson } from '@longwire/client/internal';
import { isJsonObject } from '../json-object.js';
import {
  allowedValues,
  alternatives,
  asSchema,
  describeType,
  typeOf,
  type Schema,
} from './schema.js';

/** A text converted to a type of the schema, or the type that was expected. */
export type Coerced = { ok: true; value: unknown } | { ok: false; expected: string };

/**
 * Converts a text to the first type of the schema that fits. Lists are written as JSON or with commas.
 * Without a type, text stays text. If both a number and a text fit, it is a number only if JSON writes
 * that number the same way: `007`, `+49301234`, `1e5` and integers beyond 2^53 are texts.
 */
export function coerce(text: string, schema: unknown, root: Schema): Coerced {
  let expected: string | undefined;
  const plains = alternatives(schema, root);
  const mayBeText = plains.some(isText);
  for (const plain of plains) {
    const coerced = coercePlain(text, plain, root);
    if (coerced.ok && mayBeText && typeof coerced.value === 'bigint') continue;
    if (coerced.ok && typeof coerced.value === 'number' && mayBeText) {
      if (String(coerced.value) !== text) continue;
    }
    if (coerced.ok) return coerced;
    expected ??= coerced.expected;
  }
  return {
    ok: false,
    expected: plains.length > 1 ? describeType(schema, root) : (expected ?? 'any'),
  };
}

function isText(schema: Schema): boolean {
  return (typeOf(schema) ?? 'string') === 'string' && allowedValues(schema) === undefined;
}

function coercePlain(text: string, schema: Schema, root: Schema): Coerced {
  const values = allowedValues(schema);
  if (values !== undefined) {
    const index = values.findIndex((value) => spelling(value) === text);
    const spellings = values.map(spelling).join(', ');
    return index === -1
      ? { ok: false, expected: values.length === 1 ? spellings : `one of ${spellings}` }
      : { ok: true, value: values[index] };
  }
  switch (typeOf(schema)) {
    case 'integer':
      return number(text, { integer: true });
    case 'number':
      return number(text, { integer: false });
    case 'boolean':
      if (text === 'true' || text === 'false') return { ok: true, value: text === 'true' };
      return { ok: false, expected: 'true or false' };
    case 'null':
      return text === 'null' ? { ok: true, value: null } : { ok: false, expected: 'null' };
    case 'array':
      return list(text, schema, root);
    case 'object':
      return object(text);
    default:
      return { ok: true, value: text };
  }
}

function number(text: string, options: { integer: boolean }): Coerced {
  const value = Number(text);
  // An integer is sent as it is written, however large.
  if (/^-?[1-9]\d{15,}$/.test(text) && String(value) !== text)
    return { ok: true, value: BigInt(text) };
  const isNumeral = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?$/i.test(text);
  if (!options.integer) {
    return isNumeral && Number.isFinite(value)
      ? { ok: true, value }
      : { ok: false, expected: 'a number' };
  }
  return isNumeral && Number.isSafeInteger(value)
    ? { ok: true, value }
    : { ok: false, expected: 'a whole number' };
}

function list(text: string, schema: Schema, root: Schema): Coerced {
  if (text.trimStart().startsWith('[')) {
    const value = json(text);
    if (Array.isArray(value)) return { ok: true, value };
    return { ok: false, expected: 'a list: JSON such as ["a","b"], or a,b' };
  }
  const items: unknown[] = [];
  for (const part of text === '' ? [] : text.split(',')) {
    const item = coerce(part.trim(), asSchema(schema['items']), root);
    if (!item.ok) return { ok: false, expected: `a list in which each item is ${item.expected}` };
    items.push(item.value);
  }
  return { ok: true, value: items };
}

function object(text: string): Coerced {
  const value = json(text);
  return isJsonObject(value) ? { ok: true, value } : { ok: false, expected: 'a JSON object' };
}

function json(text: string): unknown {
  try {
    return parseExactJson(text, DEFAULT_JSON_BOUNDS);
  } catch {
    return undefined;
  }
}

function spelling(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
