import type { CutValue } from './format.js';

/** Replaces a secret, as everywhere in Longwire. */
const MASK = '***';

/** Names of members whose texts are never kept, as for the logs of `@longwire/client`. */
const SECRET_NAME =
  /token|passw(?:or)?d|secret|authorization|api[_-]?key|private[_-]?key|credential|cookie|session[_-]?id/i;

/** Redacted beyond what is kept, so that no part of a secret is left at the cut. */
const MARGIN_CHARS = 16_384;

/** Replaces secrets in a text. */
export type Redact = (text: string) => string;

/** What is kept of a value: a copy without secrets, or its beginning. */
export interface KeepOptions {
  readonly redact: Redact;
  readonly maxValueBytes: number;
}

/**
 * A copy of a value as JSON has it, without secrets; its beginning where it takes more bytes. What JSON
 * cannot hold is a text in its place: an integer that is too large for a number, a value within itself.
 */
export function keepValue(value: unknown, { redact, maxValueBytes }: KeepOptions): unknown {
  const text = jsonOf(value);
  if (text === undefined) return undefined;
  const bytes = byteLength(text, maxValueBytes);
  if (bytes > maxValueBytes) {
    const begin = redact(text.slice(0, maxValueBytes + MARGIN_CHARS));
    return { cut: firstBytes(begin, maxValueBytes), bytes } satisfies CutValue;
  }
  const redacted = redact(text);
  const copy = tryParse(redacted);
  // A secret was a part of the JSON itself, such as a number.
  return copy === undefined ? redactTexts(JSON.parse(text), redact) : copy.value;
}

/** Whether a value is the beginning of one that was too large to be kept. */
export function isCut(value: unknown): value is CutValue {
  if (typeof value !== 'object' || value === null) return false;
  const { cut, bytes, ...rest } = value as Record<string, unknown>;
  return typeof cut === 'string' && typeof bytes === 'number' && Object.keys(rest).length === 0;
}

/** A value as it may be written again: cut to so many bytes. */
export function cutValue(value: unknown, maxValueBytes: number): unknown {
  if (isCut(value)) {
    const cut = firstBytes(value.cut, maxValueBytes);
    return cut === value.cut ? value : { cut, bytes: value.bytes };
  }
  const text = jsonOf(value);
  if (text === undefined) return value;
  const bytes = byteLength(text, maxValueBytes);
  return bytes <= maxValueBytes ? value : { cut: firstBytes(text, maxValueBytes), bytes };
}

/** The JSON of a value; `undefined` for one that has none. */
function jsonOf(value: unknown): string | undefined {
  try {
    // Without a function of ours it takes a fifth of the time, and most values have nothing to replace.
    const text = JSON.stringify(value) as string | undefined;
    if (text === undefined || !SECRET_NAME.test(text)) return text;
  } catch {
    // An integer that is too large for a number, or a value within itself.
  }
  try {
    return JSON.stringify(value, (name, member: unknown) => {
      if (typeof member === 'bigint') return String(member);
      if (typeof member === 'string' && SECRET_NAME.test(name)) return MASK;
      return member;
    });
  } catch {
    return '"[no JSON]"';
  }
}

function redactTexts(value: unknown, redact: Redact): unknown {
  if (typeof value === 'string') return redact(value);
  if (Array.isArray(value)) return value.map((item) => redactTexts(item, redact));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [redact(name), redactTexts(item, redact)]),
  );
}

function tryParse(text: string): { value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) };
  } catch {
    return undefined;
  }
}

/** How many bytes a text takes; counted only where that may be more than so many. */
function byteLength(text: string, enough: number): number {
  return text.length * 3 <= enough ? text.length : new TextEncoder().encode(text).length;
}

/** As much of a text as fits into so many bytes; no character is cut in two. */
function firstBytes(text: string, maxBytes: number): string {
  if (text.length * 3 <= maxBytes) return text;
  const { read } = new TextEncoder().encodeInto(text, new Uint8Array(maxBytes));
  return firstChars(text, read);
}

/**
 * As much of a text as has so many characters, as a text of its own: a part of one, as `slice` makes it, keeps
 * all of it in memory.
 */
export function firstChars(text: string, maxChars: number): string {
  if (text.length <= maxChars) return text;
  return JSON.parse(JSON.stringify(text.slice(0, maxChars))) as string;
}
