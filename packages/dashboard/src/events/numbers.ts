import { isCut, type EventPicture } from '@longwire/recording';
import { isObject } from '@longwire/recording/shown';

/** What a server said of one number over time. */
export interface Series {
  readonly server: string;
  /** Times in milliseconds since 1970, the oldest first; a value for each. */
  readonly times: readonly number[];
  readonly values: readonly number[];
}

/** A number that has no name of its own: the data of a log message is one. */
export const WHOLE = 'value';

/** What is deeper, or comes after so many of one event, is not found: a server chooses what it sends. */
const MAX_DEPTH = 4;
const MAX_MEMBERS = 200;
const MAX_NAME = 120;
/** What a server itself says a notification is, which is no measurement. */
const NOT_MEASURED = new Set(['progressToken', 'requestId', '_meta']);

/**
 * The numbers of an event by the path to them, such as `cpu` or `memory.usedMb`: of the data of a log
 * message, else of the parameters.
 */
export function numbersIn(event: EventPicture): ReadonlyMap<string, number> {
  const before = known.get(event);
  if (before !== undefined) return before;
  const found = findNumbers(event);
  known.set(event, found);
  return found;
}

/** Events do not change, and are looked at again with each one that comes. */
const known = new WeakMap<EventPicture, ReadonlyMap<string, number>>();

function findNumbers(event: EventPicture): ReadonlyMap<string, number> {
  const found = new Map<string, number>();
  if (event.type === 'error' || isCut(event.params)) return found;
  const { params } = event;
  const isMessage = event.method === 'notifications/message' && isObject(params);
  let left = MAX_MEMBERS;
  const look = (value: unknown, path: string, depth: number): void => {
    if (typeof value === 'number' && Number.isFinite(value)) found.set(path || WHOLE, value);
    if (!isObject(value) || depth > MAX_DEPTH) return;
    for (const name of Object.keys(value)) {
      if (left-- <= 0) return;
      const whole = path === '' ? name : `${path}.${name}`;
      if (whole.length <= MAX_NAME && !NOT_MEASURED.has(name)) look(value[name], whole, depth + 1);
    }
  };
  look(isMessage ? params['data'] : params, '', 0);
  return found;
}

/** The names of the numbers in events, those that come most often first. */
export function numberNames(events: Iterable<EventPicture>): string[] {
  const counts = new Map<string, number>();
  for (const event of events) {
    for (const name of numbersIn(event).keys()) counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return [...counts]
    .toSorted(([one, few], [other, many]) => many - few || one.localeCompare(other))
    .map(([name]) => name);
}

/** One number over time, by server. Events are given in the order in which they came. */
export function seriesOf(name: string, events: Iterable<EventPicture>): Series[] {
  const servers = new Map<string, { times: number[]; values: number[] }>();
  for (const event of events) {
    const value = numbersIn(event).get(name);
    if (value === undefined) continue;
    let series = servers.get(event.server);
    if (series === undefined) servers.set(event.server, (series = { times: [], values: [] }));
    // Clocks are set back; a line of a plot goes one way.
    series.times.push(Math.max(event.at, series.times.at(-1) ?? event.at));
    series.values.push(value);
  }
  return [...servers]
    .map(([server, series]) => ({ server, ...series }))
    .toSorted((one, other) => one.server.localeCompare(other.server));
}

/** Series as uPlot takes them: all times once, in seconds, and for each series a value or `null` at each. */
export function alignedData(series: readonly Series[]): [number[], ...(number | null)[][]] {
  const times = [...new Set(series.flatMap((one) => one.times))].toSorted(
    (one, other) => one - other,
  );
  const places = new Map(times.map((time, place) => [time, place]));
  return [
    times.map((time) => time / 1000),
    ...series.map((one) => {
      const column = Array.from<number | null>({ length: times.length }).fill(null);
      for (const [index, time] of one.times.entries()) {
        column[places.get(time) ?? 0] = one.values[index] ?? null;
      }
      return column;
    }),
  ];
}
