import type { Result } from '@modelcontextprotocol/client';
import { LRUCache } from 'lru-cache';
import { stringify } from 'safe-stable-stringify';
import { checkGroup, checkPositive } from '../connection/options.js';
import type { McpRequest, McpResponse, Middleware, Next } from '../connection/middleware.js';
import { LongwireError } from '../errors.js';
import { checkFunction, checkTexts, checkWhole } from './option-checks.js';
import { ToolHints, toolOf, toolTable } from './tools.js';
import { unlessAborted } from './waiting.js';

/** Options of {@link cache}. */
export interface CacheOptions {
  /** How long a result is good, in milliseconds, where `tools` says nothing else. Default 60 000. */
  ttlMs?: number;
  /**
   * How long results of a tool are good, by its name or by pattern (`get_*`), in milliseconds.
   * `true`: for `ttlMs`; `false`: never kept. A tool that is not named is kept if its server marks
   * it `readOnlyHint`.
   */
  tools?: Readonly<Record<string, number | boolean>>;
  /** How many results are kept; the one that was used least lately goes. Default 1000. */
  maxEntries?: number;
  /** How many bytes all results and their keys take as JSON; a larger one is not kept. Default 16 MiB. */
  maxBytes?: number;
  /**
   * Headers, in lower case, that may differ between calls that are the same. All others that a
   * call has when it comes here, credentials above all, make it another one. Default
   * `['x-request-id']`.
   */
  ignoreHeaders?: readonly string[];
  /**
   * Says who asks, in place of the headers and the `_meta` that a call has when it comes here: a
   * result is for calls with the same key alone. It runs in the async context of the call. With it
   * anything may stand behind the cache, and `headers` may be a function: that the key tells apart
   * whoever the server tells apart is the program's affair then. Default: headers and `_meta`.
   */
  key?: (request: McpRequest) => string;
}

/** What a cache has done so far, and holds now. */
export interface CacheStats {
  /** Calls that were answered without asking the server. */
  hits: number;
  /** Calls that asked the server, of those that may be kept. */
  misses: number;
  /** Results that had to go for others. */
  evictions: number;
  entries: number;
  bytes: number;
}

/** The middleware that {@link cache} makes. */
export interface ToolCache extends Middleware {
  /** Forgets all results, as when the server changes its tools; those on their way are not kept. */
  clear(): void;
  /** What it has done so far, and holds now. */
  stats(): CacheStats;
}

/** What came of a call on which others wait: its result, or that they are on their own. */
type Shared = { text: string } | 'ask-again' | 'not-shared';

/**
 * Keeps results of tools that only look, by what the server's `tools/list` says when it passes by,
 * or by `tools`. Kept are complete results without `isError` of calls that made no progress; calls
 * of the same name and arguments, in whatever order, are the same. Of several at once, one asks
 * the server, and the others get its answer, or its error. Every caller gets an object of its own.
 * `metadata.cache` of a response says `hit` or `miss`, where it may be kept. When the server changes
 * its tools, all its results are forgotten.
 *
 * A result is for who asked for it: for calls of the same client (or pool), with the same headers
 * and `_meta` when they come here (traces and `ignoreHeaders` apart). So whatever tells the server
 * who asks has to stand before the cache: `[bearer(token), cache()]`. Where it does not, or the
 * client's `headers` are a function, the client is refused as a `TypeError`, unless `key` is given.
 *
 * @throws TypeError that names a wrong option.
 */
export function cache(options: CacheOptions = {}): ToolCache {
  const results = new Results(options);
  const middleware: Middleware = async (request, next) => {
    const entry = request.internal ? undefined : results.entryOf(request);
    if (entry !== undefined) return results.answer(request, entry, next);
    const response = await next();
    results.hints.learn(request, response.result);
    return response;
  };
  const clear = (): void => results.clear();
  return Object.assign(middleware, {
    addsNoIdentity: true,
    sharesResults: options.key === undefined,
    clear,
    onToolsChanged: (client: object) => results.forget(client),
    stats: () => results.stats(),
  });
}

/** A call that is under way, and on which others may wait. */
class Flight {
  readonly shared: Promise<Shared>;
  resolve!: (shared: Shared) => void;
  reject!: (error: unknown) => void;

  constructor() {
    this.shared = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
    // Mostly nobody waits.
    this.shared.catch(() => {});
  }
}

/** Where the result of a call would be kept, and for how long. */
interface Entry {
  key: string;
  ttlMs: number;
}

/** What is known of one client. When its results are forgotten, another one takes its place. */
interface ClientEntries {
  /** What its keys begin with, and no other's do. */
  readonly prefix: string;
  /** Its calls that are under way, by key. */
  readonly flights: Map<string, Flight>;
}

