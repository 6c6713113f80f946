import type { JSONRPCRequest } from '@modelcontextprotocol/server';
import type { SessionRecord } from './session-store.js';

/** What is asked again of a new server instance, at most: a client could name URIs without end. */
const MAX_SUBSCRIPTIONS = 1_000;
const MAX_URI_CHARS = 2_048;

/** What stands until it is taken back, after the server has granted a request. */
export function grantedBy(
  { method, params = {} }: Pick<JSONRPCRequest, 'method' | 'params'>,
  { subscriptions }: Pick<SessionRecord, 'subscriptions'>,
): Partial<SessionRecord> | undefined {
  const uri = String(params['uri']);
  switch (method) {
    case 'logging/setLevel':
      return { logLevel: String(params['level']) };
    case 'resources/subscribe':
      if (subscriptions.length >= MAX_SUBSCRIPTIONS || uri.length > MAX_URI_CHARS) return undefined;
      return { subscriptions: [...new Set([...subscriptions, uri])] };
    case 'resources/unsubscribe':
      return { subscriptions: subscriptions.filter((one) => one !== uri) };
    default:
      return undefined;
  }
}
