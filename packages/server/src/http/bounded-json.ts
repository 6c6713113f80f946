/** What the body of one request may hold. */
export interface JsonBounds {
  /** How deep arrays and objects may be nested. */
  readonly maxJsonDepth: number;
  /** How many values it may hold, those inside arrays and objects included. */
  readonly maxJsonValues: number;
}

/** A text exceeds a bound; the message says which. */
export class JsonBoundError extends Error {
  override name = 'JsonBoundError';
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const OPEN_ARRAY = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/**
 * `JSON.parse` of a body. The bounds are checked first: a few megabytes of text can become values of
 * a hundred times that size, and deep nesting makes recursive functions fail with a `RangeError`.
 *
 * @throws SyntaxError if it is no JSON; JsonBoundError if it is over a bound.
 */
export function parseBoundedJson(text: string, bounds: JsonBounds): unknown {
  checkBounds(text, bounds);
  return JSON.parse(text);
}

/** Scans the text only if it is long enough to exceed a bound. */
function checkBounds(text: string, { maxJsonDepth, maxJsonValues }: JsonBounds): void {
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
        break;
      case CLOSE_ARRAY:
      case CLOSE_OBJECT:
        depth--;
        break;
      default:
    }
    if (depth > maxJsonDepth) {
      throw new JsonBoundError(`it is nested deeper than ${maxJsonDepth} levels (maxJsonDepth)`);
    }
    if (values > maxJsonValues) {
      throw new JsonBoundError(`it holds more than ${maxJsonValues} values (maxJsonValues)`);
    }
  }
}

/** Where the string that begins here ends, or the end of the text. */
function endOfString(text: string, start: number): number {
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
