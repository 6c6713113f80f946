import { LongwireError, type ErrorCode } from '@longwire/client';
import type { JSONRPCErrorResponse, RequestId } from '@modelcontextprotocol/server';

/** "Internal error" of JSON-RPC. */
const INTERNAL_ERROR = -32_603;

/**
 * What a client is told. The error itself may name the address of the server, or hold what its process
 * wrote last: that is for whoever runs the gateway.
 */
const WORDS: Partial<Record<ErrorCode, string>> = {
  'connect-failed': 'it could not be reached',
  'connect-timeout': 'it did not answer in time',
  'not-mcp': 'it is no MCP server',
  unauthorized: 'it refuses the credentials of the gateway',
  forbidden: 'it refuses the credentials of the gateway',
  'connection-lost': 'the connection to it was lost, or its process ended',
  'limit-exceeded': 'its answer is over a limit',
  'queue-full': 'too many requests wait for it',
};

/** The answer to a request that the server behind the gateway has not answered. */
export function failedAnswer(id: RequestId, error: unknown): JSONRPCErrorResponse {
  const { code, certainty } =
    error instanceof LongwireError ? error : { code: undefined, certainty: 'outcome-unknown' };
  const why = (code !== undefined && WORDS[code]) || 'it did not answer';
  return {
    jsonrpc: '2.0',
    id,
    error: {
      code: INTERNAL_ERROR,
      message: `The server behind this gateway has failed: ${why}`,
      data: { certainty, ...(code !== undefined && { code }) },
    },
  };
}
