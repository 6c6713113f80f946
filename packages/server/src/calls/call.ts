import type {
  JSONRPCErrorResponse,
  JSONRPCRequest,
  JSONRPCResultResponse,
  RequestId,
} from '@modelcontextprotocol/server';
import type { FastifyBaseLogger } from 'fastify';
import type { IncomingHttpHeaders } from 'node:http';
import type { ClientRequest } from '../client-request.js';
import type { MaybePromise, Principal } from '../principal.js';
import type { Refusal } from '../refusal.js';

/** How a request of a client came. */
export type TransportName = 'sse' | 'streamable-http' | 'stateless' | 'tool-events';

/** One request of a client, from its arrival to its answer. */
export interface Call {
  readonly id: RequestId;
  /** `tools/call`, or another method. */
  readonly method: string;
  /** The tool or the prompt that it names, or the URI of the resource. */
  readonly target: string | undefined;
  readonly params: JSONRPCRequest['params'];
  readonly principal: Principal;
  readonly transport: TransportName;
  /** Missing where the protocol has no sessions. */
  readonly sessionId: string | undefined;
  readonly protocolVersion: string | undefined;
  /** Of the request that brought it. */
  readonly headers: IncomingHttpHeaders;
  /** The request that brought it: for its addresses, which are gone once the socket is. */
  readonly request?: ClientRequest;
  /** `performance.now()` at its arrival. */
  readonly receivedAt: number;
  /** Aborted when the client cancels it, or its session ends. */
  readonly signal: AbortSignal;
  readonly log: FastifyBaseLogger;
  /** Tells the client how far it is, if the client asked to be told. */
  progress(progress: number, message: string): void;
}

/** How a call ended. `cancelled` has no answer: by the client, or with its session. */
export type CallOutcome =
  | { kind: 'result'; result: JSONRPCResultResponse['result'] }
  | { kind: 'error'; error: JSONRPCErrorResponse['error'] }
  | { kind: 'refused'; refusal: Refusal }
  | { kind: 'cancelled' };

/**
 * What every call passes on its way to the server: limits, queues, the audit, metrics, spans. Gates are
 * asked one after the other, and told the outcome in the opposite order. A gate that throws is a defect:
 * the call fails with an internal error, and the process goes on.
 */
export interface CallGate {
  /** Asked before the request is accepted: a refusal is an HTTP answer, with its status and headers. */
  admit?(call: Call): MaybePromise<Refusal | undefined>;
  /** Asked once it is accepted, and may take its time: a refusal is a JSON-RPC error. */
  hold?(call: Call): MaybePromise<Refusal | undefined>;
  /**
   * Hands the call to the server by calling `deliver`, at once: what needs an asynchronous context. Until
   * the call has left, `refuse` answers it with a JSON-RPC error in place of the server.
   */
  around?(call: Call, deliver: () => void, refuse: (refusal: Refusal) => void): void;
  /** Told once for every call that this gate was asked about, or would have been. */
  leave?(call: Call, outcome: CallOutcome): void;
}
