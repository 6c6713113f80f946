import type { JSONRPCResponse, RequestId } from '@modelcontextprotocol/client';
import { HttpStatusError, type LongwireError } from '../errors.js';
import type { JsonBounds } from '../untrusted/json.js';
import { asksForLater, isNotNow } from '../http/status.js';
import { isAnswer, readMessage } from './message.js';
import type { Era } from '../protocol-version.js';

/** The server does not speak the version of the request. */
export const UNSUPPORTED_VERSION = -32022;
/** Errors of the modern era alone; one may come without the id of its request. */
export const MODERN_ERRORS: ReadonlySet<number> = new Set([-32020, -32021, UNSUPPORTED_VERSION]);

/** The request that an HTTP error answers. */
export interface FailedRequest {
  /** Its id; `undefined` for a notification or a stream. */
  id: RequestId | undefined;
  era: Era;
  /** The server has answered on this channel before. */
  wasKnown: boolean;
  /** The request names a session. */
  namesSession: boolean;
  /** What the body may hold. Default: the defaults of `limits`. */
  jsonBounds?: JsonBounds;
}

/** What an HTTP error means. */
export type ErrorMeaning =
  | { meaning: 'error' }
  /** This server does not know the session, or not any more. */
  | { meaning: 'session-lost'; error: HttpStatusError }
  /** The body is the answer. */
  | { meaning: 'answer'; answer: JSONRPCResponse };

/**
 * Tells what an HTTP error means over Streamable HTTP, where an answer may come with any status.
 *
 * "When a client receives HTTP 404 in response to a request containing an MCP-Session-Id, it MUST
 * start a new session": unless the body is the modern era's, which says "not found" so.
 *
 * @see https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#session-management
 */
export function errorMeaning(
  error: LongwireError,
  body: string | undefined,
  { id, era, wasKnown, namesSession, jsonBounds: bounds }: FailedRequest,
): ErrorMeaning {
  if (!(error instanceof HttpStatusError) || isNotNow(error.status)) return { meaning: 'error' };
  const answer = answerIn(body, id, bounds);
  const speaksOtherVersion = answer !== undefined && errorNumber(answer) === UNSUPPORTED_VERSION;
  if (wasKnown && speaksOtherVersion) return { meaning: 'session-lost', error };
  if (answer !== undefined) return { meaning: 'answer', answer };
  const isLost =
    era === 'modern' ? isOtherServer(error, body) : isOtherSession(error, namesSession);
  return wasKnown && isLost ? { meaning: 'session-lost', error } : { meaning: 'error' };
}

/** Legacy era: a 404 means the session, if the request named one. */
function isOtherSession(error: HttpStatusError, namesSession: boolean): boolean {
  return error.status === 404 && namesSession;
}

/**
 * Modern era: an MCP server that answers another request did not understand this one, and a server
 * without POST is no MCP server. A proxy in front of the server says nothing about it.
 */
function isOtherServer(error: HttpStatusError, body: string | undefined): boolean {
  if (error.status === 405) return true;
  return (
    (error.status === 400 || error.status === 404) && /"jsonrpc"\s*:\s*"2\.0"/.test(body ?? '')
  );
}

/** The answer to the request, if the body is one. */
function answerIn(
  body: string | undefined,
  id: RequestId | undefined,
  bounds: JsonBounds | undefined,
): JSONRPCResponse | undefined {
  if (body === undefined || id === undefined) return undefined;
  const { message } = readMessage(body, { bounds });
  if (message !== undefined) return isAnswer(message) && message.id === id ? message : undefined;
  const adopted = readMessage(body, { bounds, orphansOf: id }).message;
  if (adopted === undefined || !isAnswer(adopted) || adopted.id !== id) return undefined;
  return MODERN_ERRORS.has(errorNumber(adopted) ?? 0) ? adopted : undefined;
}

function errorNumber(answer: JSONRPCResponse): number | undefined {
  return 'error' in answer ? answer.error.code : undefined;
}

/** Whether the server itself answered, whatever it said; a proxy may answer that it does not reach it. */
export function isFromServer(error: LongwireError): boolean {
  return error instanceof HttpStatusError && error.status !== 502 && error.status !== 504;
}

/**
 * Whether opening a stream again may succeed the next time. 409 is the answer of a server that has not
 * noticed yet that the last stream broke.
 */
export function isTransient(error: LongwireError): boolean {
  if (error instanceof HttpStatusError) {
    return error.status >= 500 || error.status === 409 || asksForLater(error.status);
  }
  return ['connect-failed', 'connection-lost', 'closed'].includes(error.code);
}

/** Whether the response to the GET says that the server has no such stream, or not any more. */
export function isNotOffered(error: LongwireError, wasOffered: boolean): boolean {
  if (!(error instanceof HttpStatusError)) return error.code === 'not-mcp';
  if (isTransient(error)) return false;
  return wasOffered ? error.status === 405 : true;
}
