import { AsyncResource } from 'node:async_hooks';
import type {
  JSONRPCErrorResponse,
  JSONRPCRequest,
  JSONRPCResponse,
  Progress,
  RequestId,
  Result,
} from '@modelcontextprotocol/client';
import type { Certainty, LongwireError } from '../errors.js';
import type { SendOptions } from '../http/send-options.js';

/**
 * The key in `params` under which a request through the SDK's `Client` carries its context. A symbol
 * survives the copies that the `Client` makes of `params`, and `JSON.stringify` leaves it out: the
 * context reaches the connection and never the wire.
 */
export const requestContext: unique symbol = Symbol('longwire.call');

/** What whoever makes a request and the connection tell each other, beside the request itself. */
export interface RequestContext {
  /** What is certain about the request now; written by the ledger. */
  certainty: Certainty;
  /** The request's id on the wire; written by the ledger. */
  id?: number;
  /** The JSON-RPC error that the server answered; written by the ledger. */
  serverError?: JSONRPCErrorResponse['error'];
  /** The result of a request through an SDK `Client`, which may refuse it. */
  result?: Result;
  /** The call was cancelled with this error, perhaps before its request was made. */
  abandoned?: LongwireError;
  /** The program says that this call may safely run twice. */
  idempotent?: boolean | undefined;
  /** A request of the connection itself: it belongs to one session, and is never resent. */
  readonly internal?: boolean;
  /** Made for a call that goes on, and no call of its own: to middlewares it is internal. */
  readonly isForTask?: boolean;
  /** The ping of the heartbeat. */
  readonly isProbe?: boolean;
  /** Headers of the request, on HTTP. Headers of the transport take precedence. */
  headers?: Readonly<Record<string, string>> | undefined;
  /** The async context in which functions of the program run for it; written by the connection. */
  scope?: AsyncResource | undefined;
  /** An answer that came before: used once, instead of sending the request. */
  prior?: JSONRPCResponse | undefined;
  /** Answers each request of the context by itself: nothing is sent. For requests through an SDK `Client`. */
  readonly answerHere?: ((request: Pick<JSONRPCRequest, 'params'>) => Result) | undefined;
  /** The task that it has become. */
  readonly taskId?: string | undefined;
  /** The server may make a task of it: that is said with the request. */
  readonly takesTasks?: boolean;
  /** The id that the program's SDK `Client` gave it. */
  programId?: RequestId;
  /** When the call times out, on the clock of `performance.now()`. */
  readonly dueAt?: number;
  /** Stops the middlewares of the call; written by the chain. */
  stop?: ((error: LongwireError) => void) | undefined;
  /** Until this is called, progress still comes: the answer was a task; written by the ledger. */
  endTask?: () => void;
  /** Called when the request has left. */
  onSent?(): void;
  /** Called when it could not be sent for this reason, and is resent after a delay, in milliseconds. */
  onDeferred?(error: LongwireError, delayMs: number): void;
  /** Called when the server has acknowledged the subscription, with what it said. */
  onAcknowledged?(params?: Readonly<Record<string, unknown>>): void;
  /** Called with the call's progress, in order, before its answer. */
  onProgress?(progress: Progress): void;
  /** Follows the task that its result is to the end, and gives the last result; `undefined` if it is none. */
  followTask?(result: Result): Promise<Result> | undefined;
  /** Called when it is cancelled with this error: a task of it is followed no more. */
  leaveTask?(error: LongwireError): void;
}

/** For whom a cancellation is sent. A copy: the context may belong to the next request by then. */
export function callerOf({ headers, internal, scope }: RequestContext): SendOptions {
  return { headers, internal, scope };
}

/**
 * The async context of a call, if functions of the program run in it later: of any request with
 * `keepsScopes`. `undefined` for a call of ours, which runs `onProgress` in its own context.
 */
export function scopeOf(
  { params }: Pick<JSONRPCRequest, 'params'>,
  context: RequestContext,
  keepsScopes: boolean,
): AsyncResource | undefined {
  if (context.internal === true) return undefined;
  const isTold = context.onProgress === undefined && params?._meta?.progressToken !== undefined;
  return keepsScopes || isTold ? new AsyncResource('longwire.request') : undefined;
}
