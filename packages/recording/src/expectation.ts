import type { EndLine } from './format.js';
import { jsonDifferences, type JsonDifference } from './json-differences.js';
import { isCut } from './values.js';

/** What is expected of the answer to a call. All that is there has to hold. */
export interface Expectation {
  /** It is an error, of the tool or of the server. Default false: it is none. */
  readonly error?: boolean;
  /** The text of the result, or the message of the error, has this in it. */
  readonly contains?: string;
  /**
   * The structured result is this. Of a result without one, its text is read as JSON. A list has
   * as many items.
   */
  readonly equals?: unknown;
  /** The same, but objects may have more members. */
  readonly has?: unknown;
}

/** What a call came to, beside what was expected. */
export type Verdict =
  | { readonly outcome: 'held' }
  /** What is otherwise than expected, a sentence each: 20 at most. They have texts of the server. */
  | { readonly outcome: 'not-held'; readonly differences: readonly string[] }
  /** There is no answer that could be looked at. */
  | { readonly outcome: 'failed'; readonly reason: string };

/** How a call ended, as its line in a recording says. */
export type Ended = Pick<EndLine, 'outcome' | 'result' | 'error'>;

const MAX_DIFFERENCES = 20;
/** Characters of a value in a sentence. */
const MAX_SHOWN = 80;

/** Compares how a call ended with what was expected. */
export function verdictOf(expectation: Expectation, ended: Ended): Verdict {
  const { error } = ended;
  if (ended.outcome === 'error' && error?.certainty !== 'answered') {
    return { outcome: 'failed', reason: error?.message ?? 'there is no answer' };
  }
  const { contains, equals, has } = expectation;
  const isLookedAt = [contains, equals, has].some((part) => part !== undefined);
  if (isLookedAt && isCut(ended.result)) {
    return { outcome: 'failed', reason: 'only the beginning of the result is known' };
  }
  const differences: string[] = [];
  for (const difference of unmet(expectation, ended)) {
    if (differences.push(difference) < MAX_DIFFERENCES) continue;
    differences[MAX_DIFFERENCES - 1] = 'and more';
    break;
  }
  return differences.length === 0 ? { outcome: 'held' } : { outcome: 'not-held', differences };
}

/** What has to hold of another answer that is to be like this result. */
export function expectationOf(result: unknown): Expectation {
  const structured = memberOf(result, 'structuredContent');
  if (structured !== undefined) return { equals: structured };
  const texts = textsIn(result);
  return texts.length === 0 ? {} : { contains: texts.join('\n') };
}

function* unmet(
  { error = false, contains, equals, has }: Expectation,
  ended: Ended,
): Generator<string, void, undefined> {
  const text = textOf(ended);
  const isError = ended.outcome !== 'result';
  if (error && !isError) yield 'it is no error';
  if (!error && isError) yield `it is an error: ${shown(text)}`;
  if (contains !== undefined && !text.includes(contains)) {
    yield `its text is ${shown(text)}, without ${shown(contains)}`;
  }
  if (equals === undefined && has === undefined) return;
  const actual = structuredOf(ended);
  if (actual === undefined) {
    yield 'it has no structured result';
    return;
  }
  if (equals !== undefined) yield* sentences(jsonDifferences(equals, actual));
  if (has !== undefined) yield* sentences(jsonDifferences(has, actual, { partial: true }));
}

function* sentences(differences: Iterable<JsonDifference>): Generator<string, void, undefined> {
  for (const { path, expected, actual } of differences) {
    const place = path.length === 0 ? 'it' : nameOf(path);
    const is = actual === undefined ? 'is missing' : `is ${shown(actual)}`;
    yield expected === undefined
      ? `${place} ${is}, and is not expected`
      : `${place} ${is}, expected ${shown(expected)}`;
  }
}

function nameOf(path: readonly (string | number)[]): string {
  return path
    .map((part) => (typeof part === 'number' ? `[${part}]` : `.${part}`))
    .join('')
    .replace(/^\./, '');
}

function shown(value: unknown): string {
  const json =
    JSON.stringify(value, (_name, member: unknown) =>
      typeof member === 'bigint' ? String(member) : member,
    ) ?? '';
  return json.length <= MAX_SHOWN ? json : `${json.slice(0, MAX_SHOWN - 1)}…`;
}

/** The texts of a result, one after the other, or the message of an error. */
function textOf({ result, error }: Ended): string {
  return error === undefined ? textsIn(result).join('\n') : error.message;
}

function textsIn(result: unknown): string[] {
  const content = memberOf(result, 'content');
  if (!Array.isArray(content)) return [];
  return content.flatMap((part: unknown) => {
    const text = memberOf(part, 'text') ?? memberOf(memberOf(part, 'resource'), 'text');
    return typeof text === 'string' ? [text] : [];
  });
}

function structuredOf({ result }: Ended): unknown {
  const structured = memberOf(result, 'structuredContent');
  if (structured !== undefined) return structured;
  try {
    return JSON.parse(textsIn(result).join('\n'));
  } catch {
    return undefined;
  }
}

function memberOf(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
  return (value as Readonly<Record<string, unknown>>)[name];
}
