import {
  METHOD_NOT_FOUND,
  type JSONRPCRequest,
  type JSONRPCResponse,
} from '@modelcontextprotocol/client';
import type { ChannelHandlers, Era } from '../channels/channel.js';
import type { Http } from '../channels/http.js';
import type { StreamableResumption } from '../channels/streamable-session.js';
import { StreamableChannel } from '../channels/streamable.js';
import { HttpStatusError, LongwireError } from '../errors.js';
import {
  eraOf,
  inNamedVersion,
  isModernOnly,
  isNamedAgain,
  otherwise,
  type Introduction,
} from './eras.js';
import { FirstAnswer } from './first-answer.js';
import type { Connected } from './handshake.js';

/** What a request by POST needs. */
export interface StreamableOptions {
  http: Http;
  maxEventBytes: number;
  handlers: ChannelHandlers;
  /** Ends the handshake. Its reason is a LongwireError. */
  signal: AbortSignal;
}

/**
 * Finds out by one request whether a URL speaks Streamable HTTP: `server/discover` of the modern
 * era, or `initialize`.
 *
 * @throws LongwireError; `not-mcp` if it may be something else.
 */
export async function shakeHandsByPost(
  options: StreamableOptions & {
    url: URL;
    /** A server of the modern era alone is none for `initialize`: it is to be asked otherwise. */
    mayBeModern?: boolean;
  },
  { request, era }: { request: JSONRPCRequest; era: Era },
): Promise<Connected> {
  const first = new FirstAnswer(options.handlers);
  const channel = new StreamableChannel({ ...options, era, handlers: first });
  let answer: JSONRPCResponse;
  try {
    answer = await first.to(channel, request, options.signal);
    // "The client SHOULD retry with a version that the server supports": maybe the same.
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

/** What came is no answer to our request, or ended without one: it says nothing about MCP. */
function asNoAnswer(error: unknown): unknown {
  if (!(error instanceof LongwireError)) return error;
  const { code, summary, hint, cause } = error;
  // A redirection to another origin is the end of it: every other question would meet it, too.
  if (cause instanceof HttpStatusError) return error;
  const hasNone = code === 'protocol' || (code === 'connection-lost' && cause === undefined);
  if (!hasNone) return error;
  return new LongwireError(summary, { code: 'not-mcp', certainty: 'refused', hint, cause: error });
}

/**
 * Goes on with a session that another channel has left, if the server has it still; `undefined`
 * if it refuses.
 *
 * @throws LongwireError
 */
export async function goOnByPost(
  options: StreamableOptions & { introduction: Introduction },
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
  // No session is asked twice under the same id: this one belongs to the dial.
  const { id } = options.introduction.initialize;
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
  // Nobody is to be told of its end.
  await channel.close({ keepSession: true });
  return undefined;
}

/** Whether the session, or what stands for it, refuses to go on; a handshake says what that means. */
function isRefused(error: unknown): boolean {
  if (error instanceof HttpStatusError) return error.status !== 429;
  return (
    error instanceof LongwireError &&
    error.code === 'connection-lost' &&
    error.certainty === 'refused'
  );
}

function otherEra(url: URL, { method }: JSONRPCRequest, answer: JSONRPCResponse): LongwireError {
  const summary = `${url.origin} does not know ${method}: ${otherwise(answer)}`;
  return new LongwireError(summary, { code: 'not-mcp', certainty: 'refused' });
}
