import type { Transport } from '@modelcontextprotocol/server';
import type { FastifyRequest } from 'fastify';
import { parseHostRule, parseOriginRule, type HostRule, type OriginRule } from './allowed-hosts.js';

/** What a factory is told about the session it makes a server for. */
export interface SessionContext {
  /** The unguessable id of the session. A secret: whoever knows it can use the session. */
  readonly sessionId: string;
  /** The `GET` that opened the session, as the hooks of the application left it. */
  readonly request: FastifyRequest;
}

/** What can be served: the SDK's `McpServer` and its low-level `Server` both fit. */
export interface ServableServer {
  connect(transport: Transport): Promise<void>;
  close(): Promise<void>;
}

/**
 * Makes the server of one session. Called once for every `GET`, because an SDK server holds one
 * connection. The server is closed when its session ends. An error is logged and answered with 500;
 * its message is not shown to the client. A server that is made after its client has left, or after
 * `createTimeoutMs`, is closed at once.
 */
export type ServerFactory = (context: SessionContext) => ServableServer | Promise<ServableServer>;

/** How servers are served. Durations in milliseconds, sizes in bytes; a wrong one is a `TypeError`. */
export interface SseOptions {
  /**
   * Also speak the tool-events transport on the same mount: a `tools` event after `endpoint`, and
   * `POST {"session_id", "tool", "args"}`, answered in its own body. A client that sends JSON-RPC
   * still sees HTTP+SSE. Default: `false`.
   */
  toolEvents?: boolean;
  /**
   * How often a comment is sent on every open stream, so that proxies do not close it as idle; many
   * do after 60 s. `Infinity` for never. Default: 15 000.
   */
  heartbeatMs?: number;
  /**
   * A session without a POST and without an outgoing message for this long is closed, also while a
   * silent call is running; heartbeats do not count. Guards against clients that open sessions and
   * abandon them. `Infinity` for never. Default: 1 800 000 (30 minutes).
   */
  sessionIdleMs?: number;
  /**
   * How long `createServer` may take. After that the `GET` is answered with 500 and no longer counts
   * for `maxSessions`. `Infinity` for no limit. Default: 60 000.
   */
  createTimeoutMs?: number;
  /**
   * Open sessions at a time, those included whose server is still being made. One more is answered
   * with 503 and `Retry-After`. Default: 1 000.
   */
  maxSessions?: number;
  /**
   * Open sessions of one address at a time, an IPv6 network of 64 bits counting as one address. One
   * more is answered with 429 and `Retry-After`, so that one client cannot use up `maxSessions`. Behind
   * a proxy every client has the proxy's address, unless Fastify's `trustProxy` option is set: set it,
   * or raise this limit. `Infinity` for no limit. Default: 100.
   */
  maxSessionsPerAddress?: number;
  /**
   * Requests of one session that the server has not answered. One more is answered with 429 and
   * `Retry-After`, and does not reach the server. A cancelled request no longer counts, even if its
   * tool ignores the signal and still runs. `Infinity` for no limit. Default: 1 000.
   */
  maxInFlight?: number;
  /** How deep the JSON of one POST may be nested. Deeper is answered with 400. Default: 200. */
  maxJsonDepth?: number;
  /** Values in the JSON of one POST, nested ones included. More is answered with 400. Default: 1 000 000. */
  maxJsonValues?: number;
  /** Bytes of the body of one POST. A longer one is answered with 413. Default: 4 194 304 (4 MiB). */
  maxBodyBytes?: number;
  /**
   * Bytes that wait in memory for the reader of one stream, the message that is being sent included.
   * Beyond that the session ends at once and the waiting bytes are dropped. Guards the memory against
   * a client that sends requests and does not read. One message cannot be longer than this.
   * Default: 67 108 864 (64 MiB).
   */
  maxBufferedBytes?: number;
  /**
   * Bytes that wait in memory for all readers of this mount together. Beyond that, a stream with more
   * than an even share (this divided by `maxSessions`) ends as for `maxBufferedBytes` when it has
   * something to send; so the sum is at most twice this. Guards the memory against many such clients,
   * which could otherwise hold `maxSessions` times `maxBufferedBytes`, 64 GB by default. Default: 536 870 912 (512 MiB).
   */
  maxTotalBufferedBytes?: number;
  /**
   * The names that a request may have in `Host`. Others are answered with 403.
   *
   * - `name` for any port;
   * - `name:port` for one port; the protocol's default, 80 or 443, matches a `Host` without a port;
   * - `*` for any name, only if something in front has checked it.
   *
   * The attack: a web page whose name resolves to 127.0.0.1 (DNS rebinding) can read from and write to
   * every server there, but its requests still have the page's own name in `Host`.
   *
   * Default: `127.0.0.1`, `localhost` and `[::1]`. A list replaces the default.
   */
  allowedHosts?: readonly string[];
  /**
   * The origins of web pages that may call: `https://name:port` for exactly one, `name` or
   * `name:port` for any scheme, `*` for any. Others are answered with 403. A request without an
   * `Origin` header does not come from a web page and is allowed.
   *
   * Default: the names in `allowedHosts`, except `*`.
   */
  allowedOrigins?: readonly string[];
}

