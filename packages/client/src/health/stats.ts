import type { ErrorCode } from '../errors.js';
import type { ToolLatency } from './latencies.js';

/** What a client has done so far, over all its connections; a picture of now, and a copy. */
export interface ClientStats {
  /** Since when there is a connection; `undefined` while there is none. */
  connectedSince: Date | undefined;
  /** When anything last came from the server, a comment or a heartbeat included. */
  lastActivityAt: Date | undefined;
  /** How often the connection was restored after it was lost, or rested. */
  reconnects: number;
  /** Messages of the protocol, the handshake's and the heartbeat's included. */
  messages: { sent: number; received: number };
  /**
   * Bytes of the bodies of HTTP requests and answers, streams included, or of a process's pipes;
   * 0 for a server in this process.
   */
  bytes: { sent: number; received: number };
  /** Calls of tools. */
  calls: {
    /** Those that brought a result. */
    succeeded: number;
    /** Those whose result is an error of the tool's (`isError: true`). */
    toolErrors: number;
    /** Those that failed, by the code of their error. */
    failed: Record<ErrorCode, number>;
    /** Those in flight now. */
    inFlight: number;
  };
  /**
   * How long the calls took that brought a result, errors of the tool's included. The first 1000
   * tools have an entry of their own; further ones are together in `(other)`.
   */
  tools: Record<string, ToolLatency>;
  /** The latest failure, of an operation or of the connection. */
  lastError: { code: ErrorCode; message: string; at: Date } | undefined;
  /** When an operation last succeeded. */
  lastSuccessAt: Date | undefined;
  /** Answers of the server that belonged to no request, and were dropped. */
  droppedAnswers: number;
  /** Principals that have a session of their own now: see `client.as`. */
  principals: number;
}
