import { LongwireError } from '../errors.js';
import { LIMITS } from '../options/connection-table.js';
import { withDefaults } from '../options/option.js';

/** What one JSON text may hold. */
export interface JsonBounds {
  /** How deep arrays and objects may be nested. */
  readonly maxJsonDepth: number;
  /** How many values it may hold, those inside arrays and objects included. */
  readonly maxJsonValues: number;
}

/** Defaults of `limits.maxJsonDepth` and `limits.maxJsonValues`. */
export const DEFAULT_JSON_BOUNDS: JsonBounds = withDefaults(LIMITS, undefined);

const QUOTE = 0x22;
const COMMA = 0x2c;
const OPEN_ARRAY = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/**
 * `JSON.parse` of a text that somebody else wrote, within bounds. They are checked before anything
 * is built: a few megabytes of text can make gigabytes of values, and what is nested deep enough
 * ends every function that calls itself in a `RangeError`.
 *
 * @throws SyntaxError if it is no JSON; LongwireError `limit-exceeded` if it is over a bound.
 */
export function parseJson(text: string, bounds: JsonBounds): unknown {
  checkJson(text, bounds);
  return JSON.parse(text);
}

/**
 * Counts what a text holds. It has more characters than levels, and no more values than characters.
 *
 * @throws LongwireError `limit-exceeded`
 */
export function checkJson(text: string, { maxJsonDepth, maxJsonValues }: JsonBounds): void {
  if (text.length <= maxJsonDepth && text.length <= maxJsonValues) return;
  let depth = 0;
  let values = 1;
  for (let at = 0; at < text.length; at++) {
    switch (text.charCodeAt(at)) {
      case QUOTE:
        at = endOfString(text, at);
        break;
      case COMMA:
        values++;
        break;
      case OPEN_ARRAY:
      case OPEN_OBJECT:
        values++;
        depth++;
        if (depth > maxJsonDepth) throw overBound(`nested deeper than ${maxJsonDepth}`, 'Depth');
        break;
      case CLOSE_ARRAY:
      case CLOSE_OBJECT:
        depth--;
        break;
      default:
    }
    if (values > maxJsonValues) throw overBound(`more than ${maxJsonValues} values`, 'Values');
  }
}

/** Where the string ends that begins here; the end of the text if it does not. */
export function endOfString(text: string, start: number): number {
  let end = text.indexOf('"', start + 1);
  while (end !== -1 && isEscaped(text, end)) end = text.indexOf('"', end + 1);
  return end === -1 ? text.length : end;
}

/** Whether an odd number of backslashes stands before a quotation mark. */
function isEscaped(text: string, quote: number): boolean {
  let before = quote - 1;
  while (text.charCodeAt(before) === BACKSLASH) before--;
  return (quote - before) % 2 === 0;
}

function overBound(what: string, option: 'Depth' | 'Values'): LongwireError {
  return new LongwireError(`JSON of the server is over a limit: ${what}`, {
    code: 'limit-exceeded',
    certainty: 'outcome-unknown',
    hint: `raise limits.maxJson${option} if this server may send so much`,
  });
}

/**
 * Which request a text would answer, without building anything of it: the `id` of an object that
 * has no `method`; `undefined` if it has none, or is no such object. The last one counts, as for
 * `JSON.parse`.
 */
export function answeredIdIn(text: string): string | number | undefined {
  const start = text.search(/\S/);
  if (text.charCodeAt(start) !== OPEN_OBJECT) return undefined;
  let id: string | number | undefined;
  let depth = 0;
  let isKey = false;
  for (let at = start; at < text.length; at++) {
    switch (text.charCodeAt(at)) {
      case QUOTE: {
        const end = endOfString(text, at);
        if (depth === 1 && isKey) {
          const key = text.slice(at + 1, Math.min(end, at + 10));
          if (key === 'method') return undefined;
          if (key === 'id') id = idAt(text, end + 1);
        }
        isKey = false;
        at = end;
        break;
      }
      case COMMA:
        isKey = true;
        break;
      case OPEN_ARRAY:
      case OPEN_OBJECT:
        depth++;
        isKey = true;
        break;
      case CLOSE_ARRAY:
      case CLOSE_OBJECT:
        depth--;
        break;
      default:
    }
  }
  return id;
}

/** A longer id than these is none of ours. */
const ID_PATTERN = /^\s{0,20}:\s{0,20}(?:(-?\d{1,15})|"([^"\\]{0,100})")\s{0,20}[,}]/;

function idAt(text: string, at: number): string | number | undefined {
  const [, number, string] = ID_PATTERN.exec(text.slice(at, at + 200)) ?? [];
  return number === undefined ? string : Number(number);
}