class Results {
  readonly hints: ToolHints = new ToolHints();
  readonly #ttlMs: number;
  readonly #ttlOf: (tool: string) => number | boolean | undefined;
  readonly #ignoreHeaders: ReadonlySet<string>;
  readonly #identityOf: ((request: McpRequest) => string) | undefined;
  /** As JSON: it takes the least room, and every reader makes an object of its own of it. */
  readonly #texts: LRUCache<string, string>;
  #clients = new WeakMap<object, ClientEntries>();
  #lastClient = 0;
  #hits = 0;
  #misses = 0;
  #evictions = 0;

  constructor(options: CacheOptions) {
    checkGroup('cache', options, [
      'ttlMs',
      'tools',
      'maxEntries',
      'maxBytes',
      'ignoreHeaders',
      'key',
    ]);
    const { ttlMs = 60_000, tools, maxEntries = 1000, maxBytes = 16 * 1024 * 1024 } = options;
    const { ignoreHeaders = ['x-request-id'] } = options;
    checkPositive('cache.ttlMs', ttlMs);
    checkWhole('cache.maxEntries', maxEntries);
    checkWhole('cache.maxBytes', maxBytes);
    checkTexts('cache.ignoreHeaders', ignoreHeaders);
    checkFunction('cache.key', options.key);
    this.#identityOf = options.key;
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
    const ttl = this.#ttlOf(tool) ?? this.hints.isReadOnly(request, tool);
    const ttlMs = ttl === true ? this.#ttlMs : ttl;
    if (ttlMs === false) return undefined;
    const { name, arguments: args = {}, _meta, ...rest } = request.params ?? {};
    // Such a call is more than its arguments: a task, or the answer to what the server asked.
    if (Object.keys(rest).length > 0) return undefined;
    // Progress that goes past here cannot be told from none.
    const wantsProgress = (_meta as Record<string, unknown> | undefined)?.['progressToken'];
    if (wantsProgress !== undefined && request.onProgress === undefined) return undefined;
    const key = this.#keyOf(request, [name, args]);
    return key === undefined ? undefined : { key, ttlMs };
  }

  /** Answers from what is kept, or has one of those that ask for it at once ask the server. */
  async answer(request: McpRequest, entry: Entry, next: Next): Promise<McpResponse> {
    for (;;) {
      const kept = this.#texts.get(entry.key);
      if (kept !== undefined) return this.#hit(kept);
      const flight = this.#entriesOf(request.client).flights.get(entry.key);
      if (flight === undefined) return this.#lead(request, entry, next);
      const shared = await unlessAborted(flight.shared, request.signal);
      if (typeof shared === 'object') return this.#hit(shared.text);
      if (shared === 'not-shared') return this.#miss(await next());
    }
  }

  /** Those that wait keep waiting; nobody joins them, and what comes is not kept. */
  clear(): void {
    this.#texts.clear();
    this.#clients = new WeakMap();
  }

  /** As `clear`, for the results of one client. */
  forget(client: object): void {
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

  /** Asks the server, and tells those that wait for the same. */
  async #lead(request: McpRequest, { key, ttlMs }: Entry, next: Next): Promise<McpResponse> {
    const entries = this.#entriesOf(request.client);
    const { flights } = entries;
    const flight = new Flight();
    flights.set(key, flight);
    const land = (): void => {
      if (flights.get(key) === flight) flights.delete(key);
    };
    const { onProgress } = request;
    let hasProgress = false;
    request.onProgress = (progress) => {
      hasProgress = true;
      // It goes to one caller alone: the others have to ask for theirs.
      land();
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
      land();
      flight.resolve(text === undefined ? 'not-shared' : { text });
      return this.#miss(response);
    } catch (error) {
      land();
      // That the one who asked has given up, or is out of time, is nothing to the others.
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
      this.#identityOf === undefined ? this.#told(request) : given(this.#identityOf(request));
    try {
      return this.#entriesOf(request.client).prefix + stringify([...call, identity]);
    } catch {
      // It is nothing that can be sent, either.
      return undefined;
    }
  }

  /** All that the server will be told beside the call itself, but for what says nothing of it. */
  #told({ headers, params }: McpRequest): unknown[] {
    const telling = Object.entries(headers).filter(([header]) => !this.#ignoreHeaders.has(header));
    const meta = Object.entries(params?.['_meta'] ?? {}).filter(([key]) => !SILENT_META.has(key));
    return [Object.fromEntries(telling), Object.fromEntries(meta)];
  }
}

/** What of `_meta` is another for each call, and tells nothing of who makes it. */
const SILENT_META: ReadonlySet<string> = new Set(['progressToken', 'traceparent', 'tracestate']);

/** Nobody in particular is not somebody: what is no key would be everybody's. */
function given(key: unknown): string {
  if (typeof key === 'string') return key;
  throw new TypeError(`cache.key gave ${typeof key}, and not a string`);
}

/** A result that is all there is, as JSON. */
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
