import { AsyncResource } from 'node:async_hooks';
import type { ChannelOptions, Dialect, Limits } from '../channels/channel.js';
import { DEFAULT_MAX_EVENT_BYTES } from '../channels/event-stream.js';
import { CookieJar } from '../channels/cookies.js';
import { headerSource } from '../channels/headers.js';
import { runsProgramsCode } from '../channels/http.js';
import { DEFAULT_JSON_BOUNDS, type JsonBounds } from '../channels/json.js';
import { TrafficCounts } from '../channels/traffic-counts.js';
import { nearest } from '../nearest.js';
import { KnownSecrets } from '../secrets/known-secrets.js';
import { PROTOCOL_VERSIONS, type Protocol } from '../target/protocol-version.js';
import type { Target } from '../target/target.js';
import { checkSharing, type Middleware } from './middleware.js';
import { DEFAULT_LIST_BOUNDS, type ListBounds } from './pages.js';
import type { RetryPolicy } from './retry.js';

/** How long things may take, in milliseconds. */
export interface Timeouts {
  /**
   * From the first packet to a finished handshake, all candidates together. Default 30 000; to a
   * command 60 000, because `npx` and its like may have to fetch it first.
   */
  connectMs?: number;
}

/** How a lost connection comes back. */
export interface RetryOptions {
  /**
   * How often it is dialled without getting an answer to a request in between; then it rests until
   * the next request. A request that waits for it is waited with beyond that, as long as the server
   * is away and the request has time. It is also how often a request that does no harm when it runs
   * twice is sent again. 0: never. Default 5.
   */
  maxAttempts?: number;
  /**
   * The delay before the first dial, in milliseconds; it doubles with every further one. Each delay
   * is drawn between the half and the whole of that. Default 250.
   */
  firstDelayMs?: number;
  /**
   * The longest delay, in milliseconds, also if the server asks for a longer one by `retry:` or
   * `Retry-After`. Default 30 000.
   */
  maxDelayMs?: number;
  /** Whether all this goes for the very first dial, too. Default `false`: it is tried once. */
  firstConnect?: boolean;
}

/** How a connection that is dead without saying so is found out. */
export interface HeartbeatOptions {
  /**
   * For how long nothing may arrive, not even a comment, before the server is asked with a `ping`;
   * in milliseconds. `Infinity`: silence is never asked about. Default 30 000.
   *
   * Over Streamable HTTP, a stream on which the server speaks unasked is opened anew when nothing
   * has come on it for ten times that.
   *
   * A line on which the program asks nothing gets one `ping` all the same, after half of that and
   * at most 15 s: its answer is what refills `retry.maxAttempts`.
   */
  silenceMs?: number;
  /** How long nothing may arrive after that until the connection counts as lost, in milliseconds. Default 10 000. */
  timeoutMs?: number;
}

/** Options of a connection. */
export interface ConnectionOptions extends Partial<ChannelOptions> {
  /** How long things may take. */
  timeouts?: Timeouts;
  /** How a lost connection comes back. */
  retry?: RetryOptions;
  /** How a connection that is dead without saying so is found out. */
  heartbeat?: HeartbeatOptions;
  /** Speak this dialect and no other. Default: found out. */
  transport?: Dialect;
  /**
   * Speak this version of the protocol and no other: a server that does not is an error of code
   * `not-mcp`. With `auto` the version is found out. Of a server that speaks 2026-07-28 and older
   * versions, 2026-07-28 is taken, unless the program can be asked by elicitation, sampling or roots:
   * then an older one, in which every tool that asks can ask. Default `auto`.
   */
  protocol?: Protocol;
  /** What stands around every request; the first is outermost. Default: nothing. */
  middleware?: readonly Middleware[];
}

/** Defaults of a connection; durations in milliseconds. */
export const CONNECTION_DEFAULTS: {
  connectMs: Readonly<Record<Target['kind'], number>>;
  maxInFlight: number;
  retry: Required<RetryOptions>;
  heartbeat: Required<HeartbeatOptions>;
} = {
  connectMs: { url: 30_000, command: 60_000, server: 30_000 },
  maxInFlight: 10_000,
  retry: { maxAttempts: 5, firstDelayMs: 250, maxDelayMs: 30_000, firstConnect: false },
  heartbeat: { silenceMs: 30_000, timeoutMs: 10_000 },
};

/** The names of a connection's options. */
export const CONNECTION_OPTION_NAMES: readonly (keyof ConnectionOptions)[] = [
  'headers',
  'auth',
  'limits',
  'cookies',
  'dispatcher',
  'timeouts',
  'retry',
  'heartbeat',
  'middleware',
  'transport',
  'protocol',
];

