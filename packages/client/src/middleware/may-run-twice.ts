import { isSafe } from '../connection/safety.js';
import { hintsOf } from '../tools/hints.js';
import type { McpRequest } from './contract.js';

/** Whether running a request twice does no harm: by its method, by the hints of its tool, or as the program says. */
export function mayRunTwice(request: McpRequest): boolean {
  const { method, params, idempotent, trustHints, client } = request;
  return isSafe(
    { request: { method, params }, context: { certainty: 'outcome-unknown', idempotent } },
    (tool) => trustHints && hintsOf(client)?.isSafe(tool) === true,
  );
}
