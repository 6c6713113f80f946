import type { JSONRPCMessage } from '@modelcontextprotocol/client';
import { LongwireError } from '../errors.js';

/**
 * Reads one JSON-RPC message, by its shape alone: what is inside is judged by who asked for it.
 *
 * @see https://www.jsonrpc.org/specification
 * @throws LongwireError `protocol` for anything else, batches included (MCP removed them).
 */
export function parseMessage(text: string): JSONRPCMessage {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw notAMessage(text, cause);
  }
  if (!isMessage(value)) throw notAMessage(text);
  return value;
}

/** Whether a value has the shape of a JSON-RPC request, notification or answer. */
export function isMessage(value: unknown): value is JSONRPCMessage {
  if (typeof value !== 'object' || value === null) return false;
  const message = value as Record<string, unknown>;
  if (message['jsonrpc'] !== '2.0') return false;
  if (typeof message['method'] === 'string') {
    return message['id'] === undefined || isId(message['id']);
  }
  const hasResult = typeof message['result'] === 'object' && message['result'] !== null;
  return isId(message['id']) ? hasResult || isErrorBody(message['error']) : false;
}

function isId(value: unknown): boolean {
  return typeof value === 'string' || typeof value === 'number';
}

function isErrorBody(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { code, message } = value as { code?: unknown; message?: unknown };
  return typeof code === 'number' && typeof message === 'string';
}

function notAMessage(text: string, cause?: unknown): LongwireError {
  return new LongwireError(
    `the server sent something that is not a JSON-RPC message: ${text.slice(0, 200)}`,
    { code: 'protocol', certainty: 'outcome-unknown', cause },
  );
}
