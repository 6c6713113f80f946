import {
  CLIENT_CAPABILITIES_META_KEY,
  CLIENT_INFO_META_KEY,
  METHOD_NOT_FOUND,
  PROTOCOL_VERSION_META_KEY,
  SUPPORTED_PROTOCOL_VERSIONS,
  isSpecType,
  type JSONRPCRequest,
  type JSONRPCResponse,
} from '@modelcontextprotocol/client';
import type { Era } from '../channels/channel.js';
import { MODERN_ERRORS, UNSUPPORTED_VERSION } from '../channels/refusal.js';
import { LongwireError } from '../errors.js';
import { overloadError, overloadOf } from '../untrusted/sdk-load.js';
import type { Protocol, ProtocolVersion } from './protocol-version.js';

/** The version of the modern era. */
const MODERN_VERSION: ProtocolVersion = '2026-07-28';

/** The version that a server of the legacy era is offered by a program that knows both. */
const OFFERED_VERSION: ProtocolVersion = '2025-11-25';

/** How many versions of a server are told, and in how many characters. */
const MAX_NAMED = 8;
const MAX_SAID = 120;

/** What a server may be asked by POST, or over its pipe: the first request of each era. */
export type Question = 'discover' | 'initialize';

/** How a program says who it is, in the words of each era. */
export interface Introduction {
  /** `server/discover`; `undefined` if the program speaks the legacy era alone. */
  discover: JSONRPCRequest | undefined;
  initialize: JSONRPCRequest;
  /** Which of the two may be asked, the preferred first. */
  questions: readonly Question[];
}

/**
 * What an answer to `server/discover` says of its server: it is of the modern era only if it names
 * the version that it was asked in. There are servers that know the request and name none but older
 * versions, and those expect `initialize`.
 *
 * What the SDK cannot read as an answer to `server/discover` is none: it would ask `initialize`.
 *
 * @throws LongwireError `limit-exceeded` if it is too much to be checked.
 */
export function eraOf(answer: JSONRPCResponse, { params }: JSONRPCRequest): Era {
  if (!('result' in answer)) return 'legacy';
  const overload = overloadOf(answer.result);
  if (overload !== undefined) throw overloadError('server/discover', overload);
  if (!isSpecType.DiscoverResult(answer.result)) return 'legacy';
  const asked = params?._meta?.[PROTOCOL_VERSION_META_KEY];
  return answer.result.supportedVersions.some((version) => version === asked) ? 'modern' : 'legacy';
}

/**
 * Which questions a program asks, the preferred first. One that announces that it can be asked (by
 * elicitation, sampling, roots) is best served in the legacy era, where every tool that asks can ask.
 *
 * @throws LongwireError `config` if the program does not speak the version.
 */
export function questionsOf(
  discover: JSONRPCRequest | undefined,
  protocol: Protocol,
): readonly Question[] {
  if (protocol === MODERN_VERSION) {
    if (discover !== undefined) return ['discover'];
    throw new LongwireError(`this program's SDK Client does not speak protocol ${protocol}`, {
      code: 'config',
      certainty: 'not-sent',
      hint: "make it with versionNegotiation: { mode: 'auto' }, or leave out protocol",
    });
  }
  if (protocol !== 'auto' || discover === undefined) return ['initialize'];
  return canBeAsked(discover) ? ['initialize', 'discover'] : ['discover', 'initialize'];
}

function canBeAsked({ params }: JSONRPCRequest): boolean {
  const capabilities: unknown = params?._meta?.[CLIENT_CAPABILITIES_META_KEY];
  if (typeof capabilities !== 'object' || capabilities === null) return false;
  return ['elicitation', 'sampling', 'roots'].some((name) => Object.hasOwn(capabilities, name));
}

/** The same `initialize`, offering the version that the program is to speak. */
export function offering(initialize: JSONRPCRequest, protocol: Protocol): JSONRPCRequest {
  if (protocol === 'auto' || protocol === MODERN_VERSION) return initialize;
  return { ...initialize, params: { ...initialize.params, protocolVersion: protocol } };
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
  return code === METHOD_NOT_FOUND || MODERN_ERRORS.has(code);
}

/** Whether a server refuses a version, and names that very version as one that it speaks. */
export function isNamedAgain(answer: JSONRPCResponse, { params }: JSONRPCRequest): boolean {
  if (!('error' in answer) || answer.error.code !== UNSUPPORTED_VERSION) return false;
  const { supported } = (answer.error.data ?? {}) as { supported?: unknown };
  return Array.isArray(supported) && supported.includes(params?._meta?.[PROTOCOL_VERSION_META_KEY]);
}

/**
 * The same `initialize` in a version that its refusal names and that we speak, if it names one; the
 * newest of them.
 *
 * @see https://modelcontextprotocol.io/specification/2025-11-25/basic/lifecycle#error-handling
 */
export function inNamedVersion(
  answer: JSONRPCResponse,
  initialize: JSONRPCRequest,
): JSONRPCRequest | undefined {
  if (!('error' in answer)) return undefined;
  const { supported } = (answer.error.data ?? {}) as { supported?: unknown };
  if (!Array.isArray(supported)) return undefined;
  const asked = initialize.params?.['protocolVersion'];
  const protocolVersion = SUPPORTED_PROTOCOL_VERSIONS.find(
    (version) => version !== asked && supported.includes(version),
  );
  if (protocolVersion === undefined) return undefined;
  return { ...initialize, params: { ...initialize.params, protocolVersion } };
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
