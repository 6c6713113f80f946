import type { JSONRPCRequest, JSONRPCResponse } from '@modelcontextprotocol/client';
import type { ChannelHandlers, Era } from '../channels/channel.js';
import type { Http } from '../channels/http.js';
import type { StreamableResumption } from '../channels/streamable-session.js';
import { StreamableChannel } from '../channels/streamable.js';
import { LongwireError } from '../errors.js';
import { eraOf, isNamedAgain } from './eras.js';
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
  options: StreamableOptions & { url: URL },
  { request, era }: { request: JSONRPCRequest; era: Era },
): Promise<Connected> {
  const first = new FirstAnswer(options.handlers);
  const channel = new StreamableChannel({ ...options, era, handlers: first });
  let answer: JSONRPCResponse;
  try {
    answer = await first.to(channel, request, options.signal);
    // "The client SHOULD retry with a version that the server supports": the same, if it is named.
    if (isNamedAgain(answer, request)) answer = await first.to(channel, request, options.signal);
  } catch (error) {
    // What is no answer to our request says nothing about MCP.
    if (!(error instanceof LongwireError) || error.code !== 'protocol') throw error;
    throw new LongwireError(error.summary, {
      code: 'not-mcp',
      certainty: 'refused',
      hint: error.hint,
      cause: error,
    });
  }
  if (era === 'modern' && eraOf(answer) !== 'modern') throw notModern(options.url, answer);
  return { channel, answer };
}

/**
 * Goes on with a session that another channel has left, if the server has it still; `undefined`
 * if it has forgotten it.
 *
 * @throws LongwireError
 */
export async function goOnByPost(
  options: StreamableOptions,
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
  const ping = { jsonrpc: '2.0' as const, id: 'is-the-session-there', method: 'ping' };
  try {
    // Whatever the answer says, it is the session's.
    await first.to(channel, ping, options.signal);
    return { channel, answer: undefined };
  } catch (error) {
    // Nobody is to be told of its end.
    await channel.close({ keepSession: true });
    const isForgotten =
      error instanceof LongwireError &&
      error.code === 'connection-lost' &&
      error.certainty === 'refused';
    if (isForgotten) return undefined;
    throw error;
  }
}

function notModern(url: URL, answer: JSONRPCResponse): LongwireError {
  const said = 'error' in answer ? answer.error.message : 'a result of another kind';
  return new LongwireError(`${url.origin} does not know server/discover: ${said}`, {
    code: 'not-mcp',
    certainty: 'refused',
  });
}
