import { AsyncResource } from 'node:async_hooks';
import type { Progress, Result } from '@modelcontextprotocol/client';
import type { Credentials } from '../http/credentials.js';
import { CheckedHeaders, type HeaderRecord } from '../http/headers.js';
import { withTimeout } from '../with-timeout.js';
import { LongwireError } from '../errors.js';
import { isIdentityName, type KnownSecrets } from '../secrets/known-secrets.js';
import type { FirstRequests } from '../dial/eras.js';
import type { Connected } from '../dial/handshake.js';
import type { RequestContext } from '../connection/request-context.js';
import { closedError } from '../connection/failures.js';
import type { LedgerRequest } from '../connection/ledger.js';
import type { McpRequest, McpResponse, Middleware, Next, RequestRoute } from './contract.js';

/** What the chain does with a request after the last middleware. */
export interface ChainHandlers {
  /** Sends it. */
  send(request: LedgerRequest, context: RequestContext): Promise<Result>;
  /** Settles a request in flight with an error, and tells the server. */
  cancel(context: RequestContext, error: LongwireError): void;
}

/** The middlewares of a connection, each around the next, and the requests that they run for. */
export class MiddlewareChain {
  readonly #middleware: readonly Middleware[];
  readonly #requests = new Set<ChainedRequest>();
  readonly #checked = new CheckedHeaders();
  readonly #owner: RequestOwner;

  constructor(middleware: readonly Middleware[], owner: RequestOwner) {
    this.#middleware = middleware;
    this.#owner = owner;
  }

  /**
   * Runs the middlewares for a request, from the first to the last.
   *
   * @throws LongwireError
   */
  run(request: LedgerRequest, context: RequestContext, handlers: ChainHandlers): Promise<Result> {
    if (context.abandoned !== undefined) return Promise.reject(context.abandoned);
    return new Promise((resolve, reject) => {
      const chained = new ChainedRequest(request, context, {
        handlers,
        checked: this.#checked,
        owner: this.#owner,
        onStopped: reject,
      });
      this.#requests.add(chained);
      const entry: ChainEntry = { outer: undefined, isOver: false };
      const over = (): void => {
        entry.isOver = true;
        this.#requests.delete(chained);
        chained.release();
      };
      this.#enter(chained, 0, entry).then(
        (response) => {
          over();
          try {
            resolve(checkResponse(response, chained).result);
          } catch (error) {
            reject(error);
          }
        },
        (error: unknown) => {
          over();
          reject(asLongwireError(error, request.method, context));
        },
      );
    });
  }

  /** Tells the middlewares that the server has changed its list of tools. */
  toolsChanged(report: (error: Error) => void): void {
    for (const middleware of this.#middleware) {
      try {
        middleware.onToolsChanged?.(this.#owner.client);
      } catch (error) {
        report(error as Error);
      }
    }
  }

  /** Fails every request that middlewares run for. */
  close(reason?: LongwireError): void {
    for (const chained of this.#requests) {
      chained.stop(reason ?? closedError(chained.context.certainty));
    }
    this.#requests.clear();
  }

  /** Every call passes here: it costs one promise a middleware, beside the middleware's own. */
  #enter(chained: ChainedRequest, index: number, entry: ChainEntry): Promise<McpResponse> {
    const middleware = this.#middleware[index];
    if (middleware === undefined) return chained.send();
    let inner: ChainEntry | undefined;
    const succeeded = (response: McpResponse): McpResponse => {
      end();
      return checkResponse(response, chained);
    };
    const failed = (error: unknown): never => {
      end();
      throw error;
    };
    const end = (): void => {
      if (inner !== undefined) inner.isOver = true;
      inner = undefined;
    };
    return call(middleware, chained, () => {
      if (chained.stopped !== undefined) return Promise.reject(chained.stopped);
      if (isOver(entry)) return Promise.reject(TOO_LATE);
      if (inner !== undefined) {
        return Promise.reject(misused('called next() while it was pending', chained));
      }
      inner = { outer: entry, isOver: false };
      return this.#enter(chained, index + 1, inner).then(succeeded, failed);
    });
  }
}

/**
 * One run of a middleware. When it has settled, the middlewares inside it must not send any more:
 * what the outer one has said about the request would not be certain.
 */
interface ChainEntry {
  readonly outer: ChainEntry | undefined;
  isOver: boolean;
}

function isOver(entry: ChainEntry): boolean {
  return entry.isOver || (entry.outer !== undefined && isOver(entry.outer));
}

