import fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyServerOptions,
} from 'fastify';
import { isIPv6, type AddressInfo } from 'node:net';
import { checkGates, type KitOptions, type McpOptions } from './options.js';
import {
  fastifyConnectionOptions,
  limitConnections,
  resolveConnections,
  type ConnectionOptions,
} from './limits/slow-clients.js';
import { installSignalHandlers } from './operate/signals.js';
import type { StopNow } from './operate/stop.js';
import { answerUncaughtErrors } from './operate/uncaught-errors.js';
import { mcp, stopperOf } from './plugin.js';
import { nothingHere, refuse } from './refusal.js';
import { checkListenOptions, loggerOptions } from './serve-options.js';

/** Options of {@link serve}, beside those of the plugin. */
export interface ServeOptions extends McpOptions, ConnectionOptions {
  /** Default: 0, any free port; `url` says which. */
  port?: number;
  /**
   * Address to listen on. Any address but loopback is open to the network: add authentication first.
   * Unless `allowedHosts` is given, this name is allowed in `Host` beside the loopback names. Default: `127.0.0.1`.
   */
  host?: string;
  /** Path below which everything but `/healthz`, `/readyz` and `/metrics` is: `/api`. Default: none. */
  prefix?: string;
  /**
   * Where to log: `true` for lines on stdout, options of pino, or a logger. Default: nowhere. Ids of
   * sessions and resume keys are left out of it, by a serializer of its own for `req`.
   */
  logger?: Exclude<FastifyServerOptions['logger'], undefined> | FastifyBaseLogger;
  /** From which hops `X-Forwarded-*` counts, as Fastify's option says. Default: from none. */
  trustProxy?: Exclude<FastifyServerOptions['trustProxy'], undefined>;
  /** Whether SIGTERM and SIGINT stop the server in order, and end the process. Default: `false`. */
  signals?: boolean;
  /**
   * Whether a call is answered whose code throws where nobody waits for it (in a timer, in a listener, in
   * a promise that nobody handles), and the process goes on. Otherwise such an error of one tool ends the
   * process and every session with it. An error that belongs to no call always does, as Node has it.
   *
   * It is on because a server outlives its tools. On Node 20 and 22 it makes every promise of the process
   * cost a little: about a tenth of the processor time of a call, unless `tracing` or `queues` cost that
   * anyway. From Node 24 on no cost can be measured. `false` is for servers whose tools are known.
   * Default: `true`.
   */
  answerUncaught?: boolean;
}

/** A server that listens. */
export interface Serving {
  /** Where clients connect, by Streamable HTTP: `http://127.0.0.1:3001/mcp`. */
  readonly url: string;
  /** Where clients connect that only know HTTP+SSE: `http://127.0.0.1:3001/sse`. */
  readonly sseUrl: string;
  /** The application, for further routes of `node:http` and for its log. */
  readonly app: FastifyInstance;
  /**
   * Stops in order: readiness fails, after `stop.delayMs` no new connections are taken, streams end,
   * calls have `stop.graceMs` to finish. Fulfilled when all is closed.
   */
  stop(now?: StopNow): Promise<void>;
  /** Ends all sessions and their sockets at once, and closes the port. */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Serves an MCP server over HTTP with a Fastify of its own.
 *
 * ```ts
 * const { url, close } = await serve({ create: () => createMyServer(), port: 3001 });
 * ```
 *
 * @throws TypeError when an option is wrong; the system's error if the port is not available.
 */
export async function serve(options: ServeOptions): Promise<Serving> {
  const {
    port = 0,
    host = '127.0.0.1',
    prefix = '',
    logger = false,
    trustProxy = false,
    signals = false,
    answerUncaught = true,
    headersTimeoutMs,
    requestTimeoutMs,
    keepAliveTimeoutMs,
    maxHeaderBytes,
    maxConnections,
    ...rest
  } = options;
  checkListenOptions({ port, host, prefix, signals, answerUncaught });
  const given = {
    headersTimeoutMs,
    requestTimeoutMs,
    keepAliveTimeoutMs,
    maxHeaderBytes,
    maxConnections,
  };
  const connections = resolveConnections(withoutUndefined(given), {
    maxSessions: rest.maxSessions ?? 0,
  });
  const app: FastifyInstance = fastify({
    forceCloseConnections: true,
    ...fastifyConnectionOptions(connections),
    ...loggerOptions(logger),
    // `/mcp/` is what some configurations say, and its clients would take 404 for a lost session.
    routerOptions: { ignoreTrailingSlash: true },
    trustProxy,
  });
  limitConnections(app.server, connections, app.log);
  // Fastify's own would log the address, and a mistyped one has its secrets, too.
  app.setNotFoundHandler((_request, reply) => refuse(reply, nothingHere(prefix)));
  const uncaught = answerUncaught ? answerUncaughtErrors() : undefined;
  app.addHook('onClose', async () => uncaught?.remove());
  const close = async (): Promise<void> => {
    await app.close();
  };
  try {
    const gates = [...(uncaught === undefined ? [] : [uncaught.gate]), ...checkGates(rest.gates)];
    await app.register(mcp, { ...hostsFor(host), ...rest, prefix, gates });
    await app.listen({ port, host });
    if (signals) installSignalHandlers(stopperOf(app));
  } catch (error) {
    await close();
    throw error;
  }
  const address = app.server.address() as AddressInfo;
  const base = `http://${reachable(host)}:${address.port}`;
  return {
    url: `${base}${prefix}/mcp`,
    sseUrl: `${base}${prefix}/sse`,
    app,
    stop: (now) => stopperOf(app).stop(now),
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** The members that are there. */
function withoutUndefined<Value extends object>(
  value: Value,
): { [Name in keyof Value]?: Exclude<Value[Name], undefined> } {
  const entries = Object.entries(value).filter(([, one]) => one !== undefined);
  return Object.fromEntries(entries) as { [Name in keyof Value]?: Exclude<Value[Name], undefined> };
}

/** The name by which this machine reaches what listens on `host`. */
function reachable(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1';
  if (host === '::') return '[::1]';
  return isIPv6(host) ? `[${host}]` : host;
}

function hostsFor(host: string): Pick<KitOptions, 'allowedHosts'> {
  const name = reachable(host).toLowerCase();
  return { allowedHosts: [...new Set(['127.0.0.1', 'localhost', '[::1]', name])] };
}
