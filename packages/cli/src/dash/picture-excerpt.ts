import type {
  CallPicture,
  EventPicture,
  Picture,
  PictureData,
  RecordedLine,
} from '@longwire/recording';

/** What a picture has of one server, and of the newest that it did. */
export interface PictureExcerpt {
  readonly server: PictureData['servers'][number];
  readonly calls: readonly CallPicture[];
  readonly events: readonly EventPicture[];
}

/** How much of the room is for calls in flight, and of what they leave for calls that ended. */
const SHARE = 0.6;

/**
 * What a picture has of a server, in about so many characters of JSON: of more calls and events, the newest.
 * `undefined` where it has no such server.
 */
export function excerptOf(
  picture: Picture,
  server: string,
  maxChars: number,
): PictureExcerpt | undefined {
  const { servers, calls, events } = picture.toJSON();
  const found = servers.find(({ name }) => name === server);
  if (found === undefined) return undefined;
  const size = charsOf(found);
  const isLarge = size > maxChars / 2;
  const shown = isLarge ? { ...found, catalogue: {} } : found;
  const own = calls.filter((call) => call.server === server);
  let left = maxChars - (isLarge ? charsOf(shown) : size);
  const take = <Item>(items: readonly Item[], share: number): Item[] => {
    const taken = newest(items, left * share);
    left -= charsOf(taken);
    return taken;
  };
  const inFlight = take(
    own.filter(({ end }) => end === undefined),
    SHARE,
  );
  const ended = take(
    own.filter(({ end }) => end !== undefined),
    SHARE,
  );
  return {
    // Those that are left out cannot end.
    server: { ...shown, inFlight: inFlight.length },
    calls: [...ended, ...inFlight],
    events: take(
      events.filter((event) => event.server === server),
      1,
    ),
  };
}

/** The same with these excerpts, each in place of what there was of its server. */
export function withExcerpts(data: PictureData, excerpts: readonly PictureExcerpt[]): PictureData {
  const kept = withoutServers(data, new Set(excerpts.map(({ server }) => String(server['name']))));
  let { seq } = kept;
  const events = excerpts.flatMap((excerpt) =>
    excerpt.events.map((event) => ({ ...event, seq: ++seq })),
  );
  const calls = [...kept.calls, ...excerpts.flatMap((excerpt) => excerpt.calls)];
  return {
    ...kept,
    servers: [...kept.servers, ...excerpts.map(({ server }) => server)],
    // As a picture has them: those that ended by their end.
    calls: calls.sort((one, other) => (one.end ?? one).at - (other.end ?? other).at),
    events: [...kept.events, ...events].sort((one, other) => one.at - other.at),
    seq,
  };
}

/** The same without these servers, and what they did. */
export function withoutServers(data: PictureData, names: ReadonlySet<string>): PictureData {
  const isKept = ({ server }: { readonly server: string }): boolean => !names.has(server);
  return {
    ...data,
    servers: data.servers.filter(({ name }) => !names.has(String(name))),
    calls: data.calls.filter(isKept),
    events: data.events.filter(isKept),
  };
}

/** A line or a call of another recorder, whose calls are counted from `first` on here. */
export function countedFrom<Item extends RecordedLine | CallPicture>(
  first: number,
  item: Item,
): Item {
  if (!('call' in item)) return item;
  const by = 'by' in item ? item.by : undefined;
  return {
    ...item,
    call: first + item.call,
    ...(by !== undefined && 'call' in by && { by: { call: first + by.call } }),
  };
}

/** The last of them, in so many characters of JSON. */
function newest<Item>(items: readonly Item[], maxChars: number): Item[] {
  let left = maxChars;
  const first = items.findLastIndex((item) => (left -= charsOf(item)) < 0);
  return items.slice(first + 1);
}

function charsOf(value: unknown): number {
  return JSON.stringify(value).length;
}
