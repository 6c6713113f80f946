import type { Result } from '@modelcontextprotocol/client';
import { LRUCache } from 'lru-cache';
import { stringify } from 'safe-stable-stringify';
import type { McpRequest, McpResponse, Middleware, Next } from './contract.js';
import { LongwireError } from '../errors.js';
import { toolOf, toolTable } from './tools.js';
import { unlessAborted } from './waiting.js';
import { checkPositive } from '../options/checks.js';
import { checkOptions, withDefaults, type OptionTable } from '../options/option.js';
import { hintsOf } from '../tools/hints.js';

/** Options of {@link cache}. */
export interface CacheOptions {
  /** How long a result is good, in milliseconds, where `tools` says nothing else. Default 60 000. */
  ttlMs?: number;
  /**
   * How long results of a tool are good, by its name or by pattern (`get_*`), in milliseconds.
   * `true`: for `ttlMs`; `false`: never kept. The results of a tool that is not named are kept if its
   * server lists it with `readOnlyHint`.
   */
  tools?: Readonly<Record<string, number | boolean>>;
  /** How many results are kept; beyond that, the least recently used is dropped. Default 1 000. */
  maxEntries?: number;
  /**
   * How many bytes all results and their keys may take as JSON; a larger one is not kept. Default
   * 16 777 216; that is 16 MiB.
   */
  maxBytes?: number;
  /**
   * Headers, in lower case, that may differ between calls that are the same. Calls that differ in any
   * other header that they have here, credentials above all, are not the same. Default:
   * `['x-request-id']`.
   */
  ignoreHeaders?: readonly string[];
  /**
   * Says who asks, instead of the headers and the `_meta` that a call has here: a result is for calls
   * with the same key alone. It runs in the async context of the call. With it any middleware may
   * come after the cache, and `headers` may be a function: the program then makes sure that the key
   * differs wherever the server distinguishes callers. Default: headers and `_meta`.
   */
  key?: (request: McpRequest) => string;
}

/** Every option of a cache. */
export const CACHE: OptionTable<
  CacheOptions,
  'ttlMs' | 'maxEntries' | 'maxBytes' | 'ignoreHeaders'
> = {
  ttlMs: { kind: 'duration', default: 60_000 },
  tools: { kind: 'other' },
  maxEntries: { kind: 'whole', default: 1000 },
  maxBytes: { kind: 'whole', default: 16_777_216, otherwise: 'that is 16 MiB' },
  ignoreHeaders: { kind: 'texts', default: ['x-request-id'], otherwise: "`['x-request-id']`" },
  key: { kind: 'function', otherwise: 'headers and `_meta`' },
};

/** What a cache has done so far, and holds now. */
export interface CacheStats {
  /** Calls that were answered without asking the server. */
  hits: number;
  /** Calls that asked the server, of those that may be kept. */
  misses: number;
  /** Results that were dropped to make room for others. */
  evictions: number;
  entries: number;
  bytes: number;
}

/** The middleware that {@link cache} makes. */
export interface ToolCache extends Middleware {
  /** Drops all results, as when the server changes its tools. Results of calls in flight are not kept. */
  clear(): void;
  /** What it has done so far, and holds now. */
  stats(): CacheStats;
}

/** What others get from a call that they wait for: its result, or that they must ask themselves. */
type Shared = { text: string } | 'ask-again' | 'not-shared';

/**
 * Keeps results of tools that only read: by the hints of the server's `tools/list`, or by `tools`.
 *
 * - Kept are complete results without `isError`, of calls without progress.
 * - Calls of the same name and arguments, in any order of their members, are the same. Of several at
 *   once, one asks the server, and the others get its answer, or its error.
 * - Every caller gets an object of its own. `metadata.cache` of a response says `hit` or `miss`, where
 *   it may be kept.
 * - When the server changes its tools, all its results are dropped.
 *
 * A result is only for who asked for it: for calls of the same client (or pool), with the same headers
 * and `_meta` here (traces and `ignoreHeaders` apart). So a middleware that says who asks comes before
 * the cache: `[bearer(token), cache()]`. If one comes after it, or the client's `headers` are a
 * function, making the client throws a `TypeError`, unless `key` is given.
 *
 * @throws TypeError that names a wrong option.
 */
