import type { CallPicture, EventPicture } from '../picture.js';
import { FIELDS, type Matcher } from './fields.js';
import { textOfCall, textOfEvent } from './searched-text.js';
import { readTerms, type Span, type Term } from './terms.js';

/** What is wrong with a part of a filter. The part is left out, or looked for as a text. */
export interface FilterProblem extends Span {
  /** One sentence without its end. */
  readonly message: string;
}

/** A filter that was read. */
export interface Filter {
  /** Whether all terms match a call. `at` is the time of now, for calls in flight; default: their begin. */
  matchesCall(call: CallPicture, at?: number): boolean;
  /** Whether all terms match a notification or an error. */
  matchesEvent(event: EventPicture): boolean;
  /** In the order of the text. */
  readonly problems: readonly FilterProblem[];
  /** Whether it lets everything through. */
  readonly isEmpty: boolean;
}

/**
 * Reads a filter, such as `tool:search status:error -server:test duration:>500ms "any text"`. Every text
 * is a filter; what is wrong with it are its `problems`.
 *
 * - All terms have to match. `-` in front of one turns it round; a comma between values means or.
 * - `*` in a name is any text; names are compared whole and in any letter case.
 * - What has no key is looked for in names, arguments, results and messages.
 */
export function parseFilter(text: string): Filter {
  const problems: FilterProblem[] = [];
  const matchers = readTerms(text).flatMap((term) => matcherOf(term, problems) ?? []);
  return {
    matchesCall: (call, at = call.at) => matchers.every((matcher) => matcher.call(call, at)),
    matchesEvent: (event) => matchers.every((matcher) => matcher.event(event)),
    problems,
    isEmpty: matchers.length === 0,
  };
}

function matcherOf(term: Term, problems: FilterProblem[]): Matcher | undefined {
  const matcher = positiveMatcherOf(term, problems);
  if (matcher === undefined || !term.negated) return matcher;
  return {
    call: (call, at) => !matcher.call(call, at),
    event: (event) => !matcher.event(event),
  };
}

function positiveMatcherOf(term: Term, problems: FilterProblem[]): Matcher | undefined {
  const { key, values, from, to } = term;
  if (key === undefined) return containing(values[0] ?? '');
  const field = Object.hasOwn(FIELDS, key) ? FIELDS[key] : undefined;
  if (field === undefined) {
    problems.push({ from, to, message: `there is no ${key}: it is looked for as a text` });
    return containing(`${key}:${values.join(',')}`);
  }
  // Somebody is about to write the value.
  const given = values.filter((value) => value !== '');
  if (given.length === 0) return undefined;
  const matchers = given.flatMap((value) => {
    const isKnown = field.values === undefined || isValueOf(key, field.values, value);
    const matcher = isKnown ? field.read(value) : undefined;
    if (matcher === undefined) {
      const known = field.values === undefined ? field.about : field.values.join(', ');
      problems.push({ from, to, message: `${key}: ${known}` });
    }
    return matcher ?? [];
  });
  if (matchers.length === 0) return undefined;
  return {
    call: (call, at) => matchers.some((matcher) => matcher.call(call, at)),
    event: (event) => matchers.some((matcher) => matcher.event(event)),
  };
}

function isValueOf(key: string, values: readonly string[], value: string): boolean {
  // `>=warning` is compared, and `unknown` is short for `outcome-unknown`.
  if (key === 'level') return true;
  return values.includes(value) || (key === 'certainty' && value === 'unknown');
}

function containing(text: string): Matcher | undefined {
  const sought = text.toLowerCase();
  if (sought === '') return undefined;
  return {
    call: (call) => textOfCall(call).includes(sought),
    event: (event) => textOfEvent(event).includes(sought),
  };
}
