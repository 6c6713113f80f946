import type {
  JSONRPCNotification,
  JSONRPCRequest,
  Progress,
  ProgressToken,
  RequestId,
} from '@modelcontextprotocol/client';
import type { LedgerEntry } from './ledger.js';

/**
 * The request as it goes over the wire: under the ledger's id, which is its progress token too.
 * A call of ours always asks for progress, because that is what keeps a long call alive; what
 * came through an SDK `Client` asks for it if the program did.
 */
export function requestOnWire({ id, request, mark }: LedgerEntry): JSONRPCRequest {
  const { method, params } = request;
  const meta = params?._meta;
  const wanted = mark.onProgress !== undefined && method === 'tools/call';
  if (!wanted && meta?.progressToken === undefined) {
    return params === undefined
      ? { jsonrpc: '2.0', id, method }
      : { jsonrpc: '2.0', id, method, params };
  }
  return {
    jsonrpc: '2.0',
    id,
    method,
    params: {
      ...params,
      _meta: meta === undefined ? { progressToken: id } : { ...meta, progressToken: id },
    },
  };
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
