import {
  parseJSONRPCMessage,
  type JSONRPCMessage,
  type JSONRPCRequest,
} from '@modelcontextprotocol/server';
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify';
import fastifyPlugin from 'fastify-plugin';
import { isAllowedHost, isAllowedOrigin } from './allowed-hosts.js';
import { JsonBoundError, parseBoundedJson, type JsonBounds } from './bounded-json.js';
import { resolveOptions, type McpPluginOptions, type ResolvedSseOptions } from './options.js';
import * as refusals from './refusal.js';
import { refuse } from './refusal.js';
import { Sessions } from './sessions.js';
import { answerToolCall, isToolCall, parseToolCall } from './tool-events.js';

/** For every route: a client may put the session's id into the query of any of them. */
const QUIET = { logSerializers: { req: withoutQuery } };

const serveMcp: FastifyPluginAsync<McpPluginOptions> = async (fastify, given) => {
  const options = resolveOptions(given);
  const sessions = new Sessions(options);

  fastify.removeAllContentTypeParsers();
  fastify.addContentTypeParser(
    'application/json',
    // The routes parse it: Fastify closes the connection if a parser fails.
    { parseAs: 'string', bodyLimit: options.maxBodyBytes },
    async (_request: FastifyRequest, body: string | Buffer) => String(body),
  );
  fastify.setErrorHandler((error: Error & { code?: string }, _request, reply) => {
    switch (error.code) {
      case 'FST_ERR_CTP_BODY_TOO_LARGE':
        return refuse(reply, refusals.bodyTooLarge(options.maxBodyBytes));
      case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
        return refuse(reply, refusals.WRONG_CONTENT_TYPE);
      default:
        throw error;
    }
  });
  fastify.addHook('onRequest', async (request, reply) => guard(request, reply, options));
  fastify.addHook('preClose', () => sessions.close());

  // A HEAD route of Fastify's would open a session.
  fastify.get('/sse', { ...QUIET, exposeHeadRoute: false }, async (request, reply) => {
    const key = options.toolEvents ? 'session_id' : 'sessionId';
    const endpointOf = (id: string): string => `${messagesPath(request)}?${key}=${id}`;
    try {
      const opened = await sessions.open(request, reply, endpointOf);
      if (opened === 'opened') return reply;
      return refuse(
        reply,
        opened === 'address-full'
          ? refusals.tooManyOfAddress(options.maxSessionsPerAddress)
          : refusals.NO_MORE_SESSIONS,
      );
    } catch (error) {
      request.log.error(error, 'the server of a session could not be made');
      return reply.sent ? reply : refuse(reply, refusals.NO_SERVER);
    }
  });

  fastify.post('/messages', QUIET, async (request, reply) => {
    const body = parseBody(request, options);
    if (body instanceof Unreadable) return refuse(reply, body.refusal);
    if (options.toolEvents && isToolCall(body)) {
      return callTool(body, reply, sessions, options);
    }
    return acceptMessage(body, { request, reply, sessions, options });
  });

  if (options.toolEvents) {
    fastify.post('/sse', QUIET, async (request, reply) => {
      const body = parseBody(request, options);
      if (body instanceof Unreadable) return refuse(reply, body.refusal);
      if (!isToolCall(body)) return refuse(reply, refusals.wrongMethod('GET'));
      return callTool(body, reply, sessions, options);
    });
  }

  // Answered here, because the application's own 404 handler would log the query.
  const answered = {
    '/sse': options.toolEvents ? ['GET', 'POST'] : ['GET'],
    '/messages': ['POST'],
  };
  for (const [url, methods] of Object.entries(answered)) {
    const method = fastify.supportedMethods.filter((name) => !methods.includes(name));
    const refusal = refusals.wrongMethod(methods.join(', '));
    const handler = async (_request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> =>
      refuse(reply, refusal);
    fastify.route({ ...QUIET, url, method, handler });
  }
};

/**
 * Serves an MCP server over HTTP+SSE (protocol 2024-11-05): `GET /sse` opens a session and is its
 * event stream, `POST /messages` takes the client's messages. Both are below the `prefix` that it is
 * registered with.
 *
 * Like any encapsulated Fastify plugin, it runs after the hooks of the application that registers it,
 * so an `onRequest` hook can require credentials. When the application closes, all sessions end.
 *
 * ```ts
 * await app.register(mcpPlugin, { prefix: '/api', createServer: () => createMyServer() });
 * ```
 *
 * @see https://modelcontextprotocol.io/specification/2024-11-05/basic/transports#http-with-sse
 */
export const mcpPlugin: FastifyPluginAsync<McpPluginOptions> = fastifyPlugin(serveMcp, {
  name: '@longwire/server',
  fastify: '5.x',
  encapsulate: true,
});

async function guard(
  request: FastifyRequest,
  reply: FastifyReply,
  options: ResolvedSseOptions,
): Promise<FastifyReply | undefined> {
  const repeated = repeatedHeader(request.raw.rawHeaders);
  if (repeated !== undefined) return refuse(reply, refusals.repeatedHeader(repeated));
  // Not `request.host`: with `trustProxy` that is X-Forwarded-Host, which a web page can set.
  const authority = request.headers[':authority'];
  const { origin, host: named } = request.headers;
  const host = typeof authority === 'string' ? authority : named;
  // HTTP/2 allows both of them.
  for (const one of new Set([host, named ?? host])) {
    if (!isAllowedHost(one, request.protocol, options.allowedHosts)) {
      return refuse(reply, refusals.wrongHost(one));
    }
  }
  if (!isAllowedOrigin(origin, options.allowedOrigins)) {
    return refuse(reply, refusals.wrongOrigin(origin));
  }
  return undefined;
}

/** Headers that a request has once: with two, a proxy in front may have read the other one. */
const SINGLE_HEADERS: ReadonlySet<string> = new Set([
  'host',
  'origin',
  'content-type',
  'content-length',
  'authorization',
]);

/** The first such header that comes twice. Node's `headers` keep only one of them, or join them. */
function repeatedHeader(rawHeaders: readonly string[]): string | undefined {
  const seen = new Set<string>();
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = (rawHeaders[at] ?? '').toLowerCase();
    if (!SINGLE_HEADERS.has(name)) continue;
    if (seen.has(name)) return name;
    seen.add(name);
  }
  return undefined;
}

