import type { RequestId } from '@modelcontextprotocol/server';
import type { TransportName } from '../calls/call.js';

/** What is written down of one call. */
export interface CallRecord {
  readonly event: 'call';
  /** `Principal.id` of who called. */
  readonly principal: string;
  readonly method: string;
  /** The tool or the prompt, or the URI of the resource. */
  readonly target?: string;
  /**
   * SHA-256 of the arguments as JSON, in hexadecimal: says whether two calls had the same arguments, in
   * the same order. Missing where there are none.
   */
  readonly argumentsSha256?: string;
  /** `tool_error` is a result with `isError`; `error` an error of JSON-RPC. */
  readonly outcome: 'ok' | 'tool_error' | 'error' | 'refused' | 'cancelled';
  /** Of an error, and of a refusal: the number of the JSON-RPC error. */
  readonly code?: number;
  /** The HTTP status of a refusal. */
  readonly status?: number;
  readonly durationMs: number;
  /** Names the session: see `sessionDigest`. */
  readonly session?: string;
  /** The id that the client gave the request; at most 256 characters of it. */
  readonly requestId: RequestId;
  readonly transport: TransportName;
}
