import {
  INTERNAL_ERROR,
  METHOD_NOT_FOUND,
  type JSONRPCErrorResponse,
  type JSONRPCResponse,
  type RequestId,
} from '@modelcontextprotocol/client';
import type { Era } from '../channels/channel.js';
import {
  ConnectError,
  ConnectionLostError,
  LongwireError,
  ServerError,
  type Certainty,
} from '../errors.js';
import type { Protocol } from '../target/protocol-version.js';
import { backChannelHint } from './back-channel.js';
import type { LedgerEntry, LedgerRequest } from './ledger.js';
import type { HeartbeatOptions } from './options.js';
import type { ConnectionState } from './state.js';

/** What is certain about a request that did not end well, in words. */
export const KNOWN: Readonly<Record<Certainty, string>> = {
  'not-sent': 'it had not been sent',
  refused: 'the server had refused it for now, and did not run it',
  answered: 'it had been answered',
  'outcome-unknown': 'it had been sent, so whether it ran is not known',
};

/** What a request fails with when its connection is gone for the given reason. */
export function lossOf(
  { request, mark }: Pick<LedgerEntry, 'request' | 'mark'>,
  reason: LongwireError,
): LongwireError {
  // The dial failed: that is what there is to say, and nothing had left.
  const { certainty } = mark;
  if (certainty === 'not-sent' && reason instanceof ConnectError) return reason;
  // Nor is anything else to be said of credentials that no handshake gets by with.
  if (certainty === 'refused' && (reason.code === 'unauthorized' || reason.code === 'forbidden')) {
    return new LongwireError(reason.summary, {
      code: reason.code,
      certainty,
      hint: reason.hint,
      cause: reason,
    });
  }
  const what = describe(request);
  const message = `the connection was lost during ${what}; ${KNOWN[certainty]}: ${reason.summary}`;
  if (reason.code === 'limit-exceeded' || reason.code === 'protocol') {
    return new LongwireError(message, { code: reason.code, certainty, cause: reason });
  }
  return new ConnectionLostError(message, { certainty, cause: reason });
}

/** What a dial failed with, as its own kind of error: nothing of what waited for it had left. */
export function asConnectError(error: LongwireError): LongwireError {
  if (error instanceof ConnectError || error.code === 'closed') return error;
  return new ConnectError(error.summary, { code: error.code, cause: error, tried: [] });
}

/** What a request fails with that was sent before, and may have run then. */
export function failureOf(
  { losses }: Pick<LedgerEntry, 'losses'>,
  error: LongwireError,
): LongwireError {
  const { code, certainty, summary, hint } = error;
  if (losses === 0 || certainty === 'outcome-unknown' || certainty === 'answered') return error;
  return new LongwireError(`${summary}; but it had been sent before, and may have run then`, {
    code,
    certainty: 'outcome-unknown',
    hint,
    cause: error,
  });
}

/** What a request met whose session turned out to be gone; as certain as before. */
export function sessionGone(
  error: LongwireError,
  certainty: Certainty = error.certainty,
): LongwireError {
  return new ConnectionLostError(`the session is gone: ${error.summary}`, {
    certainty,
    cause: error,
  });
}

/** What a dial failed with after all that the budget allows. */
export function afterAttempts(error: LongwireError, attempts: number): LongwireError {
  const { summary, code, hint, cause = error } = error;
  return new ConnectError(
    `${summary} (after ${attempts} ${attempts === 1 ? 'attempt' : 'attempts'})`,
    {
      code,
      hint,
      cause,
      tried: error instanceof ConnectError ? error.tried : [],
    },
  );
}

/** The server answered `initialize` with an error, or with something that the SDK cannot use. */
export function handshakeRefused(
  cause: unknown,
  code: 'connect-failed' | 'server-error' = 'connect-failed',
): ConnectError {
  const { message } = cause as { message?: unknown };
  return new ConnectError(`the handshake failed: ${String(message)}`, {
    code,
    tried: [],
    cause,
  });
}

/** The server does not take the one version that the program is to speak: it says something else. */
export function otherVersion(protocol: Protocol, said: string): ConnectError {
  return new ConnectError(`the server does not speak protocol ${protocol}: ${said}`, {
    code: 'not-mcp',
    hint: 'leave out protocol, or name a version that the server speaks',
    tried: [],
  });
}

