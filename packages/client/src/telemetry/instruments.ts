import type { BreakerState } from '../health/breaker.js';
import type { CacheStats } from '../middleware/cache.js';
import type { Attributes } from './attributes.js';
import * as names from './names.js';
import type { Instrument, MetricsSink, Reading } from './sink.js';
import {
  readServers,
  watchSessions,
  type Observed,
  type ObservedCache,
  type ObservedClient,
  type ObservedGroup,
  type ServerReading,
} from './sources.js';

const SERVER = [names.SERVER_NAME, names.SERVER_ADDRESS, names.SERVER_PORT];
const OF_SESSIONS = [
  ...SERVER,
  names.PROTOCOL_VERSION,
  names.NETWORK_TRANSPORT,
  names.NETWORK_PROTOCOL,
  names.TRANSPORT,
  names.ERROR_TYPE,
];
const OF_SIZES = [names.SERVER_NAME, names.METHOD, names.TOOL];
const OF_SERVER = [...SERVER, names.TARGET, names.STATE, names.ERROR_TYPE];

/** The metrics that everything else here is told by. */
export const OPERATION: Instrument = {
  name: names.OPERATION_DURATION,
  description: 'How long requests took, until their answer or their failure',
  unit: 's',
  attributes: [
    ...OF_SESSIONS,
    names.METHOD,
    names.OPERATION,
    names.TOOL,
    names.PROMPT,
    names.ERROR_CODE,
    names.CERTAINTY,
    names.CACHE,
  ],
};
export const SESSION: Instrument = {
  name: names.SESSION_DURATION,
  description:
    'How long sessions lasted, from their handshake until the connection was lost or closed',
  unit: 's',
  attributes: OF_SESSIONS,
};
export const REQUEST_SIZE: Instrument = {
  name: 'longwire.client.request.size',
  description: 'How large params were as JSON, about',
  unit: 'By',
  attributes: OF_SIZES,
};
export const RESPONSE_SIZE: Instrument = {
  name: 'longwire.client.response.size',
  description: 'How large results were as JSON, about',
  unit: 'By',
  attributes: OF_SIZES,
};
const SIZES = [100, 1000, 10_000, 100_000, 1_000_000, 10_000_000];

/** By the value that stands for each. */
const BREAKER: readonly BreakerState[] = ['closed', 'half-open', 'open'];

/** How values of one series become one: two clients may be of one server. */
type Merge = (a: number, b: number) => number;
const sum: Merge = (a, b) => a + b;

/** A metric that is read from what is observed. */
interface Observation<From> extends Instrument {
  readonly kind: 'gauge' | 'counter';
  readonly merge: Merge;
  readonly read: (from: From) => readonly Reading[];
}

/** Every metric of a server. */
export const OF_SERVERS: readonly Observation<ServerReading>[] = [
  {
    name: 'longwire.client.up',
    description: '1 while there is a connection, 0 while one is sought; nothing for an idle one',
    unit: '{server}',
    attributes: OF_SERVER,
    kind: 'gauge',
    merge: Math.min,
    read: ({ isUp, attributes }) =>
      isUp === undefined ? [] : [{ value: isUp ? 1 : 0, attributes }],
  },
  {
    name: 'longwire.client.reconnects',
    description: 'How often the connection was restored',
    unit: '{reconnect}',
    attributes: OF_SERVER,
    kind: 'counter',
    merge: sum,
    read: ({ reconnects, attributes }) => [{ value: reconnects, attributes }],
  },
  {
    name: 'longwire.client.calls',
    description: 'Calls of tools in flight',
    unit: '{call}',
    attributes: OF_SERVER,
    kind: 'gauge',
    merge: sum,
    read: ({ inFlight, attributes }) => [{ value: inFlight, attributes }],
  },
  {
    name: 'longwire.client.calls.failed',
    description: 'Calls of tools that failed, also before they could be sent',
    unit: '{call}',
    attributes: OF_SERVER,
    kind: 'counter',
    merge: sum,
    read: ({ failed, attributes }) =>
      Object.entries(failed)
        .filter(([, count]) => count > 0)
        .map(([code, value]) => ({
          value,
          attributes: { ...attributes, [names.ERROR_TYPE]: code },
        })),
  },
  {
    name: 'longwire.client.queue.waiting',
    description: 'Calls that wait for a place',
    unit: '{call}',
    attributes: OF_SERVER,
    kind: 'gauge',
    merge: sum,
    read: ({ waiting, attributes }) =>
      waiting === undefined ? [] : [{ value: waiting, attributes }],
  },
  {
    name: 'longwire.client.breaker',
    description: 'The circuit breaker of a server: 0 closed, 1 half-open, 2 open',
    unit: '{state}',
    attributes: OF_SERVER,
    kind: 'gauge',
    merge: Math.max,
    read: ({ breaker, attributes }) =>
      breaker === undefined ? [] : [{ value: BREAKER.indexOf(breaker), attributes }],
  },
  {
    name: 'longwire.client.principals',
    description: 'Principals that have a session of their own',
    unit: '{session}',
    attributes: OF_SERVER,
    kind: 'gauge',
    merge: sum,
    read: ({ principals, attributes }) =>
      principals === undefined ? [] : [{ value: principals, attributes }],
  },
  {
    name: 'longwire.client.pool.connections',
    description: 'Connections of a pool, by their target and whether they are busy',
    unit: '{connection}',
    attributes: OF_SERVER,
    kind: 'gauge',
    merge: sum,
    read: ({ pool, attributes }) =>
      pool.flatMap(({ target, busy, idle }) =>
        Object.entries({ busy, idle }).map(([state, value]) => ({
          value,
          attributes: { ...attributes, [names.TARGET]: target, [names.STATE]: state },
        })),
      ),
  },
  {
    name: 'longwire.client.pool.ejected',
    description: '1 for a target of a pool that is left out after failures',
    unit: '{target}',
    attributes: OF_SERVER,
    kind: 'gauge',
    merge: Math.max,
    read: ({ pool, attributes }) =>
      pool.map(({ target, ejectedMs }) => ({
        value: ejectedMs > 0 ? 1 : 0,
        attributes: { ...attributes, [names.TARGET]: target },
      })),
  },
];

