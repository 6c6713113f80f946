import { parseFilter } from '../filter/filter.js';
import { inQuotes } from '../filter/terms.js';
import type { CallPicture, EventPicture, ServerPicture } from '../picture.js';

/** Something that a server has, as a filter looks at it. */
export interface Filterable {
  readonly server: string;
  readonly method: string;
  readonly name: string | undefined;
  readonly about: readonly (string | undefined)[];
}

/** What a filter lets through. */
export interface ViewFilter {
  readonly isEmpty: boolean;
  /** What is wrong with its text, one sentence each. */
  readonly problems: readonly string[];
  /** Whether a call fits, at a time: what runs is as long as it has run. */
  readonly call: (call: CallPicture, at: number) => boolean;
  readonly event: (event: EventPicture) => boolean;
  readonly server: (server: ServerPicture) => boolean;
  readonly item: (item: Filterable) => boolean;
}

/** Terms about how a call went, which say nothing of a tool that was never called. */
const OF_CALLS =
  /(?<!\S)-?(?:kind|level|status|certainty|code|duration|progress|attempts|by):(?:"(?:\\["\\]|[^"])*"?|\S)*/gi;

/** Reads the filter of all views: of servers, tools and resources, as far as it is about those. */
export function viewFilter(text: string): ViewFilter {
  const whole = parseFilter(text);
  const ofItems = parseFilter(text.replace(OF_CALLS, ''));
  const fitsItem = ({ server, method, name, about }: Filterable): boolean =>
    ofItems.matchesCall({
      call: 0,
      server,
      method,
      at: 0,
      attempts: [],
      arguments: about,
      ...(name !== undefined && { name }),
    });
  const ended = remembered((call: CallPicture) => whole.matchesCall(call));
  return {
    isEmpty: whole.isEmpty,
    problems: whole.problems.map(({ message }) => message),
    call: (call, at) => (call.end === undefined ? whole.matchesCall(call, at) : ended(call)),
    event: remembered((event: EventPicture) => whole.matchesEvent(event)),
    server: ({ name, known, states }) =>
      fitsItem({
        server: name,
        method: 'initialize',
        name: known.target,
        about: [known.transport, known.info?.name, states.at(-1)?.state],
      }),
    item: fitsItem,
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
  return termOf('server', server);
}

/** The filter that lets the calls of one caller through. */
export function callerFilter(who: string): string {
  return termOf('by', who);
}

function termOf(key: string, value: string): string {
  return `${key}:${/^[\w.-]+$/.test(value) ? value : inQuotes(value)}`;
}
