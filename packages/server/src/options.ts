import type { RequestStateCodec, ScopeChallenge, Transport } from '@modelcontextprotocol/server';
import type { FastifyBaseLogger } from 'fastify';
import type { IncomingHttpHeaders } from 'node:http';
import { resolveAttempts } from './auth/attempts.js';
import type { Authenticate, Authenticator } from './auth/authenticator.js';
import type { CallGate } from './calls/call.js';
import type { Cluster } from './cluster/cluster.js';
import type { JoinedCluster } from './cluster/joined-cluster.js';
import type { EventLogOptions } from './events/memory-event-log.js';
import { resolveCorsOptions, type CorsOptions, type ResolvedCorsOptions } from './guard/cors.js';
import {
  resolveGuardOptions,
  type GuardOptions,
  type ResolvedGuardOptions,
} from './guard/guard-options.js';
import { checkFlag, checkObject } from './check-options.js';
import { resolveLimits, type LimitOptions, type ResolvedLimitOptions } from './limits/limits.js';
import type { RateLimit } from './limits/rate-store.js';
import {
  resolveOperateOptions,
  type OperateOptions,
  type ResolvedOperateOptions,
} from './operate/options.js';
import { resolveAuthenticator } from './auth/resolve-authenticator.js';
import { scopeRefusal } from './auth/challenge.js';
import type { KitObserver, McpMount } from './operate/observer.js';
import { checkPage, type MountPage } from './page/mount-page.js';
import type { Principal } from './principal.js';
import { NUMBER_NAMES, resolveNumbers, type ResolvedNumbers } from './check-options.js';
import type { Refusal } from './refusal.js';
import { requestStates, type RequestStates } from './request-state.js';
import { resolveStores, type Stores } from './stores.js';
import { resolveTasks, type TaskRules, type TasksOptions } from './tasks/task-options.js';

/** What a factory is told about the session, or the request, that it makes a server for. */
export interface ServerContext {
  /** Who opened the session, or sent the request. */
  readonly principal: Principal;
  /** Of the request that opened the session, as the hooks of the application left them. */
  readonly headers: IncomingHttpHeaders;
  /**
   * The unguessable id of the session; `undefined` in the stateless protocol. A secret: its principal
   * can use the session with it.
   */
  readonly sessionId: string | undefined;
  /** Aborted when the session has ended, or the client of the request has left. */
  readonly signal: AbortSignal;
  /** `modern` for the stateless protocol of 2026-07-28, where a server serves one request. */
  readonly era: 'legacy' | 'modern';
  /**
   * Seals the state of requests that ask for input, for its principal alone: give it to the server as
   * its option `requestState`. Its keys are `requestStateKeys`.
   */
  readonly requestState: RequestStateCodec;
}

/** What can be served: the SDK's `McpServer` and its low-level `Server` both fit. */
export interface ServableServer {
  connect(transport: Transport): Promise<void>;
  close(): Promise<void>;
}

/**
 * Makes the server of one session, because an SDK server holds one connection; or of one request, in the
 * stateless protocol. Schemas that are made once, outside of it, are shared. The server is closed when
 * its session ends. An error is logged and answered with 500; its message is not shown to the client. A
 * server that is made after its client has left, or after `createTimeoutMs`, is closed at once.
 *
 */
export type ServerFactory = (context: ServerContext) => ServableServer | Promise<ServableServer>;