/** A middleware called `next` after its call had settled. */
const TOO_LATE: LongwireError = new LongwireError('the call had ended before it was sent', {
  code: 'aborted',
  certainty: 'not-sent',
});

/** How the handshake is made after the last middleware. */
export interface HandshakeHandlers {
  /** Makes it. The headers also go with every message that belongs to no call. */
  open: (headers: HeaderRecord | undefined) => Promise<Connected>;
  /** How long all of it may take, in milliseconds. */
  limitMs: number;
}

/**
 * Runs the middlewares for a handshake, which is made each time that the last of them calls `next`.
 *
 * @throws LongwireError
 */
export async function runHandshake(
  chain: MiddlewareChain,
  { discover, initialize }: FirstRequests,
  { open, limitMs }: HandshakeHandlers,
): Promise<Connected> {
  const { method, params } = discover ?? initialize;
  const context: RequestContext = { certainty: 'not-sent', internal: true };
  let connected: Connected | undefined;
  const done = chain.run(params === undefined ? { method } : { method, params }, context, {
    send: async (_request, { headers }) => {
      // A handshake that succeeded is not made again: it would open another channel.
      connected ??= await open(headers);
      const { answer } = connected;
      return answer !== undefined && 'result' in answer ? answer.result : {};
    },
    cancel: () => {},
  });
  const late = (): LongwireError =>
    new LongwireError(`the middlewares held up the handshake for more than ${limitMs} ms`, {
      code: 'connect-timeout',
      certainty: 'not-sent',
      hint: 'call next() sooner, or raise timeouts.connectMs',
    });
  await withTimeout(limitMs, done, late);
  if (connected !== undefined) return connected;
  throw new LongwireError('a middleware answered the handshake itself, so there is no connection', {
    code: 'config',
    certainty: 'not-sent',
    hint: 'call next() for internal requests',
  });
}

/** The client of the requests, and its server. */
export interface RequestOwner extends Pick<
  McpRequest,
  'client' | 'origin' | 'server' | 'trustHints'
> {
  /** For whom they are made; `undefined` for the client itself. */
  principal: { readonly id: string; readonly credentials: Credentials } | undefined;
  /** What `redact` removes. */
  secrets: KnownSecrets;
  /** How a request was last sent. */
  routeOf(context: RequestContext): RequestRoute | undefined;
}

/** What a chained request is made with. */
interface ChainedRequestOptions {
  handlers: ChainHandlers;
  checked: CheckedHeaders;
  owner: RequestOwner;
  onStopped: (error: LongwireError) => void;
}

/** A request that middlewares run for. */
class ChainedRequest implements McpRequest {
  readonly method: string;
  params: Record<string, unknown> | undefined;
  readonly headers: Record<string, string>;
  idempotent: boolean;
  readonly internal: boolean;
  readonly metadata: Record<string, unknown> = {};
  readonly client: object;
  readonly origin: string | undefined;
  readonly server: string;
  readonly trustHints: boolean;
  readonly principal: string | undefined;
  /** Why it must not be sent any more. */
  stopped: LongwireError | undefined;
  readonly context: RequestContext;
  readonly #before: Pick<RequestContext, 'headers' | 'idempotent' | 'onSent' | 'onProgress'>;
  readonly #checked: CheckedHeaders;
  readonly #handlers: ChainHandlers;
  readonly #owner: RequestOwner;
  readonly #onStopped: (error: LongwireError) => void;
  #stopping: AbortController | undefined;
  #onSent: (() => void) | undefined;
  #onProgress: ((progress: Progress) => void) | undefined;
  /** The async context of the middlewares, if one of them is called back. */
  #scope: AsyncResource | undefined;

  constructor(
    { method, params }: LedgerRequest,
    context: RequestContext,
    { handlers, checked, owner, onStopped }: ChainedRequestOptions,
  ) {
    this.client = owner.client;
    this.origin = owner.origin;
    this.server = owner.server;
    this.trustHints = owner.trustHints;
    this.principal = owner.principal?.id;
    this.#owner = owner;
    this.#checked = checked;
    this.method = method;
    this.params = params;
    this.context = context;
    this.headers = { ...context.headers };
    this.idempotent = context.idempotent ?? false;
    this.internal = context.internal === true || context.isForTask === true;
    this.#handlers = handlers;
    this.#onStopped = onStopped;
    context.stop = (error) => this.stop(error);
    const { headers, idempotent } = context;
    this.#before = { headers, idempotent };
    // The callbacks of the caller are called after those of the middlewares.
    this.#onSent = context.onSent?.bind(context);
    this.#onProgress = context.onProgress?.bind(context);
    const own = this.#onSent;
    context.onSent = () => {
      // What leaves for its task is not the call once more.
      const onSent = context.taskId === undefined ? this.#onSent : own;
      if (onSent !== undefined) this.#inScope(onSent);
    };
    if (this.#onProgress !== undefined) {
      context.onProgress = (progress) => this.#inScope(() => this.#onProgress?.(progress));
    }
  }

