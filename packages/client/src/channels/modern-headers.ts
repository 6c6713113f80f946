import { Buffer } from 'node:buffer';
import { PROTOCOL_VERSION_META_KEY, type JSONRPCMessage } from '@modelcontextprotocol/client';
import { isAnswer } from './message.js';

/** Which parameter of a method is its name, for those that look at no more than headers. */
const NAMED_BY: Readonly<Record<string, string>> = {
  'tools/call': 'name',
  'prompts/get': 'name',
  'resources/read': 'uri',
  'tasks/get': 'taskId',
  'tasks/update': 'taskId',
  'tasks/cancel': 'taskId',
};

/** What a header can say as it is. */
const PLAIN = /^[\t\x20-\x7e]+$/;
const SENTINEL = /^=\?base64\?.*\?=$/;

/**
 * The headers that repeat what the body of a request says, for the sake of proxies.
 *
 * "The values in the headers MUST match the values in the request body."
 *
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http
 */
export function modernHeaders(message: JSONRPCMessage): Record<string, string> {
  if (isAnswer(message)) return {};
  const { method, params } = message;
  const field = Object.hasOwn(NAMED_BY, method) ? NAMED_BY[method] : undefined;
  const name = field === undefined ? undefined : params?.[field];
  const version = params?._meta?.[PROTOCOL_VERSION_META_KEY];
  return {
    ...(typeof version === 'string' && { 'mcp-protocol-version': version }),
    'mcp-method': method,
    ...(typeof name === 'string' && { 'mcp-name': asHeaderValue(name) }),
  };
}

/** The same for messages of one channel whose headers are the same: a channel has one version. */
export function modernHeadersKey(message: JSONRPCMessage): string {
  if (isAnswer(message)) return '';
  const { method, params } = message;
  const field = Object.hasOwn(NAMED_BY, method) ? NAMED_BY[method] : undefined;
  const name = field === undefined ? undefined : params?.[field];
  return typeof name === 'string' ? `${method}\n${name}` : method;
}

/** What is not plain ASCII goes as Base64 between marks. */
function asHeaderValue(value: string): string {
  const isPlain = PLAIN.test(value) && value === value.trim() && !SENTINEL.test(value);
  return isPlain ? value : `=?base64?${Buffer.from(value, 'utf8').toString('base64')}?=`;
}
