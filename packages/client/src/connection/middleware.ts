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
  /**
   * Stands for the client or the pool whose request it is: the same object for all its requests,
   * and nothing more. Whoever keeps something that a server said keeps it by this, in a `WeakMap`:
   * one middleware may be given to several clients.
   */
  readonly client: object;
  /**
   * The origin of the server's URL. Whoever keeps something that is meant for a server, such as a
   * token, keeps it by this. `undefined` for a server that is not at a URL.
   */
  readonly origin: string | undefined;
  /**
   * A text without the secrets that the client knows: the credentials that it sends or has sent, ids
   * of sessions, keys among the words of a command. For what is written down of what a server says;
   * the message of an error has none.
   */
  redact(text: string): string;
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
  /**
   * Nothing that it does tells the server who asks: neither headers nor params are another for
   * another caller. Only such a one may stand behind a `cache`. Default: it may tell.
   */
  readonly addsNoIdentity?: boolean;
  /**
   * It gives callers what others got, by what is known of a request when it comes there. What
   * stands behind it must add no identity, nor may the option `headers` be a function. Default: it
   * does not.
   */
  readonly sharesResults?: boolean;
  /** Told when the list of tools of a client's server has changed; as `McpRequest.client`. */
  onToolsChanged?(client: object): void;
}

/** Marks a middleware that does not tell the server who asks. */
export function withoutIdentity(middleware: Middleware): Middleware {
  return Object.assign(middleware, { addsNoIdentity: true });
}

/**
 * Checks that nobody can get what another got.
 *
 * @throws TypeError that says what is to stand before what.
 */
export function checkSharing(middleware: readonly Middleware[], headers?: unknown): void {
  const shared = middleware.findIndex(({ sharesResults }) => sharesResults === true);
  if (shared === -1) return;
  const cache = `middleware[${shared}], a cache, which`;
  const wayOut = 'or say who asks by the option key of the cache';
  if (typeof headers === 'function') {
    throw new TypeError(
      `headers: what a function says of who asks is not known to ${cache} would give one caller ` +
        `the result of another: give credentials by a middleware before the cache, such as ` +
        `bearer(() => token), ${wayOut}`,
    );
  }
  const behind = middleware.findIndex(
    ({ addsNoIdentity }, index) => index > shared && addsNoIdentity !== true,
  );
  if (behind === -1) return;
  throw new TypeError(
    `middleware[${behind}]: what it tells the server of who asks is not known to ${cache} stands ` +
      `before it, and would give one caller the result of another: put it before the cache, ${wayOut}`,
  );
}
