import type { CatalogueLine } from './format.js';
import { isSameJson } from './json-differences.js';
import type { Latencies } from './latencies.js';
import type { CallPicture, Picture, ServerPicture } from './picture.js';

type Kind = CatalogueLine['kind'];
type Item = CatalogueLine['items'][number];

/** An item of a catalogue that is another one now. */
export interface ChangedItem {
  readonly name: string;
  /** Which members differ, such as `description`, `inputSchema`, `annotations`. */
  readonly members: readonly string[];
  readonly before: Item;
  readonly after: Item;
}

/** What became of one catalogue of a server. Items are compared by their names; of resources by URI. */
export interface CatalogueChange {
  readonly server: string;
  readonly kind: Kind;
  readonly gained: readonly string[];
  readonly lost: readonly string[];
  readonly changed: readonly ChangedItem[];
}

/** How long the answers of a tool took. */
export interface LatencySummary {
  readonly count: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
}

/** How long the answers of a tool took before and after. */
export interface LatencyChange {
  readonly server: string;
  /** `undefined` for all calls to the server. */
  readonly tool: string | undefined;
  readonly before: LatencySummary;
  readonly after: LatencySummary;
  /**
   * `slower` and `faster` if the median or the 95th percentile is so by more than a third: durations are
   * known to 7 %. `unknown` with fewer than five calls before or after.
   */
  readonly verdict: 'slower' | 'faster' | 'same' | 'unknown';
}

/** How often calls of a tool, or of another method, failed with one error before and after. */
export interface ErrorChange {
  readonly server: string;
  readonly method: string;
  /** `undefined` for a method that calls no tool. */
  readonly tool: string | undefined;
  /** The code of the error; `tool-error` where the tool said that it failed. */
  readonly code: string;
  readonly before: ErrorCount;
  readonly after: ErrorCount;
  /** `new` and `gone` if it was not there before, or is not there after. */
  readonly verdict: 'new' | 'gone' | 'both';
}

/** How many calls failed with an error, of how many that are kept. */
export interface ErrorCount {
  readonly errors: number;
  readonly calls: number;
}

/** What differs between two pictures. */
export interface Comparison {
  readonly gainedServers: readonly string[];
  readonly lostServers: readonly string[];
  /** Only those with a difference, and only of servers that listed them in both. */
  readonly catalogues: readonly CatalogueChange[];
  /** Of tools that were called in both. Those that became slower come first. */
  readonly latencies: readonly LatencyChange[];
  /** Of the calls that both pictures keep, on servers that are in both. New ones come first. */
  readonly errors: readonly ErrorChange[];
}

const KINDS: readonly Kind[] = ['tools', 'resources', 'templates', 'prompts'];
const NAMES: Readonly<Record<Kind, string>> = {
  tools: 'name',
  resources: 'uri',
  templates: 'uriTemplate',
  prompts: 'name',
};
const MIN_CALLS = 5;
const NOTABLE = 4 / 3;
const ORDER: readonly LatencyChange['verdict'][] = ['slower', 'faster', 'same', 'unknown'];
const ERROR_ORDER: readonly ErrorChange['verdict'][] = ['new', 'gone', 'both'];

/** Compares two recordings, or a recording and now. Servers are the same if they have the same name. */
export function comparePictures(before: Picture, after: Picture): Comparison {
  const both = [...before.servers.values()].flatMap((server) => {
    const now = after.servers.get(server.name);
    return now === undefined ? [] : [{ server, now }];
  });
  return {
    gainedServers: missingFrom(before.servers, after.servers),
    lostServers: missingFrom(after.servers, before.servers),
    catalogues: both.flatMap(({ server, now }) => cataloguesOf(server, now)),
    latencies: both
      .flatMap(({ server, now }) => latenciesOf(server, now))
      .sort((a, b) => ORDER.indexOf(a.verdict) - ORDER.indexOf(b.verdict)),
    errors: errorsOf(before, after, new Set(both.map(({ server }) => server.name))).sort(
      (a, b) => ERROR_ORDER.indexOf(a.verdict) - ERROR_ORDER.indexOf(b.verdict),
    ),
  };
}

function missingFrom(
  some: ReadonlyMap<string, unknown>,
  others: ReadonlyMap<string, unknown>,
): string[] {
  return [...others.keys()].filter((name) => !some.has(name));
}