function acceptMessage(
  body: unknown,
  {
    request,
    reply,
    sessions,
    options,
  }: {
    request: FastifyRequest;
    reply: FastifyReply;
    sessions: Sessions;
    options: ResolvedSseOptions;
  },
): FastifyReply {
  const { sessionId, session_id } = request.query as Record<string, unknown>;
  if (sessionId !== undefined && session_id !== undefined && sessionId !== session_id) {
    return refuse(reply, refusals.TWO_SESSION_IDS);
  }
  const id = sessionId ?? session_id;
  if (typeof id !== 'string') return refuse(reply, refusals.NO_SESSION_ID);
  const session = sessions.get(id);
  if (!session) return refuse(reply, refusals.UNKNOWN_SESSION);
  const message = parseMessage(body);
  if (!message) return refuse(reply, refusals.NOT_JSON_RPC);
  const excess = session.receive(message);
  if (excess !== undefined) {
    const { id: asked } = message as JSONRPCRequest;
    switch (excess) {
      case 'too-many':
        return refuse(reply, refusals.tooManyInFlight(options.maxInFlight), asked);
      case 'repeated-id':
        return refuse(reply, refusals.REPEATED_ID, asked);
      case 'long-id':
        return refuse(reply, refusals.LONG_ID);
    }
  }
  return reply.code(202).type('text/plain; charset=utf-8').send('Accepted');
}

async function callTool(
  body: Record<string, unknown>,
  reply: FastifyReply,
  sessions: Sessions,
  { heartbeatMs, maxBufferedBytes, maxInFlight }: ResolvedSseOptions,
): Promise<FastifyReply> {
  const call = parseToolCall(body);
  if (typeof call === 'string') return refuse(reply, refusals.badToolCall(call));
  const session = sessions.get(call.sessionId);
  if (!session) return refuse(reply, refusals.UNKNOWN_SESSION);
  if (!session.inFlight.begin()) return refuse(reply, refusals.tooManyInFlight(maxInFlight));
  const { tool, args } = call;
  await answerToolCall(reply, (signal) => session.callTool(tool, args, signal), {
    heartbeatMs,
    maxBufferedBytes,
    budget: sessions.budget,
  });
  return reply;
}

/** A body that cannot be read, and the answer. */
class Unreadable {
  readonly refusal: refusals.Refusal;

  constructor(refusal: refusals.Refusal) {
    this.refusal = refusal;
  }
}

function parseBody(request: FastifyRequest, bounds: JsonBounds): unknown {
  try {
    return parseBoundedJson(String(request.body), bounds);
  } catch (error) {
    return new Unreadable(
      error instanceof JsonBoundError ? refusals.overJsonBound(error.message) : refusals.NOT_JSON,
    );
  }
}

function parseMessage(body: unknown): JSONRPCMessage | undefined {
  try {
    return parseJSONRPCMessage(body);
  } catch {
    return undefined;
  }
}

/**
 * The path of `POST /messages` as this client reaches it: the path of its `GET` with another last
 * segment. The mount's prefix may have parameters, and the application may rewrite paths.
 */
function messagesPath(request: FastifyRequest): string {
  const [url = ''] = request.originalUrl.split('?');
  // With two slashes in front, a path would be an address on another host.
  const path = url.replace(/^(?:https?:\/\/[^/]*)?[/\\]+/i, '/');
  return `${path.slice(0, path.lastIndexOf('/', path.length - 2) + 1)}messages`;
}

/** A request for the log, without the query: the session's id is a secret. */
function withoutQuery(request: FastifyRequest): Record<string, unknown> {
  const [url] = request.url.split('?');
  return { method: request.method, url, host: request.host, remoteAddress: request.ip };
}
