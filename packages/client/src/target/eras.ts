import {
  CLIENT_CAPABILITIES_META_KEY,
  CLIENT_INFO_META_KEY,
  METHOD_NOT_FOUND,
  PROTOCOL_VERSION_META_KEY,
  isSpecType,
  type JSONRPCRequest,
  type JSONRPCResponse,
} from '@modelcontextprotocol/client';
import type { Era } from '../channels/channel.js';
import { UNSUPPORTED_VERSION } from '../channels/refusal.js';

/** The version that a server of the legacy era is offered by a program that knows both. */
const OFFERED_VERSION = '2025-11-25';

/** How many versions of a server are told, and in how many characters. */
const MAX_NAMED = 8;
const MAX_SAID = 120;

/** How a program says who it is, in the words of each era. */
export interface Introduction {
  /** `server/discover`; `undefined` if the program speaks the legacy era alone. */
  discover: JSONRPCRequest | undefined;
  initialize: JSONRPCRequest;
}

/**
 * What an answer to `server/discover` says of its server: it is of the modern era only if it names
 * the version that it was asked in. There are servers that know the request and name none but older
 * versions, and those expect `initialize`.
 *
 * What the SDK cannot read as an answer to `server/discover` is none: it would ask `initialize`.
 */
export function eraOf(answer: JSONRPCResponse, { params }: JSONRPCRequest): Era {
  if (!('result' in answer) || !isSpecType.DiscoverResult(answer.result)) return 'legacy';
  const asked = params?._meta?.[PROTOCOL_VERSION_META_KEY];
  return answer.result.supportedVersions.some((version) => version === asked) ? 'modern' : 'legacy';
}

/** What an answer that does not fit `server/discover` or `initialize` says, in words. */
export function otherwise(answer: JSONRPCResponse): string {
  if ('error' in answer) return answer.error.message;
  const { supportedVersions: versions } = answer.result;
  if (!Array.isArray(versions) || versions.length === 0) return 'a result of another kind';
  return `it names only ${versions.slice(0, MAX_NAMED).map(String).join(', ').slice(0, MAX_SAID)}`;
}

/** Whether an answer to `initialize` says that the server speaks the modern era alone. */
export function isModernOnly(answer: JSONRPCResponse): boolean {
  if ('result' in answer) return false;
  const { code } = answer.error;
  return code === METHOD_NOT_FOUND || code === UNSUPPORTED_VERSION;
}

/** Whether a server refuses a version, and names that very version as one that it speaks. */
export function isNamedAgain(answer: JSONRPCResponse, { params }: JSONRPCRequest): boolean {
  if (!('error' in answer) || answer.error.code !== UNSUPPORTED_VERSION) return false;
  const { supported } = (answer.error.data ?? {}) as { supported?: unknown };
  return Array.isArray(supported) && supported.includes(params?._meta?.[PROTOCOL_VERSION_META_KEY]);
}

/**
 * What a program that introduces itself by `server/discover` would say by `initialize`: the same,
 * so that nothing need be asked twice should the server know only that.
 */
export function initializeFrom(discover: JSONRPCRequest): JSONRPCRequest {
  const { _meta: meta = {} } = discover.params ?? {};
  return {
    jsonrpc: '2.0',
    id: discover.id,
    method: 'initialize',
    params: {
      protocolVersion: OFFERED_VERSION,
      capabilities: meta[CLIENT_CAPABILITIES_META_KEY] ?? {},
      clientInfo: meta[CLIENT_INFO_META_KEY] ?? { name: 'unknown', version: 'unknown' },
    },
  };
}
