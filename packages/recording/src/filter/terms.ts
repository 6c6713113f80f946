/** A place in the text of a filter, in characters. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** A part of a filter between spaces: `-key:value` or `-text`. */
export interface Term extends Span {
  /** It begins with `-`. */
  readonly negated: boolean;
  /** What stands before the colon, in lower case; `undefined` for a text. */
  readonly key: string | undefined;
  /** What stands behind it, without quotation marks. A comma between them means or. */
  readonly values: readonly string[];
  /** Where the values begin. */
  readonly valueFrom: number;
}

/** A longer filter is cut. */
const MAX_CHARS = 2000;

/** The terms of a filter. Any text has some: what is not closed ends with the text. */
export function readTerms(text: string): Term[] {
  const terms: Term[] = [];
  const cut = text.slice(0, MAX_CHARS);
  let at = 0;
  while (at < cut.length) {
    if (isSpace(cut, at)) at++;
    else {
      const term = readTerm(cut, at);
      terms.push(term);
      at = term.to;
    }
  }
  return terms;
}

function readTerm(text: string, from: number): Term {
  const negated = text[from] === '-' && from + 1 < text.length && !isSpace(text, from + 1);
  const start = negated ? from + 1 : from;
  const [head = '', name = ''] = /^([a-z]+):/i.exec(text.slice(start, start + 20)) ?? [];
  // `http://…` is a text.
  const isKey = head !== '' && !text.startsWith('//', start + head.length);
  const valueFrom = isKey ? start + head.length : start;
  const { values, to } = readValues(text, valueFrom, isKey);
  return { negated, key: isKey ? name.toLowerCase() : undefined, values, from, to, valueFrom };
}

/** Reads to the next space that is not between quotation marks. A text has one value. */
function readValues(text: string, from: number, isList: boolean): { values: string[]; to: number } {
  const values = [''];
  let quote = false;
  let at = from;
  for (; at < text.length && (quote || !isSpace(text, at)); at++) {
    const character = text[at] ?? '';
    if (character === '\\' && quote && /["\\]/.test(text[at + 1] ?? '')) {
      values.push(`${values.pop() ?? ''}${text[++at] ?? ''}`);
    } else if (character === '"') quote = !quote;
    else if (character === ',' && !quote && isList) values.push('');
    else values.push(`${values.pop() ?? ''}${character}`);
  }
  return { values, to: at };
}

function isSpace(text: string, at: number): boolean {
  return /\s/.test(text[at] ?? '');
}

/** A value as a filter has it: between quotation marks where it needs them. */
export function quoted(value: string): string {
  return /^[^\s",\\]+$/.test(value) ? value : inQuotes(value);
}

/** A value between quotation marks. */
export function inQuotes(value: string): string {
  return `"${value.replaceAll(/["\\]/g, '\\$&')}"`;
}
