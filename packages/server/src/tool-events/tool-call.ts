import { ProtocolError, type CallToolResult, type Tool } from '@modelcontextprotocol/server';
import type { FastifyBaseLogger, FastifyReply } from 'fastify';
import { EventStream, encodeEvent, type EventStreamOptions } from '../events/event-stream.js';

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

/**
 * Runs a call and answers its POST with an event stream of one `result` or `error`. If the client
 * disconnects, the call is cancelled.
 */
export async function answerToolCall(
  reply: FastifyReply,
  options: EventStreamOptions,
  call: (signal: AbortSignal) => Promise<CallToolResult>,
): Promise<void> {
  const gone = new AbortController();
  const stream = new EventStream(reply, options);
  stream.onclose = () => gone.abort();
  const event = await call(gone.signal).then(
    (result) => eventOf(result, reply.log),
    (error: unknown) => encodeEvent('error', JSON.stringify(describeError(error))),
  );
  try {
    if (!stream.isEnded) void stream.send(event);
  } finally {
    stream.end();
  }
}

/** A result that is no JSON is an error: what it says of itself goes to the log, not to the client. */
function eventOf(result: CallToolResult, log: FastifyBaseLogger): string {
  try {
    return encodeEvent('result', JSON.stringify(result));
  } catch (error) {
    log.error(error, 'the result of a tool cannot be sent');
    const message = 'The result cannot be sent: the log of the server says why';
    return encodeEvent('error', JSON.stringify({ message }));
  }
}

function describeError(error: unknown): { message: string; code?: number } {
  const message = error instanceof Error ? error.message : String(error);
  return error instanceof ProtocolError ? { message, code: error.code } : { message };
}
