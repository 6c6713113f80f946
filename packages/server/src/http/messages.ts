import {
  RELATED_TASK_META_KEY,
  parseJSONRPCMessage,
  type JSONRPCMessage,
  type JSONRPCRequest,
} from '@modelcontextprotocol/server';
import type { FastifyRequest } from 'fastify';
import * as refusals from '../refusal.js';
import { JsonBoundError, parseBoundedJson, type JsonBounds } from './bounded-json.js';

/** The most messages of one batch (2025-03-26 has batches). */
const MAX_BATCH = 100;

/** A body that cannot be read, and the answer. */
export class Unreadable {
  readonly refusal: refusals.Refusal;

  constructor(refusal: refusals.Refusal) {
    this.refusal = refusal;
  }
}

/** The JSON of a body, or why there is none. */
export function parseBody(request: FastifyRequest, bounds: JsonBounds): unknown {
  try {
    return parseBoundedJson(String(request.body), bounds);
  } catch (error) {
    return new Unreadable(
      error instanceof JsonBoundError ? refusals.overJsonBound(error.message) : refusals.NOT_JSON,
    );
  }
}

/** The messages of a body: one, or a batch; `undefined` where one of them is none. */
export function parseMessages(body: unknown): readonly JSONRPCMessage[] | undefined {
  if (!Array.isArray(body)) {
    const message = parseMessage(body);
    return message === undefined ? undefined : [message];
  }
  if (body.length === 0 || body.length > MAX_BATCH) return undefined;
  const messages = body.map((one) => parseMessage(one));
  return messages.every((message) => message !== undefined) ? messages : undefined;
}

/** One message; `undefined` where it is none. */
export function parseMessage(body: unknown): JSONRPCMessage | undefined {
  if (isPlainCall(body)) return body;
  try {
    return parseJSONRPCMessage(body);
  } catch {
    return undefined;
  }
}

const CALL_MEMBERS: ReadonlySet<string> = new Set(['jsonrpc', 'id', 'method', 'params']);

/**
 * Whether this is a request or a notification beyond doubt. The SDK's check says the same of it, and
 * costs more than the rest of the way to the server.
 */
function isPlainCall(body: unknown): body is JSONRPCRequest {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return false;
  const { jsonrpc, id, method, params } = body as Record<string, unknown>;
  if (jsonrpc !== '2.0' || typeof method !== 'string') return false;
  if (id !== undefined && typeof id !== 'string' && !Number.isSafeInteger(id)) return false;
  if (params !== undefined) {
    if (typeof params !== 'object' || params === null || Array.isArray(params)) return false;
    if ('_meta' in params && !isPlainMeta(params._meta)) return false;
  }
  for (const name of Object.keys(body)) if (!CALL_MEMBERS.has(name)) return false;
  return true;
}

/** Whether `_meta` holds nothing that the SDK would look into: not every client sends a progress token. */
function isPlainMeta(meta: unknown): boolean {
  if (typeof meta !== 'object' || meta === null || Array.isArray(meta)) return false;
  return !('progressToken' in meta) && !(RELATED_TASK_META_KEY in meta);
}

/** Whether a message asks for an answer. */
export function isRequest(message: JSONRPCMessage): message is JSONRPCRequest {
  return 'method' in message && 'id' in message;
}