const ofCache = (
  name: string,
  description: string,
  unit: string,
  read: (stats: CacheStats) => number,
  kind: 'gauge' | 'counter' = 'gauge',
): Observation<CacheStats> => ({
  name: `longwire.client.cache.${name}`,
  description,
  unit,
  // In Prometheus a metric without any label has a value before there is one.
  attributes: [names.SERVER_NAME],
  kind,
  merge: sum,
  read: (stats) => [{ value: read(stats), attributes: {} }],
});

/** Every metric of a cache. */
export const OF_CACHES: readonly Observation<CacheStats>[] = [
  ofCache('hits', 'Calls that a cache answered', '{call}', ({ hits }) => hits, 'counter'),
  ofCache(
    'misses',
    'Calls that a cache might have answered and did not',
    '{call}',
    ({ misses }) => misses,
    'counter',
  ),
  ofCache('entries', 'Results that are kept', '{result}', ({ entries }) => entries),
  ofCache('size', 'What is kept', 'By', ({ bytes }) => bytes),
];

/** The instruments of one registry or one meter, shared by all that has it: a name is taken once. */
export class Instruments {
  readonly operation: (series: Attributes) => (seconds: number) => void;
  readonly requestSize: (series: Attributes) => (bytes: number) => void;
  readonly responseSize: (series: Attributes) => (bytes: number) => void;
  readonly #session: (series: Attributes) => (seconds: number) => void;
  readonly #servers = new Readings(readServers, (source) =>
    watchSessions(source, ({ attributes, durationMs }) =>
      this.#session(attributes)(durationMs / 1000),
    ),
  );
  readonly #caches = new Readings<ObservedCache, CacheStats>((cache) => [cache.stats()]);

  constructor(sink: MetricsSink) {
    this.operation = sink.histogram(OPERATION, names.DURATION_BUCKETS);
    this.#session = sink.histogram(SESSION, names.DURATION_BUCKETS);
    this.requestSize = sink.histogram(REQUEST_SIZE, SIZES);
    this.responseSize = sink.histogram(RESPONSE_SIZE, SIZES);
    for (const one of OF_SERVERS) sink[one.kind](one, () => this.#servers.of(one));
    for (const one of OF_CACHES) sink[one.kind](one, () => this.#caches.of(one));
  }

  /**
   * Reads a source whenever metrics are asked for, until the function returned is called.
   *
   * @throws TypeError for what is no source.
   */
  observe(source: Observed): () => void {
    if (isCache(source)) return this.#caches.add(source);
    if (!isSource(source)) {
      throw new TypeError('observe: not a client, a pool, a group, or a cache()');
    }
    return this.#servers.add(source);
  }
}

/** A cache is a middleware, which is a function. */
function isCache(source: Observed): source is ObservedCache {
  return typeof source === 'function' && 'stats' in source;
}

function isSource(source: Observed): source is ObservedClient | ObservedGroup {
  const { on, stats, status } = (source as Partial<ObservedClient> | null | undefined) ?? {};
  return typeof on === 'function' && (typeof stats === 'function' || typeof status === 'function');
}

/** What some sources say now: each is asked once, however many metrics are collected at a time. */
class Readings<Source, Read> {
  readonly #read: (source: Source) => readonly Read[];
  readonly #watch: ((source: Source) => () => void) | undefined;
  /** How often each is observed, and what ends watching it. */
  readonly #sources = new Map<Source, { times: number; stop: (() => void) | undefined }>();
  #latest: readonly Read[] | undefined;

  /** `watch` is called once for each source, however often it is observed. */
  constructor(read: (source: Source) => readonly Read[], watch?: (source: Source) => () => void) {
    this.#read = read;
    this.#watch = watch;
  }

  add(source: Source): () => void {
    const observed = this.#sources.get(source) ?? { times: 0, stop: this.#watch?.(source) };
    observed.times += 1;
    this.#sources.set(source, observed);
    let isAdded = true;
    return () => {
      if (!isAdded) return;
      isAdded = false;
      observed.times -= 1;
      if (observed.times > 0) return;
      this.#sources.delete(source);
      observed.stop?.();
    };
  }

  /** The series of a metric. */
  of({ read, merge }: Observation<Read>): Reading[] {
    const series = new Map<string, Reading>();
    for (const one of this.#now()) {
      for (const { value, attributes } of read(one)) {
        const key = JSON.stringify(attributes);
        const before = series.get(key);
        const merged = before === undefined ? value : merge(before.value, value);
        series.set(key, { value: merged, attributes });
      }
    }
    return [...series.values()];
  }

  #now(): readonly Read[] {
    if (this.#latest === undefined) {
      this.#latest = [...this.#sources.keys()].flatMap((source) => this.#read(source));
      queueMicrotask(() => (this.#latest = undefined));
    }
    return this.#latest;
  }
}
