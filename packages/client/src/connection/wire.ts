import {
  CLIENT_CAPABILITIES_META_KEY,
  CLIENT_INFO_META_KEY,
  LOG_LEVEL_META_KEY,
  PROTOCOL_VERSION_META_KEY,
  SUBSCRIPTION_ID_META_KEY,
  type JSONRPCNotification,
  type JSONRPCRequest,
  type JSONRPCResponse,
  type Progress,
  type ProgressToken,
  type RequestId,
} from '@modelcontextprotocol/client';
import type { Era } from '../channels/channel.js';
import type { LedgerEntry } from './ledger.js';

/** What every request says on a session, beside what it asks. */
export type Envelope = Readonly<Record<string, unknown>>;

/**
 * The request as it goes over the wire: under the ledger's id, which is its progress token too.
 * A call of ours always asks for progress, because that is what keeps a long call alive; what
 * came through an SDK `Client` asks for it if the program did. In the modern era it says who asks.
 */
export function requestOnWire(
  { id, request, mark }: LedgerEntry,
  envelope: Envelope | undefined,
): JSONRPCRequest {
  const { method, params } = request;
  const meta = envelope === undefined ? ofLegacyEra(params?._meta) : params?._meta;
  const wanted = mark.onProgress !== undefined && method === 'tools/call';
  const wantsProgress = wanted || meta?.['progressToken'] !== undefined;
  if (envelope !== undefined) {
    const own = wantsProgress ? { progressToken: id } : undefined;
    return {
      jsonrpc: '2.0',
      id,
      method,
      params: { ...params, _meta: { ...envelope, ...meta, ...own } },
    };
  }
  if (!wantsProgress && meta === params?._meta) {
    return params === undefined
      ? { jsonrpc: '2.0', id, method }
      : { jsonrpc: '2.0', id, method, params };
  }
  const own = wantsProgress ? { progressToken: id } : undefined;
  return { jsonrpc: '2.0', id, method, params: { ...params, _meta: { ...meta, ...own } } };
}

/** Without what a `Client` of the modern era has added. */
function ofLegacyEra(
  meta: Record<string, unknown> | undefined,
): Record<string, unknown> | undefined {
  if (meta?.[PROTOCOL_VERSION_META_KEY] === undefined) return meta;
  const {
    [PROTOCOL_VERSION_META_KEY]: _version,
    [CLIENT_INFO_META_KEY]: _client,
    [CLIENT_CAPABILITIES_META_KEY]: _capabilities,
    [LOG_LEVEL_META_KEY]: _level,
    ...rest
  } = meta;
  return rest;
}

/**
 * An answer in the words of the era in which it was asked for: the server may have come back in the
 * other one. A result of the legacy era does not say of what type it is, and a `Client` of the
 * modern era takes none for an error.
 */
export function answerIn(era: Era | undefined, answer: JSONRPCResponse): JSONRPCResponse {
  if (era !== 'modern' || 'error' in answer || answer.result['resultType'] !== undefined) {
    return answer;
  }
  return { ...answer, result: { ...answer.result, resultType: 'complete' } };
}

/** Which subscription a notification belongs to, if to any. */
export function subscriptionOf({ params }: JSONRPCNotification): unknown {
  return params?._meta?.[SUBSCRIPTION_ID_META_KEY];
}

/** A notification under the id that the program's SDK `Client` gave its subscription. */
export function underProgramId(
  message: JSONRPCNotification,
  id: RequestId | undefined,
): JSONRPCNotification {
  if (id === undefined) return message;
  const meta = { ...message.params?._meta, [SUBSCRIPTION_ID_META_KEY]: id };
  return { ...message, params: { ...message.params, _meta: meta } };
}

/** The cancellation of a request. */
export function cancellationOf(requestId: RequestId, reason: unknown): JSONRPCNotification {
  return {
    jsonrpc: '2.0',
    method: 'notifications/cancelled',
    params: { requestId, ...(typeof reason === 'string' && { reason }) },
  };
}

/** A progress notification under the token that the program's SDK `Client` gave, if it gave one. */
export function progressFor(
  { request }: LedgerEntry,
  message: JSONRPCNotification,
): JSONRPCNotification | undefined {
  const progressToken: ProgressToken | undefined = request.params?._meta?.progressToken;
  if (progressToken === undefined) return undefined;
  return { ...message, params: { ...message.params, progressToken } };
}

/** What a progress notification says, if it says it in the right form. */
export function progressOf(message: JSONRPCNotification): Progress | undefined {
  const { progressToken: _token, ...progress } = message.params ?? {};
  return typeof progress['progress'] === 'number' ? (progress as unknown as Progress) : undefined;
}
