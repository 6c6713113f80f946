import type { Dialect } from '../channels/channel.js';

/** What has been seen so far of a server that was sent `initialize`. */
export interface Signs {
  /** What the program says that it must be; `undefined` where that is to be found out. */
  dialect: Dialect | undefined;
  /** A JSON-RPC answer to `initialize` came. */
  answered: boolean;
  /** A `tools` event came. */
  sawTools: boolean;
  /** What `initialize` met instead: an HTTP error, or an event that answers no JSON-RPC. */
  objection: 'none' | 'refused' | 'foreign';
  /** A second has passed since `initialize` left. */
  graceOver: boolean;
}

/**
 * - `sse`: HTTP+SSE.
 * - `tool-events`: and nothing is owed on this session.
 * - `tool-events-unanswered`: and something may still come for `initialize`.
 * - `refused`: no dialect, but an error.
 */
export type Finding = 'sse' | 'tool-events' | 'tool-events-unanswered' | 'refused';

/**
 * Tells HTTP+SSE and tool-events apart; `undefined` as long as it is open. An answer means
 * HTTP+SSE, whatever else arrived. It is tool-events only if a `tools` event came, and `initialize`
 * was refused, answered with something else, or not answered within a second.
 */
export function judge(signs: Signs): Finding | undefined {
  const { dialect, answered, sawTools, objection, graceOver } = signs;
  if (answered) return 'sse';
  if (dialect === 'sse') return objection === 'refused' ? 'refused' : undefined;
  if (sawTools && objection !== 'none') return 'tool-events';
  if (!graceOver) return undefined;
  if (sawTools) return 'tool-events-unanswered';
  return objection === 'refused' ? 'refused' : undefined;
}
