import type { HttpAnswer } from './http-answer.ts';
import type { RecordedRequest } from './http-fixture.ts';
import type { RpcMessage } from './strict-mcp-session.ts';

/** The version of the modern era. */
export const MODERN_VERSION = '2026-07-28';
const LEGACY_VERSION = '2025-11-25';

/** Why a request is not served. */
export interface Objection {
  why: 'session-lost' | 'other';
  /** The specification forbids what the client did. */
  isViolation: boolean;
  answer: HttpAnswer;
}

/** Which parameter of a method `Mcp-Name` repeats. */
const NAMED_BY: Record<string, string> = {
  'tools/call': 'name',
  'prompts/get': 'name',
  'resources/read': 'uri',
  'tasks/get': 'taskId',
  'tasks/update': 'taskId',
  'tasks/cancel': 'taskId',
};

/**
 * What a strict server has against a request.
 *
 * @see https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#streamable-http
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http
 */
export function objectionTo(
  request: RecordedRequest,
  { era, isKnown }: { era: 'legacy' | 'modern'; isKnown: boolean },
): Objection | undefined {
  const { method, headers } = request;
  const accepted = headers.accept ?? '';
  if (method === 'GET' && !accepted.includes('text/event-stream')) return violation(406, 'Accept');
  if (method === 'POST') {
    if (!/application\/json.*text\/event-stream/.test(accepted)) return violation(406, 'Accept');
    if (headers['content-type'] !== 'application/json') return violation(415, 'Content-Type');
    if ((request.json as RpcMessage | undefined)?.jsonrpc !== '2.0') {
      return violation(400, 'no JSON-RPC message');
    }
  }
  return era === 'legacy' ? ofLegacyEra(request, isKnown) : ofModernEra(request);
}

function ofLegacyEra({ headers, json }: RecordedRequest, isKnown: boolean): Objection | undefined {
  const { method } = (json ?? {}) as Partial<RpcMessage>;
  const session = headers['mcp-session-id'];
  const version = headers['mcp-protocol-version'];
  if (method === 'initialize') {
    return session === undefined ? undefined : violation(400, 'initialize names a session');
  }
  if (metaOf(json as RpcMessage)['io.modelcontextprotocol/protocolVersion'] !== undefined) {
    return other(400, rpcError(-32000, 'Bad Request: Server not initialized', null));
  }
  if (!isKnown) {
    if (session === undefined) return violation(400, 'Bad Request: Mcp-Session-Id is missing');
    return { ...other(404, rpcError(-32001, 'Session not found', null)), why: 'session-lost' };
  }
  return version === LEGACY_VERSION ? undefined : violation(400, `version ${String(version)}`);
}

function ofModernEra({ method: http, headers, json }: RecordedRequest): Objection | undefined {
  if (http !== 'POST') return other(405, 'POST alone');
  const { id, method = '', params = {} } = json as RpcMessage;
  const meta = metaOf(json as RpcMessage);
  if (id !== undefined && meta['io.modelcontextprotocol/protocolVersion'] === undefined) {
    return other(400, rpcError(-32022, 'Unsupported protocol version', id, [MODERN_VERSION]));
  }
  if (id === undefined) return violation(400, `${method} is not sent by POST`);
  const field = NAMED_BY[method];
  const said = {
    'mcp-protocol-version': meta['io.modelcontextprotocol/protocolVersion'],
    'mcp-method': method,
    'mcp-name': field === undefined ? undefined : params[field],
  };
  if (meta['io.modelcontextprotocol/clientInfo'] === undefined) return violation(400, 'clientInfo');
  if (meta['io.modelcontextprotocol/clientCapabilities'] === undefined) {
    return violation(400, 'clientCapabilities');
  }
  if (headers['mcp-session-id'] !== undefined) return violation(400, 'a session is named');
  for (const [name, value] of Object.entries(said)) {
    if (decoded(headers[name]) !== value) {
      return { ...violation(400, rpcError(-32020, `${name} and body differ`, id)) };
    }
  }
  return undefined;
}

/** What the modern era says with every result, and on every subscription, whose id this is. */
export function inModernWords(message: RpcMessage, subscription: unknown): RpcMessage {
  const meta = subscription !== undefined && {
    _meta: { 'io.modelcontextprotocol/subscriptionId': subscription },
  };
  if (message.method !== undefined) {
    return meta ? { ...message, params: { ...message.params, ...meta } } : message;
  }
  if (message.result === undefined) return message;
  return { ...message, result: { resultType: 'complete', ...(message.result as object), ...meta } };
}

/** What `server/discover` is answered with. */
export function discovered(capabilities: object): unknown {
  return {
    supportedVersions: [MODERN_VERSION],
    capabilities,
    ttlMs: 0,
    cacheScope: 'private',
    _meta: { 'io.modelcontextprotocol/serverInfo': { name: 'hostile', version: '1.0.0' } },
  };
}

function metaOf(message: RpcMessage | undefined): Record<string, unknown> {
  return (message?.params?.['_meta'] ?? {}) as Record<string, unknown>;
}

/** What stands in a header, Base64 between its marks included. */
export function decoded(header: string | string[] | undefined): string | undefined {
  if (typeof header !== 'string') return undefined;
  const [, base64] = /^=\?base64\?(.*)\?=$/.exec(header) ?? [];
  return base64 === undefined ? header : Buffer.from(base64, 'base64').toString('utf8');
}

function rpcError(code: number, message: string, id: unknown, supported?: string[]): string {
  const data = supported && { supported };
  return JSON.stringify({ jsonrpc: '2.0', id, error: { code, message, data } });
}

function violation(status: number, body: string): Objection {
  return { ...other(status, body), isViolation: true };
}

function other(status: number, body: string): Objection {
  const type = body.startsWith('{') ? 'application/json' : 'text/plain';
  return {
    why: 'other',
    isViolation: false,
    answer: { status, body, headers: { 'content-type': type } },
  };
}
