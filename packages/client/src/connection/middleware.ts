import type { Progress, Result } from '@modelcontextprotocol/client';
import type { LongwireError } from '../errors.js';

/** A request on its way to the server, as a middleware sees it, and may change it. */
export interface McpRequest {
  /** For example `tools/call`. */
  readonly method: string;
  /** As they go to the server; without what the connection adds. */
  params: Record<string, unknown> | undefined;
  /** HTTP transports send them, over the program's own of the same name; others have none. */
  readonly headers: Record<string, string>;
  /** Aborted when the call ends early, with its error as the reason: it took too long, say. */
  readonly signal: AbortSignal;
  /** It does no harm to run it twice: the program says so, or a middleware. */
  idempotent: boolean;
  /**
   * The connection's own: the handshake (`initialize` or `server/discover`), pings, and what a new
   * session is told again. It belongs to no call, and middlewares run for it in the async context
   * (`AsyncLocalStorage`) in which the client was made; for a call, in that of the call. The headers
   * of the handshake also go with what has no request of its own: streams, notifications, the end
   * of a session. They never go with a call.
   */
  readonly internal: boolean;
  /** What middlewares have to say to one another. */
  readonly metadata: Record<string, unknown>;
  /** Told every time that the request leaves, which may be more than once. */
  onSent?: (() => void) | undefined;
  /** Takes the call's progress, in order, before its response. */
  onProgress?: ((progress: Progress) => void) | undefined;
  /**
   * Ends what is under way with this error: `next` rejects with it, and the server is told if it
   * knows of the request. Nothing happens while nothing is under way.
   */
  abort(error: LongwireError): void;
}

/** What came back for a request. */
export interface McpResponse {
  /** As the server sent it. */
  result: Result;
  /** What middlewares have to say of it to one another. */
  readonly metadata: Record<string, unknown>;
}

/** Goes on to the next middleware, and in the end to the server. */
export type Next = () => Promise<McpResponse>;

/**
 * What stands around every request of a client, on every transport. It may answer without calling
 * `next`, or call it again when it has settled, and change the request before and the response
 * behind it; of a handshake only the headers. Calling `next` while it is under way is an error.
 *
 * A LongwireError that it throws is what the caller gets. Anything else comes as the cause of one
 * with code `config`, because it is the program's.
 */
export interface Middleware {
  (request: McpRequest, next: Next): Promise<McpResponse>;
  /** It keeps what one server said: a group does not share it among its servers. */
  readonly isForOneServer?: boolean;
  /** Told when the server's list of tools has changed. */
  onToolsChanged?(): void;
}
