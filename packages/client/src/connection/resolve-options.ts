import { AsyncResource } from 'node:async_hooks';
import { CookieJar } from '../http/cookies.js';
import type { Credentials } from '../http/credentials.js';
import type { SharedDispatchers } from '../http/dispatchers.js';
import { headerSource } from '../http/headers.js';
import { runsProgramsCode } from '../http/client.js';
import { resolveNetwork, type Network } from '../http/network.js';
import type { JsonBounds } from '../untrusted/json.js';
import { TrafficCounts } from '../http/traffic-counts.js';
import type { ChannelOptions } from '../options/channel-options.js';
import { MAX_TIMER_MS } from '../options/checks.js';
import type { ConnectionOptions, HeartbeatOptions } from '../options/connection-options.js';
import { withDefaults } from '../options/option.js';
import {
  COMMAND_CONNECT_MS,
  HEARTBEAT,
  LIMITS,
  RETRY,
  TIMEOUTS,
} from '../options/connection-table.js';
import { KnownSecrets } from '../secrets/known-secrets.js';
import type { Protocol } from '../protocol-version.js';
import type { Target } from '../dial/target.js';
import { checkSharing, type Middleware } from '../middleware/contract.js';
import type { ListBounds } from './pages.js';
import type { RetryPolicy } from './retry.js';

/** Options with the defaults filled in. */
export interface ResolvedConnectionOptions extends ConnectionOptions {
  connectMs: number;
  maxEventBytes: number;
  protocol: Protocol;
  jsonBounds: JsonBounds;
  listBounds: ListBounds;
  maxInFlight: number;
  retry: RetryPolicy;
  /** Whether the hints of the server make a call safe to send again. */
  trustHints: boolean;
  heartbeat: Required<HeartbeatOptions>;
  /** Of all connections that are made with these options. */
  counts: TrafficCounts;
  /** How all of them reach their servers. */
  network: Network;
  /** The cookies of all of them; `undefined` if none are kept. */
  cookieJar: CookieJar | undefined;
  /** What is sent and must not be shown, on all connections that are made with these options. */
  secrets: KnownSecrets;
  /** The client or the pool that makes connections with them. */
  client: object;
  /** What the program calls the server; `undefined`: as its target is called. */
  name: string | undefined;
  /** The async context in which they were given: that of what belongs to no call. */
  scope: AsyncResource;
  /** Whether code of the program runs for a call after the call has been made. */
  keepsScopes: boolean;
  /** For whom the connection is made; `undefined` for the client itself. */
  principal?: Principal | undefined;
  /** The sockets of all principals of a client; `undefined`: the connection has its own. */
  sharedDispatchers?: SharedDispatchers | undefined;
}

/** For whom a connection is made. */
export interface Principal {
  readonly id: string;
  readonly credentials: Credentials;
}

/**
 * Fills in the defaults of a connection to a kind of target, and checks what a table cannot check.
 * `client` stands for the client or the pool to which the connection belongs.
 *
 * @throws TypeError that names the option.
 */
export function resolveConnectionOptions(
  options: ConnectionOptions,
  kind: Target['kind'] = 'url',
  client: object = {},
): ResolvedConnectionOptions {
  const { headers, dispatcher, proxy, tls, auth, cookies, protocol = 'auto' } = options;
  headerSource({ headers });
  if (dispatcher !== undefined && typeof dispatcher.dispatch !== 'function') {
    throw new TypeError('dispatcher: not an undici Dispatcher');
  }
  if (dispatcher !== undefined && (proxy ?? tls) !== undefined) {
    const other = proxy === undefined ? 'tls' : 'proxy';
    throw new TypeError(
      `dispatcher: not together with ${other}: it opens the connections itself; give it the ${other}, or leave it out`,
    );
  }
  checkMiddleware(options.middleware, auth?.headers ?? headers);
  const connectMs = kind === 'command' ? COMMAND_CONNECT_MS : TIMEOUTS.connectMs.default;
  const limits = withDefaults(LIMITS, options.limits);
  const { trustHints, ...retry } = withDefaults(RETRY, options.retry);
  const heartbeat = withDefaults(HEARTBEAT, options.heartbeat);
  return {
    ...options,
    retry: {
      ...retry,
      maxDelayMs: Math.min(retry.maxDelayMs, MAX_TIMER_MS),
      random: Math.random,
    },
    trustHints,
    heartbeat: { ...heartbeat, timeoutMs: Math.min(heartbeat.timeoutMs, MAX_TIMER_MS) },
    protocol,
    connectMs: Math.min(options.timeouts?.connectMs ?? connectMs, MAX_TIMER_MS),
    maxEventBytes: limits.maxEventBytes,
    jsonBounds: limits,
    listBounds: limits,
    maxInFlight: limits.maxInFlight,
    counts: new TrafficCounts(options.observe),
    network: resolveNetwork({ proxy, tls }),
    cookieJar: cookies === false ? undefined : new CookieJar(),
    secrets: new KnownSecrets(),
    client,
    name: undefined,
    scope: new AsyncResource('longwire.connection'),
    keepsScopes: runsProgramsCode(options),
  };
}

/**
 * The options of a connection for one principal. With the client it shares what the program gave, and
 * nothing that a server gave: no cookie, no session, no list. `client` stands for the principal.
 */
export function principalConnectionOptions(
  options: ResolvedConnectionOptions,
  principal: Principal,
  client: object,
): ResolvedConnectionOptions {
  const { auth, cookieJar, counts } = options;
  const { credentials } = principal;
  const ofService = auth?.onChallenge;
  const onChallenge: NonNullable<ChannelOptions['auth']['onChallenge']> = (status, ...rest) => {
    if (!credentials.areOwn) return ofService?.(status, ...rest) ?? 'fail';
    // The token is asked for again; what answers for the client must not answer for its principal.
    const [, { attempt }] = rest;
    return status === 401 && attempt === 1 && credentials.isTokenAsked ? 'retry' : 'fail';
  };
  const isAnswered = ofService !== undefined || credentials.isTokenAsked;
  return {
    ...options,
    ...(isAnswered && { auth: { ...auth, onChallenge } }),
    counts: new TrafficCounts(undefined, counts),
    cookieJar: cookieJar && new CookieJar(),
    secrets: new KnownSecrets(),
    client,
    // A token or headers may be asked for at any time.
    keepsScopes: true,
    principal,
  };
}

function checkMiddleware(middleware: unknown, headers: unknown): void {
  if (middleware === undefined) return;
  if (!Array.isArray(middleware)) throw new TypeError('middleware: not an array');
  for (const [index, each] of middleware.entries()) {
    if (typeof each !== 'function') throw new TypeError(`middleware[${index}]: not a function`);
  }
  checkSharing(middleware as Middleware[], headers);
}
