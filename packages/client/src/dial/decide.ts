import type { TransportName } from '../transport-name.js';

/** What a server has shown so far that was sent `initialize`. */
export interface Evidence {
  /** The transport that the program asked for; `undefined` if it is to be detected. */
  transport: TransportName | undefined;
  /** A JSON-RPC answer to `initialize` came. */
  answered: boolean;
  /** A `tools` event came. */
  sawTools: boolean;
  /** What came instead of an answer: an HTTP error, or an event that is no JSON-RPC answer. */
  refusal: 'none' | 'refused' | 'foreign';
  /** A second has passed since `initialize` left. */
  graceOver: boolean;
}

/**
 * - `sse`: HTTP+SSE.
 * - `tool-events`: tool-events, and nothing more comes for `initialize` on this session.
 * - `tool-events-unanswered`: tool-events, and an answer to `initialize` may still come.
 * - `refused`: no transport, but an error.
 */
export type Decision = 'sse' | 'tool-events' | 'tool-events-unanswered' | 'refused';

/**
 * Decides between HTTP+SSE and tool-events; `undefined` as long as both are possible.
 *
 * An answer means HTTP+SSE, whatever else arrived. The server speaks tool-events only if a `tools`
 * event came and `initialize` was refused, answered with another event, or not answered within a
 * second.
 */
export function decide(evidence: Evidence): Decision | undefined {
  const { transport, answered, sawTools, refusal, graceOver } = evidence;
  if (answered) return 'sse';
  if (transport === 'sse') return refusal === 'refused' ? 'refused' : undefined;
  if (sawTools && refusal !== 'none') return 'tool-events';
  if (!graceOver) return undefined;
  if (sawTools) return 'tool-events-unanswered';
  return refusal === 'refused' ? 'refused' : undefined;
}
