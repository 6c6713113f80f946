import type { LedgerEntry } from './ledger.js';

/**
 * Requests that do no harm when they run twice: those that only look, and those that say how
 * something shall be.
 *
 * @see https://modelcontextprotocol.io/specification/2025-11-25
 */
const SAFE_METHODS: ReadonlySet<string> = new Set([
  'completion/complete',
  'logging/setLevel',
  'ping',
  'prompts/get',
  'prompts/list',
  'resources/list',
  'resources/read',
  'resources/subscribe',
  'resources/templates/list',
  'resources/unsubscribe',
  'server/discover',
  'subscriptions/listen',
  'tasks/get',
  'tasks/list',
  'tools/list',
]);

/**
 * Whether a request may be sent again although it may have run: its method says so, or the
 * program does, or the server said so of the tool. A tool that was never listed is not safe.
 */
export function isSafe(
  { request: { method, params }, mark }: Pick<LedgerEntry, 'request' | 'mark'>,
  isSafeTool: (name: unknown) => boolean,
): boolean {
  if (SAFE_METHODS.has(method) || mark.idempotent === true) return true;
  return method === 'tools/call' && isSafeTool(params?.['name']);
}