/** A timer of more than this would fire at once. */
export const MAX_TIMER_MS = 2_147_483_647;

const DIALECTS: readonly Dialect[] = [
  'sse',
  'streamable-http',
  'stdio',
  'in-memory',
  'tool-events',
];

const PROTOCOLS: readonly Protocol[] = ['auto', ...PROTOCOL_VERSIONS];

/** Options with the defaults filled in. */
export interface ResolvedConnectionOptions extends ConnectionOptions {
  connectMs: number;
  maxEventBytes: number;
  protocol: Protocol;
  jsonBounds: JsonBounds;
  listBounds: ListBounds;
  maxInFlight: number;
  retry: RetryPolicy;
  heartbeat: Required<HeartbeatOptions>;
  /** Of all connections that are made with these options. */
  counts: TrafficCounts;
  /** The cookies of all of them; `undefined` if none are kept. */
  cookieJar: CookieJar | undefined;
  /** What is sent and must not be told, on all connections that are made with these options. */
  secrets: KnownSecrets;
  /** Stands for the client or the pool that makes connections with them. */
  client: object;
  /** The async context in which they were given: that of what belongs to no call. */
  scope: AsyncResource;
  /** Whether something of the program's is run for a call after it has been made. */
  keepsScopes: boolean;
}

/**
 * Checks the options of a connection to a kind of target, and fills in the defaults. `client` stands
 * for whose it is.
 *
 * @throws TypeError that names the option.
 */
export function resolveConnectionOptions(
  options: ConnectionOptions,
  kind: Target['kind'] = 'url',
  client: object = {},
): ResolvedConnectionOptions {
  const { headers, limits, timeouts, dispatcher, auth, cookies } = options;
  const { transport, protocol = 'auto' } = options;
  checkGroup('timeouts', timeouts, ['connectMs']);
  checkGroup('auth', auth, ['onChallenge']);
  checkPositive('timeouts.connectMs', timeouts?.connectMs);
  checkLimits(limits);
  if (headers !== undefined) headerSource(headers);
  if (transport !== undefined && !DIALECTS.includes(transport)) {
    throw new TypeError(
      `transport: ${JSON.stringify(transport)} is none of ${DIALECTS.join(', ')}`,
    );
  }
  if (!PROTOCOLS.includes(protocol)) {
    throw new TypeError(`protocol: ${JSON.stringify(protocol)} is none of ${PROTOCOLS.join(', ')}`);
  }
  if (dispatcher !== undefined && typeof dispatcher.dispatch !== 'function') {
    throw new TypeError('dispatcher: not an undici Dispatcher');
  }
  if (cookies !== undefined && typeof cookies !== 'boolean') {
    throw new TypeError('cookies: neither true nor false');
  }
  if (auth?.onChallenge !== undefined && typeof auth.onChallenge !== 'function') {
    throw new TypeError('auth.onChallenge: not a function');
  }
  checkMiddleware(options.middleware, headers);
  return {
    ...options,
    retry: resolveRetry(options.retry),
    heartbeat: resolveHeartbeat(options.heartbeat),
    protocol,
    connectMs: Math.min(timeouts?.connectMs ?? CONNECTION_DEFAULTS.connectMs[kind], MAX_TIMER_MS),
    maxEventBytes: limits?.maxEventBytes ?? DEFAULT_MAX_EVENT_BYTES,
    jsonBounds: {
      maxJsonDepth: limits?.maxJsonDepth ?? DEFAULT_JSON_BOUNDS.maxJsonDepth,
      maxJsonValues: limits?.maxJsonValues ?? DEFAULT_JSON_BOUNDS.maxJsonValues,
    },
    listBounds: {
      maxListBytes: limits?.maxListBytes ?? DEFAULT_LIST_BOUNDS.maxListBytes,
      maxListItems: limits?.maxListItems ?? DEFAULT_LIST_BOUNDS.maxListItems,
      maxListPages: limits?.maxListPages ?? DEFAULT_LIST_BOUNDS.maxListPages,
    },
    maxInFlight: limits?.maxInFlight ?? CONNECTION_DEFAULTS.maxInFlight,
    counts: new TrafficCounts(),
    cookieJar: cookies === false ? undefined : new CookieJar(),
    secrets: new KnownSecrets(),
    client,
    scope: new AsyncResource('longwire.connection'),
    keepsScopes: runsProgramsCode(options),
  };
}

