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
import type { Era } from '../protocol-version.js';
import { isObject } from '../untrusted/is-object.js';
import type { LedgerEntry } from './ledger.js';

/** What goes with every request of the modern era, in `_meta`. */
export type Envelope = Readonly<Record<string, unknown>>;

/**
 * The request as it goes over the wire, under the ledger's id, which is also its progress token. A
 * call of ours always asks for progress, because progress keeps a long call alive. A request of the
 * SDK's `Client` asks for it if the program does. In the modern era the envelope goes with it.
 */
export function requestOnWire(
  { id, request, context }: LedgerEntry,
  envelope: Envelope | undefined,
): JSONRPCRequest {
  const { method, params } = request;
  const meta = envelope === undefined ? ofLegacyEra(params?._meta) : params?._meta;
  const wanted = context.onProgress !== undefined && method === 'tools/call';
  const wantsProgress = wanted || meta?.['progressToken'] !== undefined;
  if (envelope !== undefined) {
    const own = wantsProgress ? { progressToken: id } : undefined;
    const whole: Record<string, unknown> = { ...envelope, ...meta, ...own };
    if (context.takesTasks === true || method.startsWith('tasks/')) {
      whole[CLIENT_CAPABILITIES_META_KEY] = withTasks(whole[CLIENT_CAPABILITIES_META_KEY]);
    }
    return { jsonrpc: '2.0', id, method, params: { ...params, _meta: whole } };
  }
  if (!wantsProgress && meta === params?._meta) {
    return params === undefined
      ? { jsonrpc: '2.0', id, method }
      : { jsonrpc: '2.0', id, method, params };
  }
  const own = wantsProgress ? { progressToken: id } : undefined;
  return { jsonrpc: '2.0', id, method, params: { ...params, _meta: { ...meta, ...own } } };
}

/** The extension by which servers of the modern era make tasks of calls. */
export const TASKS_EXTENSION = 'io.modelcontextprotocol/tasks';

/** By the capabilities without it: they are the same for every request of a session. */
const WITH_TASKS = new WeakMap<object, object>();

/** The capabilities of the client, and that it takes tasks. */
function withTasks(capabilities: unknown): object {
  const own = isObject(capabilities) ? capabilities : {};
  let whole = WITH_TASKS.get(own);
  if (whole === undefined) {
    const { extensions } = own;
    const others = isObject(extensions) ? extensions : undefined;
    whole = { ...own, extensions: { ...others, [TASKS_EXTENSION]: {} } };
    WITH_TASKS.set(own, whole);
  }
  return whole;
}

/** `_meta` without what a `Client` of the modern era has added. */
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
 * An answer in the form of the era of its request: the server may have come back in the other era. A
 * result of the legacy era has no `resultType`, which a `Client` of the modern era needs.
 */
export function answerIn(era: Era | undefined, answer: JSONRPCResponse): JSONRPCResponse {
  if (era !== 'modern' || 'error' in answer || answer.result['resultType'] !== undefined) {
    return answer;
  }
  return { ...answer, result: { ...answer.result, resultType: 'complete' } };
}

/** The subscription that a notification belongs to, if any. */
export function subscriptionOf({ params }: JSONRPCNotification): unknown {
  return params?._meta?.[SUBSCRIPTION_ID_META_KEY];
}

/** A notification under the id that the program's `Client` gave the subscription. */
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

/** A progress notification under the token that the program's `Client` gave, if it gave one. */
export function progressFor(
  { request }: LedgerEntry,
  message: JSONRPCNotification,
): JSONRPCNotification | undefined {
  const progressToken: ProgressToken | undefined = request.params?._meta?.progressToken;
  if (progressToken === undefined) return undefined;
  return { ...message, params: { ...message.params, progressToken } };
}

/** The progress in a notification, if it has the right form. */
export function progressOf(message: JSONRPCNotification): Progress | undefined {
  const { progressToken: _token, ...progress } = message.params ?? {};
  return typeof progress['progress'] === 'number' ? (progress as unknown as Progress) : undefined;
}