/** Options of the plugin. */
export interface McpPluginOptions extends SseOptions {
  /** Makes the server of each session. */
  createServer: ServerFactory;
}

/** Every option, checked and filled in. */
export interface ResolvedSseOptions {
  readonly createServer: ServerFactory;
  readonly toolEvents: boolean;
  readonly heartbeatMs: number;
  readonly sessionIdleMs: number;
  readonly createTimeoutMs: number;
  readonly maxSessions: number;
  readonly maxSessionsPerAddress: number;
  readonly maxInFlight: number;
  readonly maxJsonDepth: number;
  readonly maxJsonValues: number;
  readonly maxBodyBytes: number;
  readonly maxBufferedBytes: number;
  readonly maxTotalBufferedBytes: number;
  readonly allowedHosts: readonly HostRule[];
  readonly allowedOrigins: readonly OriginRule[];
}

const DEFAULTS = {
  toolEvents: false,
  heartbeatMs: 15_000,
  sessionIdleMs: 30 * 60_000,
  createTimeoutMs: 60_000,
  maxSessions: 1_000,
  maxSessionsPerAddress: 100,
  maxInFlight: 1_000,
  maxJsonDepth: 200,
  maxJsonValues: 1_000_000,
  maxBodyBytes: 4 * 1024 * 1024,
  maxBufferedBytes: 64 * 1024 * 1024,
  maxTotalBufferedBytes: 512 * 1024 * 1024,
  allowedHosts: ['127.0.0.1', 'localhost', '[::1]'],
} as const;

const OWN_NAMES: ReadonlySet<string> = new Set([
  'createServer',
  'allowedOrigins',
  ...Object.keys(DEFAULTS),
]);
/** What Fastify's `register` passes through to a plugin. */
const REGISTER_NAMES: ReadonlySet<string> = new Set(['prefix', 'logLevel', 'logSerializers']);

/** The longest delay of a Node timer; a longer one would fire at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/**
 * Checks the options and fills in the defaults.
 *
 * @throws TypeError that names the wrong option.
 */
export function resolveOptions(options: McpPluginOptions): ResolvedSseOptions {
  for (const name of Object.keys(options)) {
    if (!OWN_NAMES.has(name) && !REGISTER_NAMES.has(name)) {
      throw new TypeError(`${name} is not an option; there are ${[...OWN_NAMES].join(', ')}`);
    }
  }
  if (typeof options.createServer !== 'function') {
    throw new TypeError('createServer must be a function that makes the server of a session');
  }
  const toolEvents = options.toolEvents ?? DEFAULTS.toolEvents;
  if (typeof toolEvents !== 'boolean') throw new TypeError('toolEvents must be true or false');
  const hosts = names('allowedHosts', options.allowedHosts ?? DEFAULTS.allowedHosts);
  const origins = names('allowedOrigins', options.allowedOrigins ?? hosts.filter((h) => h !== '*'));
  return {
    createServer: options.createServer,
    toolEvents,
    heartbeatMs: duration('heartbeatMs', options.heartbeatMs),
    sessionIdleMs: duration('sessionIdleMs', options.sessionIdleMs),
    createTimeoutMs: duration('createTimeoutMs', options.createTimeoutMs),
    maxSessions: count('maxSessions', options.maxSessions),
    maxSessionsPerAddress: countOrAny('maxSessionsPerAddress', options.maxSessionsPerAddress),
    maxInFlight: countOrAny('maxInFlight', options.maxInFlight),
    maxJsonDepth: count('maxJsonDepth', options.maxJsonDepth),
    maxJsonValues: count('maxJsonValues', options.maxJsonValues),
    maxBodyBytes: count('maxBodyBytes', options.maxBodyBytes),
    maxBufferedBytes: count('maxBufferedBytes', options.maxBufferedBytes),
    maxTotalBufferedBytes: count('maxTotalBufferedBytes', options.maxTotalBufferedBytes),
    allowedHosts: hosts.map((text) => parseHostRule(text)),
    allowedOrigins: origins.map((text) => parseOriginRule(text)),
  };
}

function duration(
  name: 'heartbeatMs' | 'sessionIdleMs' | 'createTimeoutMs',
  given: number | undefined,
): number {
  const value = given ?? DEFAULTS[name];
  if (value === Infinity) return value;
  if (typeof value !== 'number' || !(value > 0 && value <= MAX_TIMER_MS)) {
    throw new TypeError(`${name} must be above 0 and at most ${MAX_TIMER_MS}, or Infinity`);
  }
  return value;
}

type CountName = Extract<keyof typeof DEFAULTS, `max${string}`>;

function countOrAny(name: CountName, given: number | undefined): number {
  return given === Infinity ? given : count(name, given);
}

function count(name: CountName, given: number | undefined): number {
  const value = given ?? DEFAULTS[name];
  if (!Number.isSafeInteger(value) || value < 1) {
    throw new TypeError(`${name} must be a whole number above 0`);
  }
  return value;
}

function names(name: string, value: readonly string[]): readonly string[] {
  if (!Array.isArray(value) || value.some((item) => typeof item !== 'string')) {
    throw new TypeError(`${name} must be an array of strings`);
  }
  return value;
}
