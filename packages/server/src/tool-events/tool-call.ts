import { INTERNAL_ERROR, type Tool } from '@modelcontextprotocol/server';
import type { FastifyBaseLogger } from 'fastify';
import type { CallOutcome } from '../calls/call.js';
import { encodeEvent } from '../events/event-stream.js';

/** A call of the tool-events transport, after validation. */
export interface ToolCall {
  sessionId: string;
  tool: string;
  args: Record<string, unknown>;
}

/** One entry of the `tools` event. */
export interface ToolDescription {
  name: string;
  description?: string;
  input_schema: Tool['inputSchema'];
}

/** Whether a body belongs to the tool-events transport; a JSON-RPC message never does. */
export function isToolCall(body: unknown): body is Record<string, unknown> {
  return typeof body === 'object' && body !== null && 'tool' in body && !('jsonrpc' in body);
}

/** Checks a body; returns the call, or what is wrong with it. */
export function parseToolCall(body: Record<string, unknown>): ToolCall | string {
  const { session_id: sessionId, tool, args = {} } = body;
  if (typeof sessionId !== 'string') return 'session_id must be a string';
  if (typeof tool !== 'string') return 'tool must be a string';
  if (typeof args !== 'object' || args === null || Array.isArray(args)) {
    return 'args must be an object';
  }
  return { sessionId, tool, args: args as Record<string, unknown> };
}

/** The tools as the `tools` event lists them. */
export function describeTools(tools: readonly Tool[]): ToolDescription[] {
  return tools.map(({ name, description, inputSchema }) => ({
    name,
    ...(description === undefined ? {} : { description }),
    input_schema: inputSchema,
  }));
}

/** What a client is told whose session ended before its call did. */
const SESSION_ENDED = 'the session has ended';

/** The answer to a call. */
export interface Answer {
  /** As its client is told. */
  readonly outcome: CallOutcome;
  /** In its wire format. */
  readonly event: string;
}

/** A result that cannot be sent is an error: what it says of itself goes to the log, not to the client. */
export function answerOf(outcome: CallOutcome, maxBytes: number, log: FastifyBaseLogger): Answer {
  if (outcome.kind !== 'result') return { outcome, event: errorEvent(outcome) };
  try {
    const event = encodeEvent('result', JSON.stringify(outcome.result));
    if (Buffer.byteLength(event) <= maxBytes) return { outcome, event };
    throw new RangeError(`it is longer than ${maxBytes} bytes (maxBufferedBytes)`);
  } catch (error) {
    log.error(error, 'the result of a tool cannot be sent');
    const message = 'The result cannot be sent: the log of the server says why';
    return answerOf({ kind: 'error', error: { code: INTERNAL_ERROR, message } }, maxBytes, log);
  }
}

function errorEvent(outcome: Exclude<CallOutcome, { kind: 'result' }>): string {
  return encodeEvent('error', JSON.stringify(describeError(outcome)));
}

function describeError(outcome: Exclude<CallOutcome, { kind: 'result' }>): {
  message: string;
  code?: number;
} {
  if (outcome.kind === 'cancelled') return { message: SESSION_ENDED };
  const { message, code } = outcome.kind === 'error' ? outcome.error : outcome.refusal;
  return { message, code };
}
