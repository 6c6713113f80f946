import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { checkNames } from '../check-options.js';
import { isAllowedOrigin, type OriginRule } from './allowed-hosts.js';

/** What web pages of allowed origins may send and read, beside what every MCP client needs. */
export interface CorsOptions {
  /** Further headers that a page may send. */
  allowedHeaders?: readonly string[];
  /** Further headers of answers that a page may read. */
  exposedHeaders?: readonly string[];
  /** How long a browser may keep the answer of a preflight. Default: 600 000 (10 minutes). */
  preflightMaxAgeMs?: number;
}

/** {@link CorsOptions}, checked and filled in. */
export interface ResolvedCorsOptions {
  readonly allowedHeaders: ReadonlySet<string>;
  readonly exposedHeaders: readonly string[];
  readonly preflightMaxAgeMs: number;
}

/** What MCP clients send, of every version, with API keys, and with traces. */
const ALLOWED_HEADERS = [
  'accept',
  'api_key',
  'authorization',
  'baggage',
  'content-type',
  'last-event-id',
  'mcp-method',
  'mcp-name',
  'mcp-protocol-version',
  'mcp-session-id',
  'traceparent',
  'tracestate',
  'x-api-key',
];

/** What MCP clients read. Without the first, a page loses its session and nobody is told. */
const EXPOSED_HEADERS = ['mcp-session-id', 'www-authenticate', 'retry-after'];

/** A tool's argument as a header, of 2026-07-28: its name is the tool's. */
const PARAMETER_HEADER = /^mcp-param-[!#$%&'*+.^_`|~0-9a-z-]+$/;
const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9a-z-]+$/i;

/**
 * Checks the `cors` option.
 *
 * @returns undefined where it is off, as it is by default.
 * @throws TypeError that names the wrong option.
 */
export function resolveCorsOptions(
  cors: boolean | CorsOptions | undefined,
): ResolvedCorsOptions | undefined {
  if (cors === undefined || cors === false) return undefined;
  const given = cors === true ? {} : cors;
  checkNames('cors', given, ['allowedHeaders', 'exposedHeaders', 'preflightMaxAgeMs']);
  const { allowedHeaders, exposedHeaders, preflightMaxAgeMs = 600_000 } = given;
  if (typeof preflightMaxAgeMs !== 'number' || !(preflightMaxAgeMs >= 0)) {
    throw new TypeError('cors.preflightMaxAgeMs must be a number that is not negative');
  }
  return {
    allowedHeaders: new Set([
      ...ALLOWED_HEADERS,
      ...headerNames('cors.allowedHeaders', allowedHeaders),
    ]),
    exposedHeaders: [
      ...new Set([...EXPOSED_HEADERS, ...headerNames('cors.exposedHeaders', exposedHeaders)]),
    ],
    preflightMaxAgeMs,
  };
}

/**
 * Answers preflights, and lets pages of `allowedOrigins` read answers, in this context of the
 * application: `@fastify/cors` would answer `OPTIONS` on every path of it. To be registered after the
 * guard, which refuses other origins, and before authentication: a preflight carries no credentials.
 *
 * Credentials of browsers (cookies, client certificates) are not allowed; a page sets its
 * `Authorization` header itself.
 *
 * @throws TypeError when the application has `@fastify/cors` already, which then answers preflights here, too.
 */
export function registerCors(
  app: FastifyInstance,
  cors: ResolvedCorsOptions,
  allowedOrigins: readonly OriginRule[],
): void {
  if (app.hasRequestDecorator('corsPreflightEnabled')) {
    throw new TypeError(
      'cors: the application has registered @fastify/cors for everything in it: register that one for other routes alone, or after the MCP server, or leave the option out and give that one exposedHeaders, allowedHeaders and methods (docs/server.md#web-pages)',
    );
  }
  app.addHook('onRequest', (request, reply, done) => {
    // Caches must not give one origin what was answered to another.
    addVary(reply, 'Origin');
    const { origin } = request.headers;
    if (origin === undefined || !isAllowedOrigin(origin, allowedOrigins)) return done();
    reply.header('access-control-allow-origin', origin);
    const isPreflight =
      request.method === 'OPTIONS' && 'access-control-request-method' in request.headers;
    if (!isPreflight) {
      reply.header('access-control-expose-headers', cors.exposedHeaders.join(', '));
      return done();
    }
    addVary(reply, 'Access-Control-Request-Headers');
    reply.headers({
      'access-control-allow-methods': 'GET, POST, DELETE',
      'access-control-allow-headers': allowedHeadersFor(request, cors).join(', '),
      'access-control-max-age': String(Math.floor(cors.preflightMaxAgeMs / 1000)),
    });
    void reply.code(204).send();
    return undefined;
  });
}

/**
 * The allowed headers, with those of tools' arguments that this preflight asks for: the header has no
 * patterns, and its `*` covers everything but `Authorization`.
 * https://fetch.spec.whatwg.org/#http-access-control-allow-headers
 */
function allowedHeadersFor(request: FastifyRequest, cors: ResolvedCorsOptions): string[] {
  const asked = (request.headers['access-control-request-headers'] ?? '')
    .toLowerCase()
    .split(',')
    .map((name) => name.trim())
    .filter((name) => PARAMETER_HEADER.test(name));
  return [...new Set([...cors.allowedHeaders, ...asked])];
}

/** Names a header that the answer depends on, beside those that hooks of the application named. */
function addVary(reply: FastifyReply, name: string): void {
  const named = reply.getHeader('vary');
  reply.header('vary', named === undefined ? name : `${String(named)}, ${name}`);
}

function headerNames(name: string, value: readonly string[] | undefined): string[] {
  if (value === undefined) return [];
  if (!Array.isArray(value) || value.some((item) => !HEADER_NAME.test(String(item)))) {
    throw new TypeError(`${name} must be an array of names of headers`);
  }
  return value.map((item) => String(item).toLowerCase());
}
