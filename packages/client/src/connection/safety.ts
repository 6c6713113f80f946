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
  'tasks/result',
  'tools/list',
]);

/** The answer to one of these concerns the session on which it was asked, and no other. */
const ABOUT_SESSION: ReadonlySet<string> = new Set([
  'logging/setLevel',
  'ping',
  'resources/subscribe',
  'resources/unsubscribe',
  'server/discover',
  'subscriptions/listen',
  'tools/list',
]);

/** Whether a request sets or asks something of its session. All of these are safe. */
export function isAboutSession({ method }: Pick<LedgerEntry['request'], 'method'>): boolean {
  return ABOUT_SESSION.has(method);
}

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
