import { computed, signal } from '@preact/signals';
import {
  endOfCall,
  parseFilter,
  quoted,
  readTerms,
  type CallPicture,
  type EventPicture,
} from '@longwire/recording';

/** What the filter line of all views says. */
export const filterText = signal('');

/** Times from one to another, in milliseconds since 1970. */
export interface TimeRange {
  readonly from: number;
  readonly to: number;
}

/** The time that all views are about; `undefined` for all of it. */
export const filterRange = signal<TimeRange | undefined>(undefined);

/** Something that a server has, as a filter looks at it. */
export interface Filterable {
  readonly server: string;
  readonly method: string;
  readonly name: string | undefined;
  readonly about: readonly (string | undefined)[];
}

/** What a filter lets through. */
export interface PageFilter {
  readonly isEmpty: boolean;
  /** What is wrong with its text, one sentence each. */
  readonly problems: readonly string[];
  /** Whether a call fits, at a time: what runs is as long as it has run. */
  readonly call: (call: CallPicture, at: number) => boolean;
  readonly event: (event: EventPicture) => boolean;
  readonly item: (item: Filterable) => boolean;
}

/** The filter of the line by its text alone, made once for each change of it. */
export const textFilter = computed(() => pageFilter(filterText.value));

/** The filter of the line, made once for each change of it. */
export const filter = computed(() => within(textFilter.value, filterRange.value));

/** Terms about how a call went, which say nothing of a tool that was never called. */
const OF_CALLS =
  /(?<!\S)-?(?:kind|level|status|certainty|code|duration|progress|attempts|by):(?:"[^"]*"?|\S)*/gi;

/** Reads the filter of all views: of servers, tools and resources, as far as it is about those. */
export function pageFilter(text: string): PageFilter {
  const whole = parseFilter(text);
  const ofItems = parseFilter(text.replace(OF_CALLS, ''));
  const ended = remembered((call: CallPicture) => whole.matchesCall(call));
  return {
    isEmpty: whole.isEmpty,
    problems: whole.problems.map(({ message }) => message),
    call: (call, at) => (call.end === undefined ? whole.matchesCall(call, at) : ended(call)),
    event: remembered((event: EventPicture) => whole.matchesEvent(event)),
    item: ({ server, method, name, about }) =>
      ofItems.matchesCall({
        call: 0,
        server,
        method,
        at: 0,
        attempts: [],
        arguments: about,
        ...(name !== undefined && { name }),
      }),
  };
}

/** What a filter lets through of a time: calls that ran then, and events of then. */
export function within(given: PageFilter, range: TimeRange | undefined): PageFilter {
  if (range === undefined) return given;
  const { from, to } = range;
  return {
    ...given,
    isEmpty: false,
    call: (call, at) => call.at <= to && endOfCall(call, at) >= from && given.call(call, at),
    event: (event) => event.at >= from && event.at <= to && given.event(event),
  };
}

/** Asks once of what does not change any more: lists are filtered again with each picture. */
function remembered<Subject extends object>(
  matches: (subject: Subject) => boolean,
): (subject: Subject) => boolean {
  const known = new WeakMap<Subject, boolean>();
  return (subject) => {
    let does = known.get(subject);
    if (does === undefined) {
      does = matches(subject);
      known.set(subject, does);
    }
    return does;
  };
}

/** The filter that lets one server through. */
export function serverFilter(server: string): string {
  return withTerm('', 'server', [quoted(server)]);
}

/** The same filter, but of this key only these terms, of which all have to match. Terms with `-` stay. */
export function withTerm(text: string, key: string, values: readonly string[]): string {
  const kept = readTerms(text)
    .filter((term) => term.key !== key || term.negated)
    .map(({ from, to }) => text.slice(from, to));
  return [...kept, ...values.map((value) => `${key}:${value}`)].join(' ');
}

/** The values of all terms of a key, but for those with `-`. */
export function filterValues(text: string, key: string): string[] {
  return readTerms(text)
    .filter((term) => term.key === key && !term.negated)
    .flatMap(({ values }) => values);
}
