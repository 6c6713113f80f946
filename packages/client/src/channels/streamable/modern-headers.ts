import { Buffer } from 'node:buffer';
import { PROTOCOL_VERSION_META_KEY, type JSONRPCMessage } from '@modelcontextprotocol/client';
import type { HeaderRecord } from '../../http/headers.js';
import { isAnswer } from '../message.js';

/** The headers of so many different requests are kept. */
const MAX_KEPT = 256;

/** The parameter that names the subject of a method, for proxies that read headers alone. */
const NAMED_BY: Readonly<Record<string, string>> = {
  'tools/call': 'name',
  'prompts/get': 'name',
  'resources/read': 'uri',
  'tasks/get': 'taskId',
  'tasks/update': 'taskId',
  'tasks/cancel': 'taskId',
};

/** A value that a header can hold as it is. */
const PLAIN = /^[\t\x20-\x7e]+$/;
const SENTINEL = /^=\?base64\?.*\?=$/;

/**
 * The headers that repeat what the body of a request says, so that proxies can read it.
 *
 * "The values in the headers MUST match the values in the request body."
 *
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http
 */
export class ModernHeaders {
  readonly #base: HeaderRecord;
  readonly #kept = new Map<string, HeaderRecord>();

  /** `base` are the headers of every POST. */
  constructor(base: HeaderRecord) {
    this.#base = base;
  }

  /** The headers of the POST of a message, for one channel and so one version. */
  of(message: JSONRPCMessage): HeaderRecord {
    if (isAnswer(message)) return this.#base;
    const { method, params } = message;
    const field = Object.hasOwn(NAMED_BY, method) ? NAMED_BY[method] : undefined;
    const value = field === undefined ? undefined : params?.[field];
    const name = typeof value === 'string' ? value : undefined;
    const key = name === undefined ? method : `${method}\n${name}`;
    let headers = this.#kept.get(key);
    if (headers === undefined) {
      const version = params?._meta?.[PROTOCOL_VERSION_META_KEY];
      headers = {
        ...this.#base,
        ...(typeof version === 'string' && { 'mcp-protocol-version': version }),
        'mcp-method': method,
        ...(name !== undefined && { 'mcp-name': asHeaderValue(name) }),
      };
      if (this.#kept.size < MAX_KEPT) this.#kept.set(key, headers);
    }
    return headers;
  }
}

/** A value that is not plain ASCII is sent as Base64 between two marks. */
function asHeaderValue(value: string): string {
  const isPlain = PLAIN.test(value) && value === value.trim() && !SENTINEL.test(value);
  return isPlain ? value : `=?base64?${Buffer.from(value, 'utf8').toString('base64')}?=`;
}
