import type { LedgerEntry } from './ledger.js';

/**
 * Requests that may safely run twice: those that only read, and those that set something to a value.
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
 * Whether a request may be resent although it may have run: because of its method, because the
 * program says so, or because of the server's hints about the tool. A tool that was never listed is
 * not safe, and with `retry.trustHints: false` none is.
 */
export function isSafe(
  { request: { method, params }, context }: Pick<LedgerEntry, 'request' | 'context'>,
  isSafeTool: (name: unknown) => boolean,
): boolean {
  if (SAFE_METHODS.has(method) || context.idempotent === true) return true;
  return method === 'tools/call' && isSafeTool(params?.['name']);
}
