import type { JSONRPCErrorResponse, JSONRPCResultResponse } from '@modelcontextprotocol/server';
import type { SessionRecord } from './session-store.js';

/** A repeated request id with the same body gets the first answer, and does not run again. */
export const REPEATED_IDS = 'longwire/repeatedIds';

/**
 * The answer to `initialize`, with what the kit adds to what the server can do. Under `experimental`,
 * as clients look there for what the specification does not name.
 */
export function withKitCapabilities(
  answer: JSONRPCResultResponse | JSONRPCErrorResponse,
  { transport, isSealed }: Pick<SessionRecord, 'transport' | 'isSealed'>,
): JSONRPCResultResponse | JSONRPCErrorResponse {
  if (!('result' in answer)) return answer;
  const { capabilities = {} } = answer.result as { capabilities?: Record<string, unknown> };
  const experimental = {
    ...(capabilities['experimental'] as Record<string, unknown> | undefined),
    ...(isSealed !== true && { [REPEATED_IDS]: {} }),
    ...(transport === 'sse' && { sse: {} }),
  };
  return {
    ...answer,
    result: { ...answer.result, capabilities: { ...capabilities, experimental } },
  };
}
