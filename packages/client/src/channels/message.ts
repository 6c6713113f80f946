import type { JSONRPCMessage, JSONRPCResponse, RequestId } from '@modelcontextprotocol/client';
import { LongwireError } from '../errors.js';

/** What a line of JSON-RPC turned out to be. */
export type ReadMessage =
  | { message: JSONRPCMessage; error?: undefined; answerTo?: undefined }
  /** Not a message. With an id it was meant as the answer to that request. */
  | { message: undefined; error: LongwireError; answerTo: RequestId | undefined };

/**
 * Reads one JSON-RPC message, by its shape alone: what is inside is judged by who asked for it.
 * An answer with both a result and an `error` of null counts as a result. Batches are no messages;
 * MCP removed them. An error without an id is the answer to `orphansOf`, where one request alone
 * can be meant: it "MUST be null" if the server could not read the id.
 *
 * @see https://www.jsonrpc.org/specification
 */
export function readMessage(text: string, orphansOf?: RequestId): ReadMessage {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    return unreadable(text, undefined, cause);
  }
  return toMessage(value, text, orphansOf);
}

/**
 * As `readMessage`, of a document that may hold several: in protocol 2025-03-26 a server may
 * answer with an array.
 *
 * @see https://modelcontextprotocol.io/specification/2025-03-26/basic/transports#sending-messages-to-the-server
 */
export function readMessages(text: string, orphansOf?: RequestId): ReadMessage[] {
  if (!text.trimStart().startsWith('[')) return [readMessage(text, orphansOf)];
  let values: unknown[];
  try {
    values = JSON.parse(text) as unknown[];
  } catch (cause) {
    return [unreadable(text, undefined, cause)];
  }
  return values.map((value) => toMessage(value, text, orphansOf));
}

function toMessage(value: unknown, text: string, orphansOf: RequestId | undefined): ReadMessage {
  if (!isObject(value)) return unreadable(text);
  const { id, method } = adopted(value, orphansOf);
  if (value['jsonrpc'] === '2.0' && typeof method === 'string') {
    return id === undefined || isId(id)
      ? { message: value as unknown as JSONRPCMessage }
      : unreadable(text);
  }
  if (!isId(id) || method !== undefined) return unreadable(text);
  const { error, result } = value;
  if (value['jsonrpc'] === '2.0') {
    if (isObject(result) && (error === undefined || error === null)) {
      if (error === null) delete value['error'];
      return { message: value as unknown as JSONRPCMessage };
    }
    if (result === undefined && isErrorBody(error)) {
      return { message: value as unknown as JSONRPCMessage };
    }
  }
  return unreadable(text, id);
}

function adopted(
  value: Record<string, unknown>,
  orphansOf: RequestId | undefined,
): Record<string, unknown> {
  const isOrphan = (value['id'] ?? null) === null && value['error'] !== undefined;
  if (orphansOf !== undefined && isOrphan) value['id'] = orphansOf;
  return value;
}

/** Whether a message is an answer. */
export function isAnswer(message: JSONRPCMessage): message is JSONRPCResponse {
  return !('method' in message);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isId(value: unknown): value is RequestId {
  return typeof value === 'string' || typeof value === 'number';
}

function isErrorBody(value: unknown): boolean {
  return (
    isObject(value) && typeof value['code'] === 'number' && typeof value['message'] === 'string'
  );
}

function unreadable(text: string, answerTo?: RequestId, cause?: unknown): ReadMessage {
  const error = new LongwireError(
    `the server sent something that is not a JSON-RPC message: ${text.slice(0, 200)}`,
    {
      code: 'protocol',
      certainty: answerTo === undefined ? 'outcome-unknown' : 'answered',
      ...(cause !== undefined && { cause }),
    },
  );
  return { message: undefined, error, answerTo };
}
