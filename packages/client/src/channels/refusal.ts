import type { JSONRPCResponse, RequestId } from '@modelcontextprotocol/client';
import { HttpStatusError, type LongwireError } from '../errors.js';
import type { Era } from './channel.js';
import type { JsonBounds } from './json.js';
import { isAnswer, readMessage } from './message.js';

/** Statuses that put a request off, whatever their body says. */
const NOT_NOW: ReadonlySet<number> = new Set([408, 425, 429, 503]);
/** A server that has not noticed yet how a stream broke off answers 409. */
const PASSING: ReadonlySet<number> = new Set([408, 409, 425, 429]);

/** The version of a request is none that the server speaks. */
export const UNSUPPORTED_VERSION = -32022;
/** Errors that only the modern era knows; one may come without the id of its request. */
export const MODERN_ERRORS: ReadonlySet<number> = new Set([-32020, -32021, UNSUPPORTED_VERSION]);

/** Who was refused. */
export interface RefusedRequest {
  /** Its id; `undefined` if it was none that is answered. */
  id: RequestId | undefined;
  era: Era;
  /** The server has answered on this channel before. */
  wasKnown: boolean;
  /** The request names a session. */
  namesSession: boolean;
  /** What the body may hold. Default: the defaults of `limits`. */
  jsonBounds?: JsonBounds;
}

/** What a refusal means. */
export type Refusal =
  | { meaning: 'error' }
  /** The server is not, or no more, the one that the session is with. */
  | { meaning: 'forgotten'; error: HttpStatusError }
  /** It is the answer. */
  | { meaning: 'answer'; answer: JSONRPCResponse };

/**
 * Tells what an HTTP error means over Streamable HTTP, where an answer may come with any status.
 *
 * "When a client receives HTTP 404 in response to a request containing an MCP-Session-Id, it MUST
 * start a new session": unless the body is the modern era's, which says "not found" so.
 *
 * @see https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#session-management
 */
export function judgeRefusal(
  error: LongwireError,
  body: string | undefined,
  { id, era, wasKnown, namesSession, jsonBounds: bounds }: RefusedRequest,
): Refusal {
  if (!(error instanceof HttpStatusError) || NOT_NOW.has(error.status)) return { meaning: 'error' };
  const answer = answerIn(body, id, bounds);
  const speaksOtherwise = answer !== undefined && errorNumber(answer) === UNSUPPORTED_VERSION;
  if (wasKnown && speaksOtherwise) return { meaning: 'forgotten', error };
  if (answer !== undefined) return { meaning: 'answer', answer };
  const isGone = era === 'modern' ? isOfOthers(error, body) : isOfOtherSession(error, namesSession);
  return wasKnown && isGone ? { meaning: 'forgotten', error } : { meaning: 'error' };
}

/** Legacy: what is not found is the session, if one was named. */
function isOfOtherSession(error: HttpStatusError, namesSession: boolean): boolean {
  return error.status === 404 && namesSession;
}

/**
 * Modern: an MCP server that answers somebody else has not understood us, and one that takes no
 * POST is none. What stands in front of a server says nothing of it.
 */
function isOfOthers(error: HttpStatusError, body: string | undefined): boolean {
  if (error.status === 405) return true;
  return (
    (error.status === 400 || error.status === 404) && /"jsonrpc"\s*:\s*"2\.0"/.test(body ?? '')
  );
}

/** The answer to the request, if a body is that. */
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

/** Whether the server is there, whatever it says; a gateway says that it is not. */
export function isOfServer(error: LongwireError): boolean {
  return error instanceof HttpStatusError && error.status !== 502 && error.status !== 504;
}

/** Whether what a stream met when it was opened again may be over the next time. */
export function isPassing(error: LongwireError): boolean {
  if (error instanceof HttpStatusError) return error.status >= 500 || PASSING.has(error.status);
  return ['connect-failed', 'connection-lost', 'closed'].includes(error.code);
}

/** Whether the answer to the GET says that there is no stream to be had; or no more. */
export function isNoOffer(error: LongwireError, wasOffered: boolean): boolean {
  if (!(error instanceof HttpStatusError)) return error.code === 'not-mcp';
  if (isPassing(error)) return false;
  return wasOffered ? error.status === 405 : true;
}
