import {
  INTERNAL_ERROR,
  METHOD_NOT_FOUND,
  type JSONRPCErrorResponse,
  type JSONRPCResponse,
  type RequestId,
} from '@modelcontextprotocol/client';
import {
  ConnectError,
  ConnectionLostError,
  LongwireError,
  ServerError,
  type Certainty,
} from '../errors.js';
import { CERTAINTY_TEXT } from '../certainty-text.js';
import type { HeartbeatOptions } from '../options/connection-options.js';
import type { Era, Protocol } from '../protocol-version.js';
import { isObject } from '../untrusted/is-object.js';
import { backChannelHint } from './back-channel.js';
import type { LedgerEntry, LedgerRequest } from './ledger.js';

/** The error of a request whose connection was lost for this reason. */
export function lossOf(
  { request, context }: Pick<LedgerEntry, 'request' | 'context'>,
  reason: LongwireError,
): LongwireError {
  // The dial failed, and the request had not left: there is nothing to add.
  const { certainty } = context;
  if (certainty === 'not-sent' && reason instanceof ConnectError) return reason;
  // The server refused the credentials of the request, and of the handshake after it.
  if (certainty === 'refused' && (reason.code === 'unauthorized' || reason.code === 'forbidden')) {
    return new LongwireError(reason.summary, {
      code: reason.code,
      certainty,
      hint: reason.hint,
      cause: reason,
    });
  }
  const what = describe(request);
  const message = `the connection was lost during ${what}; ${CERTAINTY_TEXT[certainty]}: ${reason.summary}`;
  if (reason.code === 'limit-exceeded' || reason.code === 'protocol') {
    return new LongwireError(message, { code: reason.code, certainty, cause: reason });
  }
  return new ConnectionLostError(message, { certainty, cause: reason });
}

/** The error of a dial, as a `ConnectError`: no request that waited for the dial had left. */
export function asConnectError(error: LongwireError): LongwireError {
  if (error instanceof ConnectError || error.code === 'closed') return error;
  return new ConnectError(error.summary, { code: error.code, cause: error, tried: [] });
}

/** The error of a request, which may have run if it was sent before. */
export function failureOf(
  { losses, repeats }: Pick<LedgerEntry, 'losses' | 'repeats'>,
  error: LongwireError,
): LongwireError {
  const { code, certainty, summary, hint } = error;
  const wasSentOnce = losses === 0 && repeats === 0;
  if (wasSentOnce || certainty === 'outcome-unknown' || certainty === 'answered') return error;
  return new LongwireError(
    `${summary}; but the request had been sent before, and may have run then`,
    {
      code,
      certainty: 'outcome-unknown',
      hint,
      cause: error,
    },
  );
}

/** The error of a request whose session is gone; its certainty does not change. */
export function sessionGone(
  error: LongwireError,
  certainty: Certainty = error.certainty,
): LongwireError {
  return new ConnectionLostError(`the session is gone: ${error.summary}`, {
    certainty,
    cause: error,
  });
}

/** The error of the last dial that `maxAttempts` allows. */
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

/** The server answered `initialize` with an error, or with a result that the SDK cannot use. */
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

/** The server does not speak the version that the program names. */
export function otherVersion(protocol: Protocol, reply: string): ConnectError {
  return new ConnectError(`the server does not speak protocol ${protocol}: ${reply}`, {
    code: 'not-mcp',
    hint: 'leave out protocol, or name a version that the server speaks',
    tried: [],
  });
}

/** The error of a request that the server answered with a JSON-RPC error. */
export function serverError(
  what: string,
  { code, message, data }: JSONRPCErrorResponse['error'],
  taskId?: string,
): ServerError {
  return new ServerError(`the server answered ${what} with an error: ${message}`, {
    number: code,
    data,
    serverMessage: message,
    hint: backChannelHint(message),
    ...(taskId !== undefined && { taskId }),
    ...(isUnknownTo(data) && { certainty: 'outcome-unknown' }),
  });
}

/** Whether a server says that it does not know itself what became of a call, as after a restart of its own. */
function isUnknownTo(data: unknown): boolean {
  return isObject(data) && data['certainty'] === 'outcome-unknown';
}

/** The server has answered, but the SDK's `Client` cannot use the answer. */
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

/** A server in this process may answer with something that JSON cannot express. */
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

/** `limits.maxInFlight` is reached. */
export function queueFullError(limit: number): LongwireError {
  return new LongwireError(
    `${limit} requests are in flight on this connection, which is the limit`,
    {
      code: 'queue-full',
      certainty: 'not-sent',
      hint: 'wait until some are answered, or raise limits.maxInFlight',
    },
  );
}

/** A request in words, for messages. */
export function describe({ method, params }: LedgerRequest): string {
  const name = params?.['name'];
  return method === 'tools/call' && typeof name === 'string' ? `the call of ${name}` : method;
}

/** The server did not accept the end of the handshake in time. */
export function initializedTimeout(address: string): LongwireError {
  return new LongwireError(
    `${address} answered initialize, but did not accept notifications/initialized in time`,
    { code: 'connect-timeout', certainty: 'not-sent', hint: 'raise timeouts.connectMs' },
  );
}

/** JSON cannot express the request. */
export function unsendable(cause: unknown): LongwireError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new LongwireError(`the request cannot be sent as JSON: ${reason}`, {
    code: 'invalid-arguments',
    certainty: 'not-sent',
    cause,
  });
}

/** Nothing arrived for as long as the heartbeat allows, also not after a ping. */
export function silentError({ silenceMs, timeoutMs }: Required<HeartbeatOptions>): LongwireError {
  return new ConnectionLostError(
    `nothing came from the server for ${silenceMs} ms, nor within ${timeoutMs} ms after a ping`,
    { certainty: 'outcome-unknown' },
  );
}

/** Answers were awaited on a session that its server had lost, and nothing came. */
export function silentDrain(silenceMs: number): LongwireError {
  return new ConnectionLostError(
    `the session is lost, and nothing came on its open streams for ${silenceMs} ms`,
    { certainty: 'outcome-unknown' },
  );
}

/** Sessions of the connection are lost faster than they answer what they were sent. */
export function tooManyDrains(): LongwireError {
  return new ConnectionLostError('too many sessions after it were lost as well', {
    certainty: 'outcome-unknown',
  });
}

/** The answer to a request that a server does not know, made without asking the server. */
export function unknownMethod(id: RequestId): JSONRPCErrorResponse & { id: RequestId } {
  return { jsonrpc: '2.0', id, error: { code: METHOD_NOT_FOUND, message: 'Method not found' } };
}

/** The answer to a request of the server that is one too many. */
export function tooManyRequests(id: RequestId): JSONRPCErrorResponse & { id: RequestId } {
  const message = 'too many requests wait for an answer';
  return { jsonrpc: '2.0', id, error: { code: INTERNAL_ERROR, message } };
}

/** The server has come back in another era, which the program's own `Client` cannot speak. */
export function otherEraError(era: Era): LongwireError {
  const protocol = era === 'modern' ? '2026-07-28 or later' : '2025-11-25 or earlier';
  return new LongwireError(`the server has changed to protocol ${protocol}`, {
    code: 'closed',
    certainty: 'not-sent',
    hint: 'create a new Client and a new transport',
  });
}
