import {
  INTERNAL_ERROR,
  INVALID_REQUEST,
  PARSE_ERROR,
  type JSONRPCErrorResponse,
  type RequestId,
} from '@modelcontextprotocol/server';
import type { FastifyReply } from 'fastify';

/** An HTTP answer that says no, and what to do about it. */
export interface Refusal {
  status: number;
  /** Number of the JSON-RPC error. */
  code: number;
  message: string;
  headers?: Readonly<Record<string, string>>;
}

/** JSON-RPC leaves -32000 to -32099 to servers: https://www.jsonrpc.org/specification#error_object */
const SERVER_ERROR = -32_000;

/** The body cannot be parsed. */
export const NOT_JSON: Refusal = {
  status: 400,
  code: PARSE_ERROR,
  message: 'The body is not JSON',
};

/** The body can be parsed, and is no message. */
export const NOT_JSON_RPC: Refusal = {
  status: 400,
  code: INVALID_REQUEST,
  message: 'The body is not one JSON-RPC 2.0 message; batches are not accepted',
};

/** The body is JSON of a size or depth that is not built up. */
export function overJsonBound(why: string): Refusal {
  return { status: 400, code: INVALID_REQUEST, message: `The body is not taken: ${why}` };
}

/** A header that says two things, of which a proxy in front may have believed the other. */
export function repeatedHeader(name: string): Refusal {
  return {
    status: 400,
    code: INVALID_REQUEST,
    message: `The request has more than one ${name} header: send one`,
  };
}

/** Two ids of sessions in one query. */
export const TWO_SESSION_IDS: Refusal = {
  status: 400,
  code: SERVER_ERROR,
  message: 'The query names two sessions: post to the address that the endpoint event named',
};

/** A request whose id is in use: two answers could not be told apart. */
export const REPEATED_ID: Refusal = {
  status: 400,
  code: INVALID_REQUEST,
  message: 'A request of this id is in flight: use another id for each request',
};

/** A request whose id is longer than any that counts. */
export const LONG_ID: Refusal = {
  status: 400,
  code: INVALID_REQUEST,
  message: 'The id of the request is longer than 256 characters',
};

/** The client is to wait for answers before it asks more. */
export function tooManyInFlight(maxInFlight: number): Refusal {
  return {
    status: 429,
    code: SERVER_ERROR,
    message: `${maxInFlight} requests of this session are in flight (maxInFlight): wait for answers`,
    headers: { 'retry-after': '1' },
  };
}

/** One client is not to have all sessions. */
export function tooManyOfAddress(maxSessionsPerAddress: number): Refusal {
  return {
    status: 429,
    code: SERVER_ERROR,
    message: `Your address has ${maxSessionsPerAddress} sessions (maxSessionsPerAddress): close one first`,
    headers: { 'retry-after': '5' },
  };
}

/** A message that does not say which session it is for. */
export const NO_SESSION_ID: Refusal = {
  status: 400,
  code: SERVER_ERROR,
  message: 'The query has no sessionId: post to the address that the endpoint event named',
};

/** A session that never was, or is no more; a new one is the way out. */
export const UNKNOWN_SESSION: Refusal = {
  status: 404,
  code: SERVER_ERROR,
  message: 'There is no such session, or it has ended: open a new one with GET /sse',
};

/** The limit is reached, or the application is closing. */
export const NO_MORE_SESSIONS: Refusal = {
  status: 503,
  code: SERVER_ERROR,
  message: 'The server takes no more sessions now (maxSessions): try again later',
  headers: { 'retry-after': '5' },
};

/** The factory failed or took too long; why is for the log and not for the client. */
export const NO_SERVER: Refusal = {
  status: 500,
  code: INTERNAL_ERROR,
  message: 'The server of the session could not be made: the log of the server says why',
};

/** Also keeps out web pages of other origins, which may send text and forms unasked. */
export const WRONG_CONTENT_TYPE: Refusal = {
  status: 415,
  code: SERVER_ERROR,
  message: 'The content type must be application/json',
};

/** Another method than those; also a JSON-RPC message to the stream, as Streamable HTTP sends it. */
export function wrongMethod(allow: string): Refusal {
  return {
    status: 405,
    code: SERVER_ERROR,
    message:
      'JSON-RPC messages are posted to the address that the endpoint event names: open a session with GET /sse',
    headers: { allow },
  };
}

/** The body is over the limit, which the message names. */
export function bodyTooLarge(maxBodyBytes: number): Refusal {
  return {
    status: 413,
    code: SERVER_ERROR,
    message: `The body is longer than ${maxBodyBytes} bytes (maxBodyBytes)`,
  };
}

/** The request may be of a web page that DNS rebinding led here. */
export function wrongHost(host: string | undefined): Refusal {
  return {
    status: 403,
    code: SERVER_ERROR,
    message: `The Host ${quoted(host)} is not allowed: the server's operator can add it to allowedHosts`,
  };
}

/** The request is of a web page that nobody has allowed. */
export function wrongOrigin(origin: string | undefined): Refusal {
  return {
    status: 403,
    code: SERVER_ERROR,
    message: `The Origin ${quoted(origin)} is not allowed: the server's operator can add it to allowedOrigins`,
  };
}

/** A call of the tool-events dialect whose shape is wrong; the message says how. */
export function badToolCall(message: string): Refusal {
  return { status: 400, code: INVALID_REQUEST, message };
}

/** Answers with the status and a JSON-RPC error; without an id where the request's is not known. */
export function refuse(
  reply: FastifyReply,
  refusal: Refusal,
  id: RequestId | null = null,
): FastifyReply {
  const { status, code, message, headers = {} } = refusal;
  // "If there was an error in detecting the id in the Request object (e.g. Parse error/Invalid
  // Request), it MUST be Null." https://www.jsonrpc.org/specification#response_object
  const body = { jsonrpc: '2.0', id, error: { code, message } } satisfies Omit<
    JSONRPCErrorResponse,
    'id'
  > & { id: RequestId | null };
  return reply.code(status).headers(headers).send(body);
}

function quoted(value: string | undefined): string {
  return value === undefined ? '(none)' : JSON.stringify(value.slice(0, 200));
}