function cataloguesOf(before: ServerPicture, after: ServerPicture): CatalogueChange[] {
  return KINDS.flatMap((kind) => {
    const [then, now] = [before.catalogue[kind], after.catalogue[kind]];
    if (then === undefined || now === undefined) return [];
    const [old, current] = [byName(kind, then), byName(kind, now)];
    const changed = [...old].flatMap(([name, item]) => {
      const other = current.get(name);
      if (other === undefined) return [];
      const members = differingMembers(item, other);
      return members.length === 0 ? [] : [{ name, members, before: item, after: other }];
    });
    const gained = missingFrom(old, current);
    const lost = missingFrom(current, old);
    if (gained.length + lost.length + changed.length === 0) return [];
    return [{ server: before.name, kind, gained, lost, changed }];
  });
}

function byName(kind: Kind, items: readonly Item[]): Map<string, Item> {
  return new Map(items.map((item) => [String(item[NAMES[kind]]), item]));
}

function differingMembers(one: Item, other: Item): string[] {
  const names = new Set([...Object.keys(one), ...Object.keys(other)]);
  return [...names].filter((name) => !isSameJson(one[name], other[name]));
}

function latenciesOf(before: ServerPicture, after: ServerPicture): LatencyChange[] {
  const server = before.name;
  const tools = [...before.latenciesOf].map(([tool, latencies]) => ({
    tool,
    old: latencies,
    now: after.latenciesOf.get(tool),
  }));
  const all = { tool: undefined, old: before.latencies, now: after.latencies };
  return [all, ...tools].flatMap(({ tool, old, now }) => {
    const [former, current] = [summaryOf(old), now && summaryOf(now)];
    if (former === undefined || current === undefined) return [];
    return [{ server, tool, before: former, after: current, verdict: verdictOf(former, current) }];
  });
}

function summaryOf(latencies: Latencies): LatencySummary | undefined {
  const [p50Ms, p95Ms] = [latencies.percentile(0.5), latencies.percentile(0.95)];
  if (p50Ms === undefined || p95Ms === undefined) return undefined;
  return { count: latencies.count, p50Ms, p95Ms };
}

function verdictOf(before: LatencySummary, after: LatencySummary): LatencyChange['verdict'] {
  if (Math.min(before.count, after.count) < MIN_CALLS) return 'unknown';
  const ratios = [after.p50Ms / before.p50Ms, after.p95Ms / before.p95Ms];
  if (Math.max(...ratios) > NOTABLE) return 'slower';
  return Math.min(...ratios) < 1 / NOTABLE ? 'faster' : 'same';
}

function errorsOf(before: Picture, after: Picture, servers: ReadonlySet<string>): ErrorChange[] {
  const [then, now] = [failuresOf(before.ended), failuresOf(after.ended)];
  return [...new Map([...then.errors, ...now.errors]).values()].flatMap(({ call, code }) => {
    const { server, method } = call;
    if (!servers.has(server)) return [];
    const of = ({ errors, calls }: Failures): ErrorCount => ({
      errors: errors.get(keyOf(call, code))?.count ?? 0,
      calls: calls.get(keyOf(call)) ?? 0,
    });
    const [former, current] = [of(then), of(now)];
    const verdict = former.errors === 0 ? 'new' : current.errors === 0 ? 'gone' : 'both';
    return [{ server, method, tool: toolOf(call), code, before: former, after: current, verdict }];
  });
}

/** By what tells calls apart, and by the code of an error. */
interface Failures {
  readonly errors: ReadonlyMap<string, { call: CallPicture; code: string; count: number }>;
  readonly calls: ReadonlyMap<string, number>;
}

function failuresOf(ended: readonly CallPicture[]): Failures {
  const errors = new Map<string, { call: CallPicture; code: string; count: number }>();
  const calls = new Map<string, number>();
  for (const call of ended) {
    calls.set(keyOf(call), (calls.get(keyOf(call)) ?? 0) + 1);
    const { outcome, error } = call.end ?? {};
    if (outcome === undefined || outcome === 'result') continue;
    const code = outcome === 'tool-error' ? outcome : (error?.code ?? 'error');
    const key = keyOf(call, code);
    errors.set(key, { call, code, count: (errors.get(key)?.count ?? 0) + 1 });
  }
  return { errors, calls };
}

/** Resources and prompts are too many to be told apart. */
function toolOf({ method, name }: CallPicture): string | undefined {
  return method === 'tools/call' ? name : undefined;
}

function keyOf(call: CallPicture, code = ''): string {
  return JSON.stringify([call.server, call.method, toolOf(call), code]);
}
