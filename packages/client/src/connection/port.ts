import type { AsyncResource } from 'node:async_hooks';
import type { JSONRPCMessage, Result } from '@modelcontextprotocol/client';
import type { LedgerRequest } from './ledger.js';
import type { RequestContext } from './request-context.js';

/** What the parts of a connection need of whoever owns the requests and talks to the program. */
export interface Port {
  /** Makes a request of the connection itself. */
  ask(request: LedgerRequest, context: RequestContext): Promise<Result>;
  /** Cancels such a request, and tells the server. */
  cancel(context: RequestContext): void;
  /** Gives the program a message, in the async context of the call that it belongs to, if any. */
  deliver(message: JSONRPCMessage, scope?: AsyncResource): void;
  /** Reports an error that belongs to no call. */
  report(error: Error): void;
}
