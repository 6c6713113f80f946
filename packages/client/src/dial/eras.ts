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
import { MODERN_ERRORS, UNSUPPORTED_VERSION } from '../channels/error-meaning.js';
import { LongwireError } from '../errors.js';
import type { Era, Protocol, ProtocolVersion } from '../protocol-version.js';
import { overloadError, overloadOf } from '../untrusted/sdk-load.js';

/** The version of the modern era. */
const MODERN_VERSION: ProtocolVersion = '2026-07-28';

/** The version that a program with both eras offers to a server of the legacy era. */
const OFFERED_VERSION: ProtocolVersion = '2025-11-25';

/** How many versions of a server an error shows, and in how many characters. */
const MAX_SHOWN_VERSIONS = 8;
const MAX_SHOWN_LENGTH = 120;

/** The first request of each era, sent by POST or over a pipe. */
export type FirstMethod = 'discover' | 'initialize';

/** The program's first request in each era. */
export interface FirstRequests {
  /** `server/discover`; `undefined` if the program speaks the legacy era alone. */
  discover: JSONRPCRequest | undefined;
  initialize: JSONRPCRequest;
  /** Which of the two may be sent, the preferred one first. */
  methods: readonly FirstMethod[];
}

/**
 * The era of a server by its answer to `server/discover`. It is modern only if the answer names the
 * version of the request. Some servers know the request and name only older versions: they expect
 * `initialize`.
 *
 * An answer that the SDK cannot read counts as none: the SDK would send `initialize`.
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
 * The first requests that a program sends, the preferred one first. A program with handlers for
 * elicitation, sampling or roots prefers the legacy era, where every tool can send such requests.
 *
 * @throws LongwireError `config` if the program does not speak the version.
 */
export function firstMethodsOf(
  discover: JSONRPCRequest | undefined,
  protocol: Protocol,
): readonly FirstMethod[] {
  if (protocol === MODERN_VERSION) {
    if (discover !== undefined) return ['discover'];
    throw new LongwireError(`this program's SDK Client does not speak protocol ${protocol}`, {
      code: 'config',
      certainty: 'not-sent',
      hint: "make it with versionNegotiation: { mode: 'auto' }, or leave out protocol",
    });
  }
  if (protocol !== 'auto' || discover === undefined) return ['initialize'];
  return handlesRequests(discover) ? ['initialize', 'discover'] : ['discover', 'initialize'];
}

function handlesRequests({ params }: JSONRPCRequest): boolean {
  const capabilities: unknown = params?._meta?.[CLIENT_CAPABILITIES_META_KEY];
  if (typeof capabilities !== 'object' || capabilities === null) return false;
  return ['elicitation', 'sampling', 'roots'].some((name) => Object.hasOwn(capabilities, name));
}

/** The same `initialize` with the version that the program has to speak. */
export function offering(initialize: JSONRPCRequest, protocol: Protocol): JSONRPCRequest {
  if (protocol === 'auto' || protocol === MODERN_VERSION) return initialize;
  return { ...initialize, params: { ...initialize.params, protocolVersion: protocol } };
}

/** What another answer to `server/discover` or `initialize` says, in words. */
export function otherAnswer(answer: JSONRPCResponse): string {
  if ('error' in answer) return answer.error.message;
  const { supportedVersions: versions } = answer.result;
  if (!Array.isArray(versions) || versions.length === 0) return 'a result of another kind';
  return `it names only ${versions.slice(0, MAX_SHOWN_VERSIONS).map(String).join(', ').slice(0, MAX_SHOWN_LENGTH)}`;
}

/** Whether an answer to `initialize` says that the server speaks only the modern era. */
export function isModernOnly(answer: JSONRPCResponse): boolean {
  if ('result' in answer) return false;
  const { code } = answer.error;
  return code === METHOD_NOT_FOUND || MODERN_ERRORS.has(code);
}

/** Whether a server refuses a version, and names the same version as one that it speaks. */
export function isNamedAgain(answer: JSONRPCResponse, { params }: JSONRPCRequest): boolean {
  if (!('error' in answer) || answer.error.code !== UNSUPPORTED_VERSION) return false;
  const { supported } = (answer.error.data ?? {}) as { supported?: unknown };
  return Array.isArray(supported) && supported.includes(params?._meta?.[PROTOCOL_VERSION_META_KEY]);
}

/**
 * The same `initialize` in the newest version that its refusal names and that we speak, if there is one.
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
 * The `initialize` that says the same as `server/discover`, for a server that knows only `initialize`.
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