const LIMIT_NAMES: readonly (keyof Limits)[] = [
  'maxEventBytes',
  'maxInFlight',
  'maxJsonDepth',
  'maxJsonValues',
  'maxListBytes',
  'maxListItems',
  'maxListPages',
];

/** Deeper than this, functions that call themselves for each level may run out of stack. */
const MAX_JSON_DEPTH = 1000;

function checkLimits(limits: Limits | undefined): void {
  checkGroup('limits', limits, LIMIT_NAMES);
  for (const name of LIMIT_NAMES) checkPositive(`limits.${name}`, limits?.[name]);
  const depth = limits?.maxJsonDepth;
  if (depth !== undefined && depth > MAX_JSON_DEPTH) {
    throw new TypeError(`limits.maxJsonDepth: ${depth} is more than ${MAX_JSON_DEPTH}`);
  }
}

function checkMiddleware(middleware: unknown, headers: unknown): void {
  if (middleware === undefined) return;
  if (!Array.isArray(middleware)) throw new TypeError('middleware: not an array');
  for (const [index, each] of middleware.entries()) {
    if (typeof each !== 'function') throw new TypeError(`middleware[${index}]: not a function`);
  }
  checkSharing(middleware as Middleware[], headers);
}

function resolveRetry(retry: RetryOptions | undefined): RetryPolicy {
  const { maxAttempts, firstDelayMs, maxDelayMs, firstConnect } = CONNECTION_DEFAULTS.retry;
  checkGroup('retry', retry, ['maxAttempts', 'firstDelayMs', 'maxDelayMs', 'firstConnect']);
  checkCount('retry.maxAttempts', retry?.maxAttempts);
  checkPositive('retry.firstDelayMs', retry?.firstDelayMs);
  checkPositive('retry.maxDelayMs', retry?.maxDelayMs);
  if (retry?.firstConnect !== undefined && typeof retry.firstConnect !== 'boolean') {
    throw new TypeError('retry.firstConnect: neither true nor false');
  }
  return {
    maxAttempts: retry?.maxAttempts ?? maxAttempts,
    firstDelayMs: retry?.firstDelayMs ?? firstDelayMs,
    maxDelayMs: Math.min(retry?.maxDelayMs ?? maxDelayMs, MAX_TIMER_MS),
    firstConnect: retry?.firstConnect ?? firstConnect,
    random: Math.random,
  };
}

function resolveHeartbeat(heartbeat: HeartbeatOptions | undefined): Required<HeartbeatOptions> {
  const { silenceMs, timeoutMs } = CONNECTION_DEFAULTS.heartbeat;
  checkGroup('heartbeat', heartbeat, ['silenceMs', 'timeoutMs']);
  checkPositive('heartbeat.silenceMs', heartbeat?.silenceMs);
  checkPositive('heartbeat.timeoutMs', heartbeat?.timeoutMs);
  return {
    silenceMs: heartbeat?.silenceMs ?? silenceMs,
    timeoutMs: Math.min(heartbeat?.timeoutMs ?? timeoutMs, MAX_TIMER_MS),
  };
}

/** Checks a group of options, if it is given. */
export function checkGroup(name: string, group: unknown, known: readonly string[]): void {
  if (group === undefined) return;
  if (typeof group !== 'object' || group === null || Array.isArray(group)) {
    throw new TypeError(`${name}: not an object`);
  }
  checkOptionNames(group, known, `${name}.`);
}

/**
 * Refuses options that do not exist: a misspelt one would be ignored without a word.
 *
 * @throws TypeError that names the option.
 */
export function checkOptionNames(options: object, known: readonly string[], prefix = ''): void {
  for (const name of Object.keys(options)) {
    if (!known.includes(name)) {
      const [near] = nearest(name, known);
      const guess = near === undefined || known.length === 1 ? '' : `; did you mean ${near}?`;
      throw new TypeError(
        `${prefix}${name}: no such option; there are ${known.join(', ')}${guess}`,
      );
    }
  }
}

/**
 * Checks a number that must be above zero, if it is given.
 *
 * @throws TypeError that names the option.
 */
export function checkPositive(name: string, value: number | undefined): void {
  if (value === undefined) return;
  if (typeof value !== 'number' || !(value > 0)) {
    throw new TypeError(`${name}: ${shown(value)} is not a number above 0`);
  }
}

function checkCount(name: string, value: number | undefined): void {
  if (value === undefined || value === Infinity) return;
  if (!Number.isInteger(value) || value < 0) {
    throw new TypeError(`${name}: ${shown(value)} is not a whole number from 0, or Infinity`);
  }
}

/** A string looks like one: `'5'` is not 5. */
function shown(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value) : String(value);
}