/** How servers are served. Durations in milliseconds, sizes in bytes; a wrong one is a `TypeError`. */
export interface KitOptions extends GuardOptions, LimitOptions, OperateOptions {
  /**
   * Also speak the tool-events transport on the same mount: a `tools` event after `endpoint`, and
   * `POST {"session_id", "tool", "args"}`, answered in its own body. A client that sends JSON-RPC
   * still sees HTTP+SSE. Default: `false`.
   */
  toolEvents?: boolean;
  /** Who sends a request. Default: everybody is `anonymous`, one principal for the mount. */
  auth?: Authenticate;
  /** How many attempts of one address to authenticate may fail. Default: 20 in 60 s. */
  attempts?: RateLimit;
  /** What is kept of what sessions sent, so that streams can be resumed. */
  eventLog?: EventLogOptions;
  /** What every call passes, after the kit's own gates. Default: none. */
  gates?: readonly CallGate[];
  /** Told when sessions begin and end. Default: none. */
  observers?: readonly KitObserver[];
  /**
   * How often a comment is sent on every open stream, so that proxies do not close it as idle; many
   * do after 60 s. `Infinity` for never. Default: 15 000.
   */
  heartbeatMs?: number;
  /** How long a client should wait before it opens a stream again. Default: 1 000. */
  retryMs?: number;
  /**
   * A session without a message of its client for this long ends, also while a silent call is
   * running; heartbeats do not count. `Infinity` for never. Default: 1 800 000 (30 minutes).
   */
  sessionIdleMs?: number;
  /** A session ends after this long, whatever happens in it. Default: `Infinity`. */
  sessionLifetimeMs?: number;
  /**
   * An HTTP+SSE session whose stream is gone is kept for this long, so that its client can resume it.
   * Its calls go on. Guards against clients that vanish. Default: 60 000.
   */
  resumeMs?: number;
  /**
   * Whether an idle session drops its server, which holds most of a session's memory. The next message
   * makes a new one, and repeats `initialize` to it: what the server kept in itself is lost.
   * Default: `false`.
   */
  hibernate?: boolean;
  /**
   * Whether a server that has answered a request of the stateless protocol answers further ones, of
   * whichever client: making a server costs several times as much as a call. Only for factories whose
   * servers do not depend on the context, and keep nothing of a request. Default: `false`.
   */
  reuseServers?: boolean;
  /** How long a session is idle before it hibernates. Default: 60 000. */
  hibernateMs?: number;
  /**
   * How long `create` may take. After that its request is answered with 500 and no longer counts for
   * `maxSessions`. `Infinity` for no limit. Default: 60 000.
   */
  createTimeoutMs?: number;
  /**
   * Open sessions at a time, those included whose server is still being made. For one more, the
   * session ends whose stream has been away for longest; without such a one, the answer is 503 with
   * `Retry-After`. Default: 10 000.
   */
  maxSessions?: number;
  /**
   * Open sessions of one principal at a time, `anonymous` excepted. One more is answered with 429 and
   * `Retry-After`. `Infinity` for no limit. Default: 1 000.
   */
  maxSessionsPerPrincipal?: number;
  /** Streams of `subscriptions/listen` at a time. Default: 10 000. */
  maxSubscriptions?: number;
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
   * Beyond that the stream is cut at once and the waiting bytes are dropped; its client can resume it.
   * Guards the memory against a client that sends requests and does not read. One message cannot be
   * longer than this.
   * Default: 67 108 864 (64 MiB).
   */
  maxBufferedBytes?: number;
  /**
   * Bytes that wait in memory for all readers of this mount together. Beyond that, a stream with more
   * than an even share (this divided by `maxSessions`) ends as for `maxBufferedBytes` when it has
   * something to send; so the sum is at most twice this. Guards the memory against many such clients,
   * which could otherwise hold `maxSessions` times `maxBufferedBytes`, 640 GB by default. Default: 536 870 912 (512 MiB).
   */
  maxTotalBufferedBytes?: number;
  /**
   * Whether web pages of `allowedOrigins` may call: answers their preflights, and shows them the headers
   * that MCP clients need. Default: `false`.
   */
  cors?: boolean | CorsOptions;
  /** Tools whose calls may be tasks: a call whose answer is kept, and asked for later. Default: none. */
  tasks?: TasksOptions;
  /**
   * Makes this process one of several nodes that serve the same sessions, behind any load balancer:
   * `redis(url)` of `@longwire/cluster`. Sessions, streams, limits and tasks are then those of all nodes;
   * `maxSessions`, `maxSessionsPerAddress` and what counts streams or bytes stay those of one node.
   * Stores that are given go before those of the cluster, except `sessions` and `events`, which cannot
   * be given with it. Default: this process is alone.
   */
  cluster?: Cluster;
  /** Where sessions and their messages are kept. Default: the memory of this process. */
  stores?: Stores;
  /**
   * Secrets of 32 bytes or more, which seal the state of requests that ask for input (2026-07-28). The
   * first one seals, all of them open: to change the key, put the new one in front. Every node needs
   * the same. Default: that of the cluster, else a random one for this process.
   */
  requestStateKeys?: readonly (string | Uint8Array)[];
  /**
   * Shows the mount live, below `/page`, to whoever `allow` of the page lets in: `page` of the package
   * `longwire` makes one. Default: there is none.
   */
  page?: MountPage;
  /** Called once the mount is there, with what its program may do with it. */
  onMount?: (mount: McpMount) => void;
}

/** Options of the plugin. */
export interface McpOptions extends KitOptions {
  /** Makes the server of each session. */
  create: ServerFactory;
}

/** Every option, checked and filled in. */
export interface ResolvedOptions extends ResolvedNumbers, ResolvedGuardOptions {
  readonly create: ServerFactory;
  readonly toolEvents: boolean;
  readonly hibernate: boolean;
  readonly reuseServers: boolean;
  readonly auth: Authenticator;
  readonly cors: ResolvedCorsOptions | undefined;
  readonly limits: ResolvedLimitOptions;
  readonly operate: ResolvedOperateOptions;
  readonly gates: readonly CallGate[];
  readonly observers: readonly KitObserver[];
  /** Missing where no tool has tasks. */
  readonly tasks: TaskRules | undefined;
  readonly stores: Required<Stores>;
  /** Missing where this process is alone. */
  readonly cluster: JoinedCluster | undefined;
  readonly requestStates: RequestStates;
  readonly page: MountPage | undefined;
  readonly onMount: ((mount: McpMount) => void) | undefined;
  readonly log: FastifyBaseLogger | undefined;
  /** What a client gets that lacks scopes. */
  refusalOf(challenge: ScopeChallenge, principal: Principal): Refusal;
}