  get onSent(): (() => void) | undefined {
    return this.#onSent;
  }

  set onSent(onSent: (() => void) | undefined) {
    this.#keepScope();
    this.#onSent = onSent;
  }

  get onProgress(): ((progress: Progress) => void) | undefined {
    return this.#onProgress;
  }

  set onProgress(onProgress: ((progress: Progress) => void) | undefined) {
    this.#keepScope();
    this.#onProgress = onProgress;
  }

  #keepScope(): void {
    this.#scope ??= new AsyncResource('longwire.request');
  }

  /** The sender of a request, and the reader of its answer, may be in another call's context. */
  #inScope(run: () => void): void {
    if (this.#scope === undefined) run();
    else this.#scope.runInAsyncScope(run);
  }

  /** Made when a middleware uses it: for most requests none does. */
  get signal(): AbortSignal {
    if (this.#stopping === undefined) {
      this.#stopping = new AbortController();
      this.#keepScope();
      if (this.stopped !== undefined) this.#stopping.abort(this.stopped);
    }
    return this.#stopping.signal;
  }

  get taskId(): string | undefined {
    return this.context.taskId;
  }

  get hasOwnCredentials(): boolean {
    return this.#owner.principal?.credentials.areOwn === true;
  }

  redact(text: string): string {
    return this.#owner.secrets.mask(text);
  }

  get route(): RequestRoute | undefined {
    return this.#owner.routeOf(this.context);
  }

  abort(error: LongwireError): void {
    this.#handlers.cancel(this.context, error);
  }

  /** The call has ended early: its caller gets this error at once. */
  stop(error: LongwireError): void {
    if (this.stopped !== undefined) return;
    this.stopped = error;
    if (this.#stopping !== undefined) this.#inScope(() => this.#stopping?.abort(error));
    this.#onStopped(error);
  }

  /** The call has settled: a middleware that still waits is told by its `signal`. */
  release(): void {
    this.stopped ??= TOO_LATE;
    if (this.#stopping !== undefined) this.#inScope(() => this.#stopping?.abort(this.stopped));
    // The next request of the same call, such as its next page, starts as this one did.
    Object.assign(this.context, this.#before);
  }

  /** Sends the request to the server. */
  send(): Promise<McpResponse> {
    if (this.stopped !== undefined) return Promise.reject(this.stopped);
    const { method, params, context } = this;
    try {
      const headers = this.hasOwnCredentials ? this.#withoutAddedCredentials() : this.headers;
      context.headers = this.#checked.of(headers);
    } catch (error) {
      return Promise.reject(error as TypeError);
    }
    context.idempotent = this.idempotent;
    const request = params === undefined ? { method } : { method, params };
    return this.#handlers.send(request, context).then((result) => ({ result, metadata: {} }));
  }

  /** Its headers without those that a middleware added to say who asks: the caller's own stay. */
  #withoutAddedCredentials(): Readonly<Record<string, string>> {
    const given = this.#before.headers;
    const kept = Object.entries(this.headers).filter(
      ([name, value]) => !isIdentityName(name) || given?.[name] === value,
    );
    return Object.fromEntries(kept);
  }
}

/** A middleware that is no async function may throw before it returns a promise. */
function call(middleware: Middleware, request: McpRequest, next: Next): Promise<McpResponse> {
  try {
    return Promise.resolve(middleware(request, next));
  } catch (error) {
    return Promise.reject(error as Error);
  }
}

function checkResponse(response: McpResponse, chained: ChainedRequest): McpResponse {
  const { result } = ((response as unknown) ?? {}) as { result?: unknown };
  if (typeof result === 'object' && result !== null) return response;
  throw misused('answered without a result', chained);
}

function misused(how: string, { method, context }: ChainedRequest): LongwireError {
  return new LongwireError(`a middleware ${how}, during ${method}`, {
    code: 'config',
    certainty: context.certainty,
  });
}

function asLongwireError(error: unknown, method: string, context: RequestContext): LongwireError {
  if (error instanceof LongwireError) return error;
  const reason = error instanceof Error ? error.message : String(error);
  return new LongwireError(`a middleware failed during ${method}: ${reason}`, {
    code: 'config',
    certainty: context.certainty,
    cause: error,
  });
}
