import type { AsyncResource } from 'node:async_hooks';
import type {
  JSONRPCErrorResponse,
  JSONRPCResponse,
  Progress,
  RequestId,
  Result,
} from '@modelcontextprotocol/client';
import type { Certainty, LongwireError } from '../errors.js';

/**
 * Under this key of its `params` a request that goes through the SDK's `Client` carries its mark.
 * Symbols survive the copies that the `Client` makes of `params`, and `JSON.stringify` leaves them
 * out, so that the mark reaches the connection and never the wire.
 */
export const callMark: unique symbol = Symbol('longwire.call');

/** What passes between the maker of a call and the connection, beside the request itself. */
export interface CallMark {
  /** What is certain about the call now; the ledger writes it. */
  certainty: Certainty;
  /** The request's id on the wire; the ledger writes it. */
  id?: number;
  /** The JSON-RPC error that was the answer; the ledger writes it. */
  serverError?: JSONRPCErrorResponse['error'];
  /** What its answer said, of a request that came through an SDK `Client`, which may not take it. */
  result?: Result;
  /** The call was given up with this error, maybe before its request was made. */
  abandoned?: LongwireError;
  /** The program says that it does no harm to run this call twice. */
  idempotent?: boolean | undefined;
  /** The connection's own: it belongs to one session, and is never sent again. */
  readonly internal?: boolean;
  /** The connection's own question whether the server is there. */
  readonly isProbe?: boolean;
  /** Headers that go with it where there are any; those of the dialect come first. */
  headers?: Readonly<Record<string, string>> | undefined;
  /** The async context that the program's functions are run in for it; the connection writes it. */
  scope?: AsyncResource | undefined;
  /** The answer that it has got already, given to it instead of sending it; taken once. */
  prior?: JSONRPCResponse | undefined;
  /** The id that the program's SDK `Client` gave it. */
  programId?: RequestId;
  /** When the call ends if nothing happens, on the clock of `performance.now()`. */
  readonly dueAt?: number;
  /** Ends what the middlewares make of the call; whoever leads it through them writes it. */
  stop?: ((error: LongwireError) => void) | undefined;
  /** Told that the request is on its way. */
  onSent?(): void;
  /** Told that it could not be sent for this reason, and will be later. */
  onPutOff?(error: LongwireError): void;
  /** Told that the server has opened the subscription that it asked for. */
  onAcknowledged?(): void;
  /** Takes the call's progress notifications, in order, before its answer. */
  onProgress?(progress: Progress): void;
}
