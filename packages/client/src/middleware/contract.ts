import type { Progress, Result } from '@modelcontextprotocol/client';
import type { LongwireError } from '../errors.js';
import type { TransportName } from '../transport-name.js';

/** How a request went to the server when it was last sent. */
export interface RequestRoute {
  /** The id of the request on the wire: each time that it is sent, it has another one. */
  readonly id: number;
  readonly transport: TransportName;
  /** The version that the handshake agreed on. */
  readonly protocolVersion: string | undefined;
}

/** A request on its way to the server. A middleware may change it. */
export interface McpRequest {
  /** For example `tools/call`. */
  readonly method: string;
  /** As the server gets them, without what the connection adds. */
  params: Record<string, unknown> | undefined;
  /** Sent by HTTP transports; they replace headers of the program with the same name. */
  readonly headers: Record<string, string>;
  /** Aborted when the call ends early, such as by a timeout, with the call's error as the reason. */
  readonly signal: AbortSignal;
  /** It may safely run twice: the program or a middleware says so. */
  idempotent: boolean;
  /**
   * A request of the connection itself: the handshake (`initialize` or `server/discover`), pings, and
   * the requests that restore a session. It belongs to no call. So is what follows the task that a call
   * has become (`tasks/get`, `tasks/update`, `tasks/cancel`): the call itself is one request, whose
   * result is that of the task.
   *
   * - Middlewares run for it in the async context (`AsyncLocalStorage`) in which the client was made;
   *   for a call, in that of the call.
   * - The headers of the handshake also go with what is no request: streams, notifications, the end
   *   of a session. They never go with a call.
   */
  readonly internal: boolean;
  /**
   * The task that the call has become, as soon as it is one: its result is that of the task. What is asked
   * of the server about it meanwhile (`tasks/get`, `tasks/result` and the like) are requests of their own.
   */
  readonly taskId?: string | undefined;
  /** For what middlewares tell each other. */
  readonly metadata: Record<string, unknown>;
  /**
   * Stands for the client or the pool of the request, and for one principal of it: the same object for
   * all its requests. A middleware that keeps something about a server uses it as the key of a
   * `WeakMap`, because one middleware may be given to several clients.
   */
  readonly client: object;
  /** For whom it is made, as `client.as` was told; `undefined` for the client itself. */
  readonly principal?: string | undefined;
  /**
   * Whether its principal has credentials of its own. Those that a middleware adds, as headers of such
   * a name, are then not sent: they would be somebody else's.
   */
  readonly hasOwnCredentials?: boolean;
  /**
   * The origin of the server's URL; `undefined` for a server without a URL. A middleware that keeps
   * something for a server, such as a token, uses it as the key.
   */
  readonly origin: string | undefined;
  /**
   * What the server is called, from the first request to the last: the option `name`, else the host of
   * its URL, or the name of a command.
   */
  readonly server: string;
  /**
   * Whether the hints that a server gives of its tools may lead to a second run: `retry.trustHints`
   * of the client.
   */
  readonly trustHints: boolean;
  /** How it was last sent; `undefined` while the connection is not ready. Known when `onSent` is called. */
  readonly route?: RequestRoute | undefined;
  /**
   * Returns a text without the secrets that the client knows: credentials that it has sent, session
   * ids, keys among the words of a command. Use it before you log what a server sent. Messages of
   * errors have no secrets.
   */
  redact(text: string): string;
  /** Called each time that the request leaves, which may be more than once. */
  onSent?: (() => void) | undefined;
  /** Called with the call's progress, in order, before its response. */
  onProgress?: ((progress: Progress) => void) | undefined;
  /**
   * Cancels the request if it is in flight: `next` rejects with this error, and the server is told if
   * the request was sent.
   */
  abort(error: LongwireError): void;
}

/** The response to a request. */
export interface McpResponse {
  /** As the server sent it. */
  result: Result;
  /** For what middlewares tell each other about it. */
  readonly metadata: Record<string, unknown>;
}

/** Runs the next middleware; the last one sends the request. */
export type Next = () => Promise<McpResponse>;

/**
 * A function around every request of a client, on every transport. It may:
 *
 * - change the request before it calls `next`, and the response after; of a handshake only the headers;
 * - answer without calling `next`;
 * - call `next` again when it has settled. Calling it while it is pending is an error.
 *
 * If it throws a LongwireError, the caller gets that. Any other error becomes the cause of a
 * LongwireError with code `config`.
 */
export interface Middleware {
  (request: McpRequest, next: Next): Promise<McpResponse>;
  /**
   * True if it does not tell the server who the caller is: its headers and params are the same for
   * every caller. Only such a middleware may come after a `cache`. Default: false.
   */
  readonly addsNoIdentity?: boolean;
  /**
   * True if it gives one caller the result of another, as a cache does. A middleware after it must
   * have `addsNoIdentity`, and the option `headers` must not be a function. Default: false.
   */
  readonly sharesResults?: boolean;
  /** Called when a server has changed its list of tools. `client` is that of `McpRequest`. */
  onToolsChanged?(client: object): void;
}

/** Marks a middleware that does not tell the server who the caller is. */
export function withoutIdentity(middleware: Middleware): Middleware {
  return Object.assign(middleware, { addsNoIdentity: true });
}

/**
 * Checks that a cache cannot give one caller the result of another.
 *
 * @throws TypeError that says which order is right.
 */
export function checkSharing(middleware: readonly Middleware[], headers?: unknown): void {
  const shared = middleware.findIndex(({ sharesResults }) => sharesResults === true);
  if (shared === -1) return;
  const why =
    `tells the server who the caller is, but middleware[${shared}], a cache, does not know it and ` +
    'would give one caller the result of another';
  const wayOut = 'or name the caller by the option key of the cache';
  if (typeof headers === 'function') {
    throw new TypeError(
      `headers: a function ${why}: give credentials by a middleware before the cache, such as ` +
        `bearer(() => token), ${wayOut}`,
    );
  }
  const after = middleware.findIndex(
    ({ addsNoIdentity }, index) => index > shared && addsNoIdentity !== true,
  );
  if (after === -1) return;
  throw new TypeError(`middleware[${after}]: ${why}: put it before the cache, ${wayOut}`);
}
