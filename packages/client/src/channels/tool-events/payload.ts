import type { CallToolResult } from '@modelcontextprotocol/client';
import { LongwireError } from '../../errors.js';
import { parseExactJson, toJson, withNumbers } from '../../untrusted/exact-json.js';
import { quoted } from '../../untrusted/excerpt.js';
import { isObject } from '../../untrusted/is-object.js';
import type { JsonBounds } from '../../untrusted/json.js';

/** A tool of the transport, in MCP's shape; unknown fields are kept. */
export interface EventTool {
  name: string;
  inputSchema: Record<string, unknown>;
  [field: string]: unknown;
}

/**
 * Reads the data of a `tools` event: a JSON array of tools whose schema is called `input_schema`
 * or `inputSchema`. Entries without a name are left out.
 *
 * @throws LongwireError `protocol` if it is no array; `limit-exceeded` if it is over a bound.
 */
export function parseTools(data: string, bounds: JsonBounds): EventTool[] {
  const value = withNumbers(jsonOrNone(data, bounds));
  if (!Array.isArray(value)) {
    throw new LongwireError(`the server's tools event is not a JSON array: ${quoted(data, 200)}`, {
      code: 'protocol',
      certainty: 'outcome-unknown',
    });
  }
  return value.filter(isNamed).map(({ input_schema: snake, inputSchema: camel, ...rest }) => ({
    ...rest,
    inputSchema: isObject(camel) ? camel : isObject(snake) ? snake : { type: 'object' },
  }));
}

/**
 * Makes a call's result of the data of a `result` event, which may be any JSON. With MCP's `content`
 * array it is used as it is, otherwise it is wrapped.
 *
 * @throws LongwireError `limit-exceeded` if it is over a bound.
 */
export function toCallResult(data: string, bounds: JsonBounds): CallToolResult {
  const value = jsonOrNone(data, bounds);
  if (isObject(value) && Array.isArray(value['content'])) return value as CallToolResult;
  const text = typeof value === 'string' ? value : value === undefined ? data : toJson(value);
  return {
    content: [{ type: 'text', text }],
    ...(isObject(value) && { structuredContent: value }),
  };
}

/**
 * Makes a call's result of the data of an `error` event: a tool that failed.
 *
 * @throws LongwireError `limit-exceeded` if it is over a bound.
 */
export function toFailedResult(data: string, bounds: JsonBounds): CallToolResult {
  const value = jsonOrNone(data, bounds);
  const named = isObject(value) ? (value['message'] ?? value['error']) : value;
  const nested = isObject(named) ? named['message'] : named;
  const message = typeof nested === 'string' && nested !== '' ? nested : undefined;
  const plain = value === undefined && data.trim() !== '' ? data : undefined;
  return {
    content: [
      { type: 'text', text: message ?? plain ?? 'the tool failed; the server gave no message' },
    ],
    isError: true,
  };
}

/**
 * The value of a text that is JSON, with integers as they were written; otherwise `undefined`.
 *
 * @throws LongwireError `limit-exceeded` if it is over a bound.
 */
export function jsonOrNone(text: string, bounds: JsonBounds): unknown {
  try {
    return parseExactJson(text, bounds);
  } catch (error) {
    if (error instanceof LongwireError) throw error;
    return undefined;
  }
}

function isNamed(value: unknown): value is Record<string, unknown> & { name: string } {
  return isObject(value) && typeof value['name'] === 'string';
}