export function cache(options: CacheOptions = {}): ToolCache {
  const results = new Results(options);
  const middleware: Middleware = async (request, next) => {
    const entry = request.internal ? undefined : results.entryOf(request);
    return entry === undefined ? next() : results.answer(request, entry, next);
  };
  const clear = (): void => results.clear();
  return Object.assign(middleware, {
    addsNoIdentity: true,
    sharesResults: options.key === undefined,
    clear,
    onToolsChanged: (client: object) => results.drop(client),
    stats: () => results.stats(),
  });
}

/** A call in flight, for whose result others may wait. */
class Flight {
  readonly shared: Promise<Shared>;
  resolve!: (shared: Shared) => void;
  reject!: (error: unknown) => void;

  constructor() {
    this.shared = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
    // Usually nobody waits.
    this.shared.catch(() => {});
  }
}

/** Where the result of a call would be kept, and for how long. */
interface Entry {
  key: string;
  ttlMs: number;
}

/** What is known of one client. A new one replaces it when its results are dropped. */
interface ClientEntries {
  /** The beginning of its keys, and of no other's. */
  readonly prefix: string;
  /** Its calls in flight, by key. */
  readonly flights: Map<string, Flight>;
}

class Results {
  readonly #ttlMs: number;
  readonly #ttlOf: (tool: string) => number | boolean | undefined;
  readonly #ignoreHeaders: ReadonlySet<string>;
  readonly #identityOf: ((request: McpRequest) => string) | undefined;
  /** As JSON: it takes the least room, and every reader makes an object of its own from it. */
  readonly #texts: LRUCache<string, string>;
  #clients = new WeakMap<object, ClientEntries>();
  #lastClient = 0;
  #hits = 0;
  #misses = 0;
  #evictions = 0;

