import {
  PROTOCOL_VERSION_META_KEY,
  SUPPORTED_PROTOCOL_VERSIONS,
  classifyInboundRequest,
} from '@modelcontextprotocol/server';
import type { FastifyInstance, FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify';
import fastifyPlugin from 'fastify-plugin';
import { isDeepStrictEqual } from 'node:util';
import { resolveNumbers } from './check-options.js';
import type { Cluster } from './cluster/cluster.js';
import { JoinedCluster } from './cluster/joined-cluster.js';
import { NOT_KEPT } from './cluster/sealed-refusals.js';
import { resolveEventLog } from './events/memory-event-log.js';
import { registerCors } from './guard/cors.js';
import { guardRequest } from './guard/guard-request.js';
import { parseBody, Unreadable } from './http/messages.js';
import { QUIET } from './http/quiet.js';
import { registerLimits, type Limits } from './limits/limits.js';
import { Mount } from './mount.js';
import { auditGate } from './operate/audit.js';
import { Drain } from './operate/drain.js';
import { registerHealth, type NotReady } from './operate/health.js';
import { createMetrics } from './operate/metrics.js';
import type { KitStats } from './operate/observer.js';
import type { StopOptions } from './operate/options.js';
import { Stopper } from './operate/stop.js';
import { createTracing } from './operate/tracing.js';
import { resolveOptions, type McpOptions, type ResolvedOptions } from './options.js';
import { pageNodes } from './page/page-nodes.js';
import { registerPage } from './page/routes.js';
import type { Principal } from './principal.js';
import * as refusals from './refusal.js';
import { RefusedError, refuse } from './refusal.js';
import { ServerCard } from './server-card.js';
import { SseRoutes } from './sse/routes.js';
import { StreamableRoutes } from './streamable/routes.js';

/** What stops the mounts of each application, and how its first mount says that it stops. */
const drains = new WeakMap<
  object,
  { readonly drain: Drain; readonly stop: Required<StopOptions> }
>();

const serveMcp: FastifyPluginAsync<McpOptions> = async (app, given) => {
  const { prefix = '' } = given as { prefix?: string };
  const cluster = await joinCluster(app, given, prefix);
  const options = resolveOptions(given, app.log, cluster);
  const drain = stopping(app, given, options);
  const { metrics, tracing, audit } = options.operate;
  const held: { mount?: Mount; limits?: Limits } = {};
  const kept =
    metrics === undefined
      ? undefined
      : await createMetrics(app, metrics, {
          stats: () => held.mount?.stats() ?? NOTHING,
          queues: () =>
            [...(held.limits?.depths() ?? [])].map(([queue, depth]) => ({ queue, ...depth })),
        });
  const nodes = cluster && pageNodes(cluster, app.log);
  const watch = options.page?.watch({ prefix, nodes });
  const before = [
    watch?.gate,
    tracing === undefined ? undefined : await createTracing(tracing),
    kept?.gate,
    audit === undefined ? undefined : auditGate(audit),
  ].filter((gate) => gate !== undefined);
  const guard = (request: FastifyRequest, reply: FastifyReply, done: () => void): void => {
    const refusal = guardRequest(request, options);
    if (refusal === undefined) return done();
    kept?.observer.requestRefused?.(refusal);
    refuse(reply, refusal);
  };
  const authenticate = async (request: FastifyRequest): Promise<Principal> => {
    try {
      return await options.auth.authenticate(request);
    } catch (error) {
      if (error instanceof RefusedError) kept?.observer.requestRefused?.(error.refusal);
      throw error;
    }
  };
  await app.register(async (scope) => {
    scope.addHook('onRequest', guard);
    options.auth.register?.(scope, {
      prefix,
      revocations: options.stores.revocations,
      end: (isOf) => held.mount?.endOf(isOf),
    });
  });
  await app.register(
    async (fastify) => {
      takeJson(fastify, options);
      fastify.addHook('onRequest', guard);
      if (options.cors) registerCors(fastify, options.cors, options.allowedOrigins);
      const { rates, queue } = options.stores;
      const limits = await registerLimits(fastify, options.limits, { rates, queue });
      const mount = new Mount(options, {
        gates: [...before, ...limits.gates, ...options.gates, drain],
        observers: [kept?.observer, watch?.observer, ...options.observers].filter(
          (observer) => observer !== undefined,
        ),
        refusesSession: () =>
          drain.takesSessions ? limits.refusesSession() : refusals.NO_MORE_SESSIONS,
        watch: (server) => limits.watch(server),
      });
      Object.assign(held, { mount, limits });
      drain.add(mount);
      const identify = async (
        request: FastifyRequest,
        reply: FastifyReply,
      ): Promise<FastifyReply | undefined> => {
        try {
          mount.setPrincipal(request, await authenticate(request));
          return undefined;
        } catch (error) {
          if (!(error instanceof RefusedError)) throw error;
          return refuse(reply, error.refusal);
        }
      };
      if (given.auth !== undefined) fastify.addHook('onRequest', identify);
      addRoutes(fastify, mount);
      options.onMount?.(mount);
    },
    { prefix },
  );
  if (options.page !== undefined && watch !== undefined) {
    drain.addPage(() => watch.close());
    await registerPage(app, { page: options.page, watch, prefix, guard, authenticate });
  }
};

/** What a mount holds before it is there. */
const NOTHING: KitStats = {
  sessions: 0,
  hibernating: 0,
  streams: 0,
  callsInFlight: 0,
  bufferedBytes: 0,
  eventLogBytes: 0,
};

/**
 * What stops an application with all its mounts, and says whether it is ready.
 *
 * @throws TypeError when another mount has said otherwise how it stops.
 */
function stopping(
  app: FastifyInstance,
  { stop: given }: McpOptions,
  { operate, cluster }: ResolvedOptions,
): Drain {
  const { stop } = operate;
  const known = drains.get(app.server);
  const drain = known?.drain ?? new Drain(() => app.close());
  if (known === undefined) {
    drains.set(app.server, { drain, stop });
    stoppers.set(app.server, new Stopper(drain, { app, ...stop }));
  } else if (given !== undefined && !isDeepStrictEqual(stop, known.stop)) {
    const { delayMs, graceMs } = known.stop;
    throw new TypeError(
      `stop: the first MCP server of this application has it stop with delayMs ${delayMs} and graceMs ${graceMs}: give the option there`,
    );
  }
  const isReady = (): true | NotReady => {
    const ready = drain.isReady();
    return ready === true && cluster?.node.isUp === false ? 'cluster away' : ready;
  };
  if (operate.health) registerHealth(app, { isReady });
  return drain;
}

/** Joins the cluster that is given, and leaves it once the application is closed. */
async function joinCluster(
  app: FastifyInstance,
  { cluster, eventLog, ...given }: McpOptions,
  mount: string,
): Promise<JoinedCluster | undefined> {
  if (cluster === undefined) return undefined;
  if (typeof (cluster as Partial<Cluster> | null)?.join !== 'function') {
    throw new TypeError('cluster must be what redis(url) of @longwire/cluster makes');
  }
  const joined = new JoinedCluster();
  const { sessionIdleMs } = resolveNumbers(given);
  app.addHook('onClose', () => joined.leave());
  joined.joined(
    await cluster.join({
      mount,
      log: app.log,
      eventLog: resolveEventLog(eventLog),
      sessionIdleMs,
      handlers: joined,
    }),
  );
  return joined;
}

const stoppers = new WeakMap<object, Stopper>();

/**
 * Stops an application in order: what `serve` does on SIGTERM, for those who own the process.
 *
 * @throws Error if nothing is mounted on it.
 */
export function stopperOf(app: FastifyInstance): Stopper {
  const stopper = stoppers.get(app.server);
  if (stopper === undefined) throw new Error('no MCP server is mounted on this application');
  return stopper;
}

function addRoutes(fastify: FastifyInstance, mount: Mount): void {
  const { options, stateless } = mount;
  const streamable = new StreamableRoutes(mount);
  if (mount.cluster?.node.sealing !== undefined) refuseKept(fastify);
  new SseRoutes(mount).register(fastify);
  streamable.register(fastify);
  fastify.post('/mcp', QUIET, async (request, reply) => {
    const body = parseBody(request, options);
    if (body instanceof Unreadable) return refuse(reply, body.refusal);
    return isOfSession(request) || isLegacy(request, body)
      ? streamable.post(request, reply, body)
      : stateless.post(request, reply, body);
  });
  new ServerCard(mount).register(fastify);
  refuseOtherMethods(fastify, options);
  fastify.addHook('preClose', async () => {
    mount.close();
    mount.handles.close();
    await Promise.all([mount.sessions.close(), stateless.close(), mount.tasks?.cancelAll()]);
  });
}

/**
 * Serves an MCP server over HTTP, below the `prefix` that it is registered with, to clients of every
 * age: `/mcp` for Streamable HTTP, with sessions (2025) or stateless (2026-07-28), and `GET /sse` with
 * `POST /messages` for HTTP+SSE (2024-11-05).
 *
 * It runs after the hooks of the application that registers it, which it also gives `/healthz`, `/readyz`
 * and, if asked, `/metrics`. When the application closes, all sessions end.
 *
 * ```ts
 * await app.register(mcp, { prefix: '/api', create: () => createMyServer() });
 * ```
 *
 * @see https://modelcontextprotocol.io/specification/2025-11-25/basic/transports
 */
export const mcp: FastifyPluginAsync<McpOptions> = fastifyPlugin(serveMcp, {
  name: '@longwire/server',
  fastify: '5.x',
});

/** Takes JSON bodies as text: the routes parse it, because Fastify closes the connection if it fails. */
function takeJson(fastify: FastifyInstance, { maxBodyBytes }: ResolvedOptions): void {
  fastify.removeAllContentTypeParsers();
  fastify.addContentTypeParser(
    'application/json',
    { parseAs: 'string', bodyLimit: maxBodyBytes },
    ({ headers }: FastifyRequest, body: string | Buffer, done) => {
      const encoding = headers['content-encoding'] ?? 'identity';
      if (encoding === 'identity') return done(null, String(body));
      return done(new RefusedError(refusals.COMPRESSED));
    },
  );
  fastify.setErrorHandler((error: Error & { code?: string }, _request, reply) => {
    if (error instanceof RefusedError) return refuse(reply, error.refusal);
    switch (error.code) {
      case 'FST_ERR_CTP_BODY_TOO_LARGE':
        return refuse(reply, refusals.bodyTooLarge(maxBodyBytes));
      case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
        return refuse(reply, refusals.WRONG_CONTENT_TYPE);
      default:
        throw error;
    }
  });
}

/** Refuses what needs that sessions are kept, where they are in their ids alone. */
function refuseKept(fastify: FastifyInstance): void {
  fastify.addHook('onRequest', async ({ method, routeOptions: { url = '' } }, reply) => {
    const isKept = /\/(?:sse|messages)$/.test(url) || (method === 'GET' && url.endsWith('/mcp'));
    return isKept ? refuse(reply, NOT_KEPT) : undefined;
  });
}

/** Whether a request is of a session, and so of a version that has them. */
function isOfSession({ headers }: FastifyRequest): boolean {
  const { 'mcp-session-id': id, 'mcp-protocol-version': version } = headers;
  return (
    id !== undefined &&
    (version === undefined || SUPPORTED_PROTOCOL_VERSIONS.includes(String(version)))
  );
}

function isLegacy({ headers, method }: FastifyRequest, body: unknown): boolean {
  if (claimsVersion(body)) return false;
  const header = (name: string): string | undefined => {
    const value = headers[name];
    return Array.isArray(value) ? value[0] : value;
  };
  const [version, name, target] = ['mcp-protocol-version', 'mcp-method', 'mcp-name'].map(header);
  const { kind } = classifyInboundRequest({
    httpMethod: method,
    body,
    ...(version !== undefined && { protocolVersionHeader: version }),
    ...(name !== undefined && { mcpMethodHeader: name }),
    ...(target !== undefined && { mcpNameHeader: target }),
  });
  return kind === 'legacy';
}

/** Whether a message names its version in itself, which those with sessions never do. */
function claimsVersion(body: unknown): boolean {
  const { params } = (body ?? {}) as { params?: { _meta?: Record<string, unknown> } };
  return typeof params?._meta?.[PROTOCOL_VERSION_META_KEY] === 'string';
}

/** Answers other methods here, because the application's own 404 handler would log the query. */
function refuseOtherMethods(fastify: FastifyInstance, { toolEvents }: ResolvedOptions): void {
  const answered = {
    '/sse': toolEvents ? ['GET', 'POST'] : ['GET'],
    '/messages': ['POST'],
    '/mcp': ['GET', 'POST', 'DELETE'],
    '/server-card': ['GET', 'HEAD'],
  };
  for (const [url, methods] of Object.entries(answered)) {
    const method = fastify.supportedMethods.filter((name) => !methods.includes(name));
    const isSse = url === '/sse' || url === '/messages';
    const refusal = (isSse ? refusals.wrongMethod : refusals.methodNotTaken)(methods.join(', '));
    const handler = async (_request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> =>
      refuse(reply, refusal);
    fastify.route({ ...QUIET, url, method, handler });
  }
}
