import { randomUUID } from 'node:crypto';
import { checkJson, endOfString, type JsonBounds } from './json.js';

/** Shorter integers never change. The search is fast: it looks at each sixteenth character only. */
const MANY_DIGITS = /\d{16}/;

/** An integer with more digits is no number to count with, and would take long to read. */
const MAX_DIGITS = 4096;

/** The beginning of a text for an integer, where only numbers and texts are known. It cannot be guessed. */
const MARK = `integer ${randomUUID()} `;

const MARKED = new RegExp(`${MARK}(-?\\d+)`, 'g');
const MARKED_IN_JSON = new RegExp(`"${MARK}(-?\\d+)"`, 'g');

/**
 * `JSON.parse` of a text that somebody else wrote, within bounds, in which no integer changes: one
 * that a number would not give back digit by digit is a `bigint`.
 *
 * @throws SyntaxError if it is no JSON; LongwireError `limit-exceeded` if it is over a bound.
 */
export function parseExactJson(text: string, bounds: JsonBounds): unknown {
  checkJson(text, bounds);
  const marked = mayChange(text) ? markIntegers(text) : text;
  return marked === text ? JSON.parse(text) : withIntegers(JSON.parse(marked));
}

/** Whether a text may hold an integer that a number would change; `false` is certain. */
export function mayChange(text: string): boolean {
  return MANY_DIGITS.test(text);
}

/** `JSON.stringify` that writes each `bigint` as the integer that it is. */
export function toJson(value: unknown, space?: number): string {
  try {
    // It may be undefined, as it may be of `JSON.stringify`, whatever its type says.
    return JSON.stringify(value, null, space);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    const marked = JSON.stringify(
      value,
      (_key, part: unknown) => (typeof part === 'bigint' ? `${MARK}${part}` : part),
      space,
    );
    return marked.replace(MARKED_IN_JSON, '$1');
  }
}

/** The same value with numbers for each `bigint`, which may be others; itself if it has none. */
export function withNumbers<T>(value: T): T {
  return mapLeaves(value, (leaf) => (typeof leaf === 'bigint' ? Number(leaf) : leaf));
}

/** The same value with a text for each `bigint`, as a person reads it; itself if it has none. */
export function withDigits<T>(value: T): T {
  return mapLeaves(value, (leaf) => (typeof leaf === 'bigint' ? String(leaf) : leaf));
}

/**
 * The same value with a text for each `bigint`, for code that knows no `bigint`. {@link withIntegers}
 * turns it back. Code that counts with it fails.
 */
export function withMarks<T>(value: T): T {
  return mapLeaves(value, (leaf) => (typeof leaf === 'bigint' ? `${MARK}${leaf}` : leaf));
}

/** Turns back what {@link withMarks} made; within a longer text, into digits. */
export function withIntegers<T>(value: T): T {
  return mapLeaves(value, (leaf) => {
    if (typeof leaf !== 'string' || !leaf.includes(MARK)) return leaf;
    const digits = leaf.slice(MARK.length);
    if (leaf.startsWith(MARK) && /^-?\d+$/.test(digits)) return BigInt(digits);
    return leaf.replace(MARKED, '$1');
  });
}

/** Copies only what changes. */
function mapLeaves<T>(value: T, map: (leaf: unknown) => unknown): T {
  const visit = (part: unknown): unknown => {
    if (typeof part !== 'object' || part === null) return map(part);
    if (Array.isArray(part)) {
      let copy: unknown[] | undefined;
      for (const [index, item] of part.entries()) {
        const mapped = visit(item);
        if (mapped !== item && !Number.isNaN(mapped))
          (copy ??= [...(part as unknown[])])[index] = mapped;
      }
      return copy ?? part;
    }
    let changed: [string, unknown][] | undefined;
    for (const key in part) {
      const item = (part as Record<string, unknown>)[key];
      const mapped = visit(item);
      if (mapped !== item && !Number.isNaN(mapped)) (changed ??= []).push([key, mapped]);
    }
    // A member named `__proto__` is one like all others.
    return changed === undefined ? part : Object.fromEntries([...Object.entries(part), ...changed]);
  };
  return visit(value) as T;
}

/** The text with a marked string in the place of each integer that a number would change. */
function markIntegers(text: string): string {
  const parts: string[] = [];
  let from = 0;
  const literal = /-?\d[\d.eE+-]*/y;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x22) at = endOfString(text, at);
    else if (code === 0x2d || (code >= 0x30 && code <= 0x39)) {
      literal.lastIndex = at;
      const [written = '-'] = literal.exec(text) ?? [];
      if (changes(written)) {
        parts.push(text.slice(from, at), `"${MARK}${written}"`);
        from = at + written.length;
      }
      at += written.length - 1;
    }
  }
  return parts.length === 0 ? text : parts.join('') + text.slice(from);
}

function changes(written: string): boolean {
  if (written.length < 16 || written.length > MAX_DIGITS || !/^-?[1-9]\d+$/.test(written))
    return false;
  return String(Number(written)) !== written;
}