  constructor(options: CacheOptions) {
    checkOptions(options, CACHE, 'cache');
    const { ttlMs, tools, key, ...bounds } = withDefaults(CACHE, options);
    const { maxEntries, maxBytes, ignoreHeaders } = bounds;
    this.#identityOf = key;
    this.#ttlMs = ttlMs;
    this.#ttlOf = toolTable('cache.tools', tools, (name, value) => {
      if (typeof value !== 'boolean') checkPositive(name, value ?? Number.NaN);
    });
    this.#ignoreHeaders = new Set(ignoreHeaders.map((name) => name.toLowerCase()));
    this.#texts = new LRUCache({
      max: maxEntries,
      maxSize: maxBytes,
      sizeCalculation: (text, key) => Buffer.byteLength(text) + Buffer.byteLength(key),
      // Any other resolution is a timer.
      ttlResolution: 0,
      // The clock of the moment, which a program may have replaced since this was loaded.
      perf: { now: () => performance.now() },
      dispose: (_text, _key, reason) => {
        if (reason === 'evict') this.#evictions++;
      },
    });
  }

  /** Where the answer to a request belongs, if it is one to keep. */
  entryOf(request: McpRequest): Entry | undefined {
    const tool = toolOf(request);
    if (tool === undefined) return undefined;
    const ttl = this.#ttlOf(tool) ?? hintsOf(request.client)?.isReadOnly(tool) === true;
    const ttlMs = ttl === true ? this.#ttlMs : ttl;
    if (ttlMs === false) return undefined;
    const { name, arguments: args = {}, _meta, ...rest } = request.params ?? {};
    // Such a call is more than its arguments: a task, or the answer to a question of the server.
    if (Object.keys(rest).length > 0) return undefined;
    // Progress that does not come by here looks like none.
    const wantsProgress = (_meta as Record<string, unknown> | undefined)?.['progressToken'];
    if (wantsProgress !== undefined && request.onProgress === undefined) return undefined;
    const key = this.#keyOf(request, [name, args]);
    return key === undefined ? undefined : { key, ttlMs };
  }

  /** Answers from what is kept; else one of the calls that want it asks the server. */
  async answer(request: McpRequest, entry: Entry, next: Next): Promise<McpResponse> {
    for (;;) {
      const kept = this.#texts.get(entry.key);
      if (kept !== undefined) return this.#hit(kept);
      const flight = this.#entriesOf(request.client).flights.get(entry.key);
      if (flight === undefined) return this.#ask(request, entry, next);
      const shared = await unlessAborted(flight.shared, request.signal);
      if (typeof shared === 'object') return this.#hit(shared.text);
      if (shared === 'not-shared') return this.#miss(await next());
    }
  }

  /** Calls that wait keep waiting; no other joins them, and their result is not kept. */
  clear(): void {
    this.#texts.clear();
    this.#clients = new WeakMap();
  }

  /** As `clear`, for the results of one client. */
  drop(client: object): void {
    const { prefix } = this.#entriesOf(client);
    for (const key of this.#texts.keys()) if (key.startsWith(prefix)) this.#texts.delete(key);
    this.#clients.delete(client);
  }

  stats(): CacheStats {
    this.#texts.purgeStale();
    return {
      hits: this.#hits,
      misses: this.#misses,
      evictions: this.#evictions,
      entries: this.#texts.size,
      bytes: this.#texts.calculatedSize,
    };
  }

  /** Asks the server, and shares the result with the calls that wait for it. */
  async #ask(request: McpRequest, { key, ttlMs }: Entry, next: Next): Promise<McpResponse> {
    const entries = this.#entriesOf(request.client);
    const { flights } = entries;
    const flight = new Flight();
    flights.set(key, flight);
    const leave = (): void => {
      if (flights.get(key) === flight) flights.delete(key);
    };
    const { onProgress } = request;
    let hasProgress = false;
    request.onProgress = (progress) => {
      hasProgress = true;
      // Progress goes to one caller alone: the others ask for their own.
      leave();
      flight.resolve('not-shared');
      onProgress?.(progress);
    };
    try {
      const response = await next();
      const text = hasProgress ? undefined : textOf(response.result);
      const isCurrent = this.#clients.get(request.client) === entries;
      if (text !== undefined && isCurrent && response.result['isError'] !== true) {
        this.#texts.set(key, text, { ttl: ttlMs });
      }
      leave();
      flight.resolve(text === undefined ? 'not-shared' : { text });
      return this.#miss(response);
    } catch (error) {
      leave();
      // The others do not fail because the one that asked was aborted or is out of time.
      if (request.signal.aborted || isOutOfTime(error)) flight.resolve('ask-again');
      else flight.reject(error);
      throw error;
    } finally {
      request.onProgress = onProgress;
    }
  }

  #hit(text: string): McpResponse {
    this.#hits++;
    return { result: JSON.parse(text) as Result, metadata: { cache: 'hit' } };
  }

  #miss(response: McpResponse): McpResponse {
    this.#misses++;
    response.metadata['cache'] = 'miss';
    return response;
  }

  #entriesOf(client: object): ClientEntries {
    let entries = this.#clients.get(client);
    if (entries === undefined) {
      entries = { prefix: `${++this.#lastClient} `, flights: new Map() };
      this.#clients.set(client, entries);
    }
    return entries;
  }

  #keyOf(request: McpRequest, call: unknown[]): string | undefined {
    const identity =
      this.#identityOf === undefined ? this.#identity(request) : given(this.#identityOf(request));
    try {
      return this.#entriesOf(request.client).prefix + stringify([...call, identity]);
    } catch {
      // It is nothing that can be sent, either.
      return undefined;
    }
  }

  /** Everything beside the call itself that can say who asks. */
  #identity({ headers, params }: McpRequest): unknown[] {
    const saying = Object.entries(headers).filter(([header]) => !this.#ignoreHeaders.has(header));
    const meta = Object.entries(params?.['_meta'] ?? {}).filter(([key]) => !SILENT_META.has(key));
    return [Object.fromEntries(saying), Object.fromEntries(meta)];
  }
}

/** Members of `_meta` that differ for each call, and do not say who makes it. */
const SILENT_META: ReadonlySet<string> = new Set(['progressToken', 'traceparent', 'tracestate']);

/** A result under no key would be everybody's. */
function given(key: unknown): string {
  if (typeof key === 'string') return key;
  throw new TypeError(`cache.key gave ${typeof key}, and not a string`);
}

/** A complete result, as JSON. */
function textOf(result: Result): string | undefined {
  if (result['resultType'] !== undefined && result['resultType'] !== 'complete') return undefined;
  try {
    return JSON.stringify(result);
  } catch {
    return undefined;
  }
}

function isOutOfTime(error: unknown): boolean {
  return error instanceof LongwireError && (error.code === 'timeout' || error.code === 'deadline');
}
