import { computed, signal } from '@preact/signals';
import { endOfCall, readTerms } from '@longwire/recording';
import { viewFilter, type ViewFilter } from '@longwire/recording/shown';

/** What the filter line of all views says. */
export const filterText = signal('');

/** Times from one to another, in milliseconds since 1970. */
export interface TimeRange {
  readonly from: number;
  readonly to: number;
}

/** The time that all views are about; `undefined` for all of it. */
export const filterRange = signal<TimeRange | undefined>(undefined);

/** The filter of the line by its text alone, made once for each change of it. */
export const textFilter = computed(() => viewFilter(filterText.value));

/** The filter of the line, made once for each change of it. */
export const filter = computed(() => within(textFilter.value, filterRange.value));

/** What a filter lets through of a time: calls that ran then, and events of then. */
export function within(given: ViewFilter, range: TimeRange | undefined): ViewFilter {
  if (range === undefined) return given;
  const { from, to } = range;
  return {
    ...given,
    isEmpty: false,
    call: (call, at) => call.at <= to && endOfCall(call, at) >= from && given.call(call, at),
    event: (event) => event.at >= from && event.at <= to && given.event(event),
  };
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
