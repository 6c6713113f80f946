import {
  METHOD_NOT_FOUND,
  type JSONRPCRequest,
  type JSONRPCResponse,
} from '@modelcontextprotocol/client';
import type { ChannelHandlers } from '../channels/channel.js';
import type { HttpClient } from '../http/client.js';
import type { StreamableResumption } from '../channels/streamable/resumption.js';
import { StreamableChannel } from '../channels/streamable/channel.js';
import { HttpStatusError, LongwireError } from '../errors.js';
import {
  eraOf,
  inNamedVersion,
  isModernOnly,
  isNamedAgain,
  otherAnswer,
  type FirstRequests,
} from './eras.js';
import { FirstAnswer } from './first-answer.js';
import type { Connected } from './handshake.js';
import type { Era } from '../protocol-version.js';

/** What a handshake by POST needs. */
export interface StreamableOptions {
  http: HttpClient;
  maxEventBytes: number;
  handlers: ChannelHandlers;
  /** Aborts the handshake. Its reason is a LongwireError. */
  signal: AbortSignal;
}

/**
 * Detects by one request whether a server speaks Streamable HTTP: by `server/discover` of the modern
 * era, or `initialize`.
 *
 * @throws LongwireError; `not-mcp` if it may be something else.
 */
export async function handshakeByPost(
  options: StreamableOptions & {
    url: URL;
    /** A server of the modern era alone refuses `initialize`: another probe finds it. */
    mayBeModern?: boolean;
  },
  { request, era }: { request: JSONRPCRequest; era: Era },
): Promise<Connected> {
  const first = new FirstAnswer(options.handlers);
  const channel = new StreamableChannel({ ...options, era, handlers: first });
  let answer: JSONRPCResponse;
  try {
    answer = await first.to(channel, request, options.signal);
    // "The client SHOULD retry with a version that the server supports", which may be the same.
    const again = isNamedAgain(answer, request) ? request : inNamedVersion(answer, request);
    if (again !== undefined) answer = await first.to(channel, again, options.signal);
  } catch (error) {
    first.discard();
    throw asNoAnswer(error);
  }
  const isElsewhere =
    era === 'modern'
      ? eraOf(answer, request) !== 'modern'
      : options.mayBeModern === true && isModernOnly(answer);
  if (!isElsewhere) return { channel, answer };
  first.discard();
  throw otherEra(options.url, request, answer);
}

/** A response without an answer to the request says nothing about MCP. */
function asNoAnswer(error: unknown): unknown {
  if (!(error instanceof LongwireError)) return error;
  const { code, summary, hint, cause } = error;
  // A redirect to another origin ends the detection: every other probe would get it, too.
  if (cause instanceof HttpStatusError) return error;
  const hasNone = code === 'protocol' || (code === 'connection-lost' && cause === undefined);
  if (!hasNone) return error;
  return new LongwireError(summary, { code: 'not-mcp', certainty: 'refused', hint, cause: error });
}

/**
 * Resumes the session of another channel, if the server still knows it; `undefined` if it refuses.
 *
 * @throws LongwireError
 */
export async function resumeByPost(
  options: StreamableOptions & { firstRequests: FirstRequests },
  session: StreamableResumption,
): Promise<Connected | undefined> {
  const first = new FirstAnswer(options.handlers);
  const { url } = session;
  const channel = new StreamableChannel({
    ...options,
    url,
    era: 'legacy',
    session,
    handlers: first,
  });
  // No id is used twice on a session: this one belongs to the dial.
  const { id } = options.firstRequests.initialize;
  const ping = { jsonrpc: '2.0' as const, id, method: 'ping' };
  try {
    const answer = await first.to(channel, ping, options.signal);
    if (!('error' in answer) || answer.error.code === METHOD_NOT_FOUND) {
      return { channel, answer: undefined };
    }
  } catch (error) {
    if (!isRefused(error)) {
      await channel.close({ keepSession: true });
      throw asNoAnswer(error);
    }
  }
  // Without a DELETE.
  await channel.close({ keepSession: true });
  return undefined;
}

/** Whether the server refuses to resume the session; a handshake shows what that means. */
function isRefused(error: unknown): boolean {
  if (error instanceof HttpStatusError) return error.status !== 429;
  return (
    error instanceof LongwireError &&
    error.code === 'connection-lost' &&
    error.certainty === 'refused'
  );
}

function otherEra(url: URL, { method }: JSONRPCRequest, answer: JSONRPCResponse): LongwireError {
  const summary = `${url.origin} does not know ${method}: ${otherAnswer(answer)}`;
  return new LongwireError(summary, { code: 'not-mcp', certainty: 'refused' });
}