/** What a request fails with that the server answered with a JSON-RPC error. */
export function serverError(
  what: string,
  { code, message, data }: JSONRPCErrorResponse['error'],
): ServerError {
  return new ServerError(`the server answered ${what} with an error: ${message}`, {
    number: code,
    data,
    hint: backChannelHint(message),
  });
}

/** The server has answered, and the SDK's `Client` does not take the answer. */
export function untakenAnswer(
  what: string,
  answer: JSONRPCResponse,
  cause?: unknown,
): LongwireError {
  const why = cause instanceof Error ? `: ${cause.message}` : '';
  const excerpt = excerptOf(answer);
  return new LongwireError(
    `the server's answer to ${what} cannot be used by the SDK's Client${why}: ${excerpt}`,
    { code: 'protocol', certainty: 'answered', cause },
  );
}

/** A server in this process may answer with what is no JSON. */
function excerptOf(answer: JSONRPCResponse): string {
  try {
    return JSON.stringify(answer).slice(0, 200);
  } catch {
    return 'no JSON';
  }
}

/** The connection was closed from this side. */
export function closedError(certainty: Certainty): LongwireError {
  return new LongwireError('the connection is closed', { code: 'closed', certainty });
}

/** There is nothing to say it on: for good, until the next request, or for now. */
export function noSessionIn(state: ConnectionState): LongwireError {
  if (state.name === 'resting') return state.reason;
  if (state.name === 'idle' || state.name === 'closed') return closedError('not-sent');
  const reason = 'reason' in state ? state.reason : undefined;
  const why = reason === undefined ? '' : `: ${reason.summary}`;
  return new ConnectionLostError(`there is no session now${why}`, {
    certainty: 'not-sent',
    cause: reason,
  });
}

/** Too many requests wait for an answer. */
export function queueFullError(limit: number): LongwireError {
  return new LongwireError(
    `${limit} requests are in flight on this connection, and that is its limit`,
    {
      code: 'queue-full',
      certainty: 'not-sent',
      hint: 'wait for some, or raise limits.maxInFlight',
    },
  );
}

/** What a request is, for messages. */
export function describe({ method, params }: LedgerRequest): string {
  const name = params?.['name'];
  return method === 'tools/call' && typeof name === 'string' ? `the call of ${name}` : method;
}

/** The server did not take the end of the handshake in time. */
export function initializedTimeout(address: string): LongwireError {
  return new LongwireError(
    `${address} answered initialize, but did not take notifications/initialized in time`,
    { code: 'connect-timeout', certainty: 'not-sent', hint: 'raise timeouts.connectMs' },
  );
}

/** The request is nothing that JSON can say. */
export function unsendable(cause: unknown): LongwireError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new LongwireError(`the request cannot be sent as JSON: ${reason}`, {
    code: 'invalid-arguments',
    certainty: 'not-sent',
    cause,
  });
}

/** Nothing came for as long as the heartbeat allows, not even when the server was asked. */
export function silentError({ silenceMs, timeoutMs }: Required<HeartbeatOptions>): LongwireError {
  return new ConnectionLostError(
    `nothing came from the server for ${silenceMs} ms, nor within ${timeoutMs} ms of asking it`,
    { certainty: 'outcome-unknown' },
  );
}

/** The answer to a request that a server does not know, without asking it. */
export function unknownMethod(id: RequestId): JSONRPCErrorResponse & { id: RequestId } {
  return { jsonrpc: '2.0', id, error: { code: METHOD_NOT_FOUND, message: 'Method not found' } };
}

/** The answer to a request of the server that is one too many. */
export function tooManyRequests(id: RequestId): JSONRPCErrorResponse & { id: RequestId } {
  const message = 'too many requests wait for an answer';
  return { jsonrpc: '2.0', id, error: { code: INTERNAL_ERROR, message } };
}

/** The server has come back in another era, and the program's own `Client` cannot follow it there. */
export function otherEraError(era: Era): LongwireError {
  const protocol = era === 'modern' ? '2026-07-28 or later' : '2025-11-25 or earlier';
  return new LongwireError(`the server has changed to protocol ${protocol}`, {
    code: 'closed',
    certainty: 'not-sent',
    hint: 'make a new client and a new transport',
  });
}
