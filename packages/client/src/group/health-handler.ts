import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ServerSource } from '../client/contract.js';
import type { ConnectionState } from '../connection/state.js';
import { UNREACHABLE } from '../error-facts.js';
import type { ErrorCode } from '../errors.js';
import type { BreakerState } from '../health/breaker.js';
import { checkOptionNames, checkTexts } from '../options/checks.js';
import type { Group } from './contract.js';

/** Options of a health handler. */
export interface HealthHandlerOptions {
  /**
   * The servers that must be there for the program to be ready, by name. Default: those that are
   * neither lazy nor disabled.
   */
  required?: readonly string[];
}

/** What `/readyz` says of one server. */
export interface ServerReadiness {
  /** The state of its connection; `missing`: there is no server of this name. */
  state: ConnectionState['name'] | 'missing';
  /** Whether the program needs it to be ready. */
  required: boolean;
  /** Whether a call would be made now. */
  ready: boolean;
  /** The code of what failed last, of a server that is not ready. */
  error?: ErrorCode;
  /** The state of its circuit breaker, if it has one. */
  breaker?: BreakerState;
}

/** The body of `/readyz`. `closing`: `close()` was called. */
export interface Readyz {
  status: 'ok' | 'not-ready' | 'closing';
  servers: Record<string, ServerReadiness>;
}

/**
 * Answers `/livez` (or `/healthz`) and `/readyz`, whatever comes before these in the path. Requests of
 * `node:http` (and of Express, and `request.raw` of Fastify) come with their response; a `Request` of the
 * Fetch standard gets a `Response`, whatever its framework passes beside it.
 */
export interface HealthHandler {
  (request: IncomingMessage, response: ServerResponse): void;
  (request: Request, context?: unknown): Response;
}

/** After these a server without a connection is not ready: one that refuses every handshake is not either. */
const NOT_THERE: ReadonlySet<ErrorCode> = new Set([
  ...UNREACHABLE,
  'not-mcp',
  'unauthorized',
  'forbidden',
  'http-status',
]);

interface Answer {
  status: number;
  body: object;
  allow?: string;
}

/**
 * Makes a handler that says whether the program lives, and whether it is ready: 200 or 503, with JSON
 * that holds the state of each server, and no addresses, messages or secrets.
 *
 * - `/livez` is 200 while the process answers: a server that is away is no reason to restart a program.
 * - `/readyz` is 200 when every server that is required is ready, and 503 otherwise, and from `close()` on.
 *
 * It asks nothing of a server, and never waits. A server without a connection is ready unless it could not
 * be reached the last time: the next call connects.
 *
 * @throws TypeError that names the option that is wrong.
 */
export function healthHandler(
  source: Group | ServerSource,
  options: HealthHandlerOptions = {},
): HealthHandler {
  checkOptionNames(options, ['required']);
  checkTexts('required', options.required);
  const handle = (request: IncomingMessage | Request, response?: unknown): unknown => {
    const answer = answerTo(request, () => readyz(source, options.required));
    const body = request.method === 'HEAD' ? null : JSON.stringify(answer.body);
    const headers = {
      'content-type': 'application/json; charset=utf-8',
      'cache-control': 'no-store',
      ...(answer.allow !== undefined && { allow: answer.allow }),
    };
    if (!isResponse(response)) return new Response(body, { status: answer.status, headers });
    response.writeHead(answer.status, headers).end(body ?? undefined);
    return undefined;
  };
  return handle as HealthHandler;
}

/** Frameworks of the Fetch standard pass a context in its place: Next.js, Bun and Deno do. */
function isResponse(given: unknown): given is ServerResponse {
  return typeof (given as Partial<ServerResponse> | undefined)?.writeHead === 'function';
}

function answerTo({ method, url = '/' }: IncomingMessage | Request, ready: () => Readyz): Answer {
  // That of a `Request` is whole.
  const path = url
    .replace(/^[a-z]+:\/\/[^/]*/i, '')
    .replace(/[?#].*$/s, '')
    .replace(/\/+$/, '');
  const check = /\/(livez|healthz|readyz)$/.exec(path)?.[1];
  if (check === undefined) {
    return { status: 404, body: { error: 'there are /livez and /readyz' } };
  }
  if (method !== 'GET' && method !== 'HEAD') {
    return { status: 405, body: { error: 'only GET and HEAD' }, allow: 'GET, HEAD' };
  }
  if (check !== 'readyz') return { status: 200, body: { status: 'ok' } };
  const body = ready();
  return { status: body.status === 'ok' ? 200 : 503, body };
}

function readyz(source: Group | ServerSource, required: readonly string[] | undefined): Readyz {
  const servers: Readyz['servers'] = {};
  for (const name of required ?? []) {
    servers[name] = { state: 'missing', required: true, ready: false };
  }
  for (const { name, isNeeded, ...facts } of isGroup(source) ? ofGroup(source) : [ofOne(source)]) {
    servers[name] = readinessOf(facts, required?.includes(name) ?? isNeeded);
  }
  const isReady = Object.values(servers).every((server) => server.ready || !server.required);
  const status = source.isClosing ? 'closing' : isReady ? 'ok' : 'not-ready';
  return { status, servers };
}

interface Facts {
  state: ConnectionState['name'];
  isDisabled: boolean;
  error: ErrorCode | undefined;
  hasFailed: boolean;
  breaker: BreakerState | undefined;
}

function ofGroup(group: Group): (Facts & { name: string; isNeeded: boolean })[] {
  return group
    .status()
    .map(({ name, state, disabled, lazy, lastError, lastSuccessAt, breaker }) => ({
      name,
      isNeeded: !lazy && !disabled,
      state,
      isDisabled: disabled,
      error: lastError?.code,
      hasFailed: isAway(lastError?.code) && (lastError?.at ?? 0) > (lastSuccessAt ?? 0),
      breaker: breaker?.state,
    }));
}

function ofOne(source: ServerSource): Facts & { name: string; isNeeded: boolean } {
  const { lastError, lastSuccessAt } = source.stats();
  return {
    name: source.name,
    isNeeded: true,
    state: source.state.name,
    isDisabled: false,
    error: lastError?.code,
    hasFailed:
      isAway(lastError?.code) && (lastError?.at.getTime() ?? 0) > (lastSuccessAt?.getTime() ?? 0),
    breaker: breakerOf(source),
  };
}

function readinessOf(
  { state, isDisabled, error, hasFailed, breaker }: Facts,
  required: boolean,
): ServerReadiness {
  const hasNone = state === 'idle' || state === 'closed';
  const isThere = state === 'ready' || (hasNone && !hasFailed);
  const ready = isThere && !isDisabled && breaker !== 'open';
  return {
    state,
    required,
    ready,
    ...(!ready && error !== undefined && { error }),
    ...(breaker !== undefined && { breaker }),
  };
}

/** Without a connection nothing else is known of a server. A tool that fails says nothing of it. */
function isAway(code: ErrorCode | undefined): boolean {
  return code !== undefined && NOT_THERE.has(code);
}

function isGroup(source: Group | ServerSource): source is Group {
  return 'events' in source;
}

/** Of a pool. */
function breakerOf(source: ServerSource): BreakerState | undefined {
  if (!('status' in source) || typeof source.status !== 'function') return undefined;
  const { breaker } = source.status() as { breaker?: { state: BreakerState } };
  return breaker?.state;
}