const OWN_NAMES: ReadonlySet<string> = new Set([
  'create',
  'toolEvents',
  'hibernate',
  'reuseServers',
  'auth',
  'gates',
  'attempts',
  'observers',
  'tasks',
  'stores',
  'cluster',
  'eventLog',
  'cors',
  'rates',
  'queues',
  'shed',
  'health',
  'metrics',
  'tracing',
  'audit',
  'stop',
  'requestStateKeys',
  'page',
  'onMount',
  'allowedHosts',
  'allowedOrigins',
  ...NUMBER_NAMES,
]);
/** What Fastify's `register` passes through to a plugin. */
const REGISTER_NAMES: ReadonlySet<string> = new Set(['prefix', 'logLevel', 'logSerializers']);

/**
 * Checks the options and fills in the defaults.
 *
 * @throws TypeError that names the wrong option.
 */
export function resolveOptions(
  options: McpOptions,
  log?: FastifyBaseLogger,
  cluster?: JoinedCluster,
): ResolvedOptions {
  for (const name of Object.keys(options)) {
    if (!OWN_NAMES.has(name) && !REGISTER_NAMES.has(name)) {
      throw new TypeError(`${name} is not an option; there are ${[...OWN_NAMES].join(', ')}`);
    }
  }
  if (typeof options.create !== 'function') {
    throw new TypeError('create must be a function that makes the server of a session');
  }
  const shared = cluster?.node;
  if (shared?.sealing !== undefined) refuseWhatIsKept(options);
  const stores = resolveStores(options, log, shared?.stores);
  return {
    ...resolveNumbers(options),
    create: options.create,
    toolEvents: checkFlag('toolEvents', options.toolEvents),
    hibernate: checkFlag('hibernate', options.hibernate),
    reuseServers: checkFlag('reuseServers', options.reuseServers),
    ...resolveGuardOptions(options),
    auth: resolveAuthenticator(options.auth, {
      rates: stores.rates,
      attempts: resolveAttempts(options.attempts),
    }),
    cors: resolveCorsOptions(options.cors),
    limits: resolveLimits(options),
    operate: resolveOperateOptions(options),
    gates: checkGates(options.gates),
    observers: checkHooks('observers', options.observers, OBSERVER_METHODS),
    tasks: resolveTasks(options.tasks),
    stores,
    cluster,
    requestStates: requestStates(options.requestStateKeys ?? shared?.requestStateKeys),
    page: checkPage(options.page),
    onMount: checkOnMount(options.onMount),
    log,
    refusalOf: scopeRefusal,
  };
}

/** Some options need that sessions are kept, and `sealed` keeps none. */
function refuseWhatIsKept({ toolEvents, tasks, stores }: McpOptions): void {
  if (toolEvents === true) {
    throw new TypeError(
      'toolEvents cannot be served with cluster: sealed(…), which keeps no sessions',
    );
  }
  if (tasks !== undefined && stores?.tasks === undefined) {
    throw new TypeError(
      'tasks cannot be kept with cluster: sealed(…): give stores.tasks, which all nodes share, or leave them out',
    );
  }
}

const GATE_METHODS = ['admit', 'hold', 'around', 'leave'] as const;
const OBSERVER_METHODS = [
  'sessionOpened',
  'sessionEnded',
  'requestRefused',
  'notificationSent',
] as const;

/**
 * The gates of a mount.
 *
 * @throws TypeError that names the wrong one: one that is never asked would let everything through.
 */
export function checkGates(given: readonly CallGate[] | undefined): readonly CallGate[] {
  return checkHooks('gates', given, GATE_METHODS);
}

/** Objects with some of these methods. One with none, as a function is, would never be asked or told. */
function checkHooks<Hook extends object>(
  name: string,
  given: readonly Hook[] = [],
  methods: readonly (keyof Hook & string)[],
): readonly Hook[] {
  if (!Array.isArray(given)) throw new TypeError(`${name} must be an array`);
  for (const [index, hook] of given.entries()) {
    const members = checkObject(`${name}[${index}]`, hook);
    const own = methods.filter((method) => members[method] !== undefined);
    const wrong = own.find((method) => typeof members[method] !== 'function');
    if (wrong !== undefined) throw new TypeError(`${name}[${index}].${wrong} must be a function`);
    if (own.length === 0) {
      throw new TypeError(`${name}[${index}] must have a method: ${methods.join(', ')}`);
    }
  }
  return given;
}

function checkOnMount(given: KitOptions['onMount']): KitOptions['onMount'] {
  if (given === undefined || typeof given === 'function') return given;
  throw new TypeError('onMount must be a function');
}
