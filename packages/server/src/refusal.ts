import {
  INTERNAL_ERROR,
  INVALID_REQUEST,
  PARSE_ERROR,
  ProtocolErrorCode,
  SUPPORTED_PROTOCOL_VERSIONS,
  type JSONRPCErrorResponse,
  type RequestId,
} from '@modelcontextprotocol/server';
import type { FastifyReply } from 'fastify';
import { logRefusal } from './refusal-log.js';

/** An HTTP answer that refuses a request, and says what to do. */
export interface Refusal {
  status: number;
  /** Number of the JSON-RPC error. */
  code: number;
  message: string;
  headers?: Readonly<Record<string, string>>;
  /** One word for metrics, such as `rate-limited`: a constant, never text of the request. */
  reason?: string;
  /** `data` of the JSON-RPC error: what a program needs to know beside the message. */
  data?: Readonly<Record<string, unknown>>;
}

/** Thrown by a hook to answer a request with a refusal. */
export class RefusedError extends Error {
  readonly refusal: Refusal;

  constructor(refusal: Refusal) {
    super(refusal.message);
    this.name = 'RefusedError';
    this.refusal = refusal;
  }
}

/** JSON-RPC leaves -32000 to -32099 to servers: https://www.jsonrpc.org/specification#error_object */
export const SERVER_ERROR: number = -32_000;

/** The body cannot be parsed. */
export const NOT_JSON: Refusal = {
  status: 400,
  code: PARSE_ERROR,
  message: 'The body is not JSON',
};

/** The body is JSON, but not a message. */
export const NOT_JSON_RPC: Refusal = {
  status: 400,
  code: INVALID_REQUEST,
  message:
    'The body is no JSON-RPC 2.0 message (its members are jsonrpc, id, method and params, or id and result or error; the id is a string or a whole number below 2^53), nor, where a session is posted to /mcp, a batch of 1 to 100 of them',
};

/** A compressed body, which could be far longer than it looks. */
export const COMPRESSED: Refusal = {
  status: 415,
  code: SERVER_ERROR,
  message: 'The body is compressed: send it without a Content-Encoding',
};

/** The body is JSON that exceeds a bound. */
export function overJsonBound(why: string): Refusal {
  return { status: 400, code: INVALID_REQUEST, message: `The body is not taken: ${why}` };
}

/** A repeated header, of which a proxy in front may have read the other one. */
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

/** A request whose id is in use: its answer could not be told from the other one. */
export const REPEATED_ID: Refusal = {
  status: 400,
  code: INVALID_REQUEST,
  message: 'A request of this id is in flight: use another id for each request',
};

/** A request whose id is too long to be kept. */
export const LONG_ID: Refusal = {
  status: 400,
  code: INVALID_REQUEST,
  message: 'The id of the request is longer than 256 characters',
};

/** The client must wait for answers before it sends more requests. */
export function tooManyInFlight(maxInFlight: number): Refusal {
  return {
    status: 429,
    code: SERVER_ERROR,
    message: `${maxInFlight} requests of this session are in flight (maxInFlight): wait for answers`,
    headers: { 'retry-after': '1' },
  };
}

/** One client must not use up all sessions. */
export function tooManyOfAddress(maxSessionsPerAddress: number): Refusal {
  return {
    status: 429,
    code: SERVER_ERROR,
    message: `Your address has ${maxSessionsPerAddress} sessions (maxSessionsPerAddress): close one first`,
    headers: { 'retry-after': '5' },
  };
}

/** One principal must not use up all sessions. */
export function tooManyOfPrincipal(maxSessionsPerPrincipal: number): Refusal {
  return {
    status: 429,
    code: SERVER_ERROR,
    message: `You have ${maxSessionsPerPrincipal} sessions (maxSessionsPerPrincipal): close one first`,
    headers: { 'retry-after': '5' },
  };
}

/** The answer to a repeated request was dropped; running it again could do its work twice. */
export const ANSWER_GONE: Refusal = {
  status: 410,
  code: INVALID_REQUEST,
  message:
    'A request of this id was answered before, and its answer is not kept any more: use another id for each request',
};

/** The client takes neither of the two content types. */
export const NOT_ACCEPTABLE: Refusal = {
  status: 406,
  code: SERVER_ERROR,
  message: 'Not Acceptable: the client must accept application/json and text/event-stream',
};

/** Streamable HTTP without a session. */
export const NO_SESSION_HEADER: Refusal = {
  status: 400,
  code: SERVER_ERROR,
  message: 'The request has no Mcp-Session-Id header: send initialize first',
};

/** Streamable HTTP: the specification's sign for "initialize again". */
export const SESSION_NOT_FOUND: Refusal = {
  status: 404,
  code: -32_001,
  message:
    'Session not found: it has ended, or there never was one; send initialize without a session id',
};

/** A second handshake in one session. */
export const ALREADY_INITIALIZED: Refusal = {
  status: 400,
  code: INVALID_REQUEST,
  message: 'The session is initialized already: open a new one without the Mcp-Session-Id header',
};

/** A batch with the handshake in it. */
export const INITIALIZE_ALONE: Refusal = {
  status: 400,
  code: INVALID_REQUEST,
  message: 'initialize must be posted alone, not in a batch',
};

/** A header that names a version that is not spoken here. */
export function unsupportedVersion(version: string, supported: readonly string[]): Refusal {
  return {
    status: 400,
    code: SERVER_ERROR,
    message: `Unsupported protocol version: ${quoted(version)} (supported versions: ${supported.join(', ')})`,
  };
}

/** A resume key that could be guessed, or is none. */
export const BAD_RESUME_KEY: Refusal = {
  status: 400,
  code: SERVER_ERROR,
  message:
    'resume must be a random key of 22 to 256 characters of A-Z a-z 0-9 _ ~ . - (128 bits or more)',
};

/** A message without a session id. */
export const NO_SESSION_ID: Refusal = {
  status: 400,
  code: SERVER_ERROR,
  message: 'The query has no sessionId: post to the address that the endpoint event named',
};

/** A session that does not exist, or has ended; the client must open a new one. */
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

/** The application is closing, and another node may answer. */
export const STOPPING: Refusal = {
  status: 503,
  code: SERVER_ERROR,
  message: 'The server stops: try again, on another node',
  headers: { 'retry-after': '1' },
  data: { reason: 'stopping' },
};

/** The store of the cluster cannot be reached. Nothing ran. */
export const CLUSTER_AWAY: Refusal = {
  status: 503,
  code: SERVER_ERROR,
  message: 'The store of the sessions cannot be reached, and nothing has run: try again',
  headers: { 'retry-after': '1' },
  reason: 'cluster-away',
  data: { reason: 'cluster-away' },
};

/** Another node has the session now, and nothing has run here: whoever gets this looks for it again. */
export const MOVED: Refusal = {
  status: 503,
  code: SERVER_ERROR,
  message: 'The session has moved to another node, and nothing has run: try again',
  headers: { 'retry-after': '1' },
  reason: 'moved',
  data: { reason: 'moved' },
};

/** The node that ran a call is gone, or could not keep its answer. */
export const OUTCOME_UNKNOWN: JSONRPCErrorResponse['error'] = {
  code: INTERNAL_ERROR,
  message: 'The server that ran this call is gone: a part of it may have run',
  data: { reason: 'owner-lost', certainty: 'outcome-unknown' },
};

/** A call took longer than the server had left. It began, so it is not said that it may be repeated. */
export const CUT_BY_STOP: JSONRPCErrorResponse['error'] = {
  code: SERVER_ERROR,
  message: 'The call was cancelled because the server stops: a part of it may have run',
  data: { reason: 'stopping', certainty: 'outcome-unknown' },
};

/** The server of a request closed itself before it answered. */
export const CLOSED_EARLY: JSONRPCErrorResponse['error'] = {
  code: INTERNAL_ERROR,
  message: 'The server closed before it answered: a part of the call may have run',
  data: { certainty: 'outcome-unknown' },
};

/** The factory failed or took too long; the reason goes to the log, not to the client. */
export const NO_SERVER: Refusal = {
  status: 500,
  code: INTERNAL_ERROR,
  message: 'The MCP server could not be made: the log says why',
};

/**
 * What `create` makes is of SDK 1.x, of another copy, or a gateway: a client of both protocols then opens a
 * session.
 */
export const ONLY_SESSIONS: Refusal = {
  status: 400,
  code: ProtocolErrorCode.UnsupportedProtocolVersion,
  message:
    'This server only serves sessions, because it is a gateway, or is not made with the @modelcontextprotocol/server of the server kit: send initialize',
  data: { supported: SUPPORTED_PROTOCOL_VERSIONS },
};

/**
 * The same, to `server/discover`, as older servers answer it: some clients take the other one for the answer of a
 * server with which they have nothing in common.
 */
export const NO_DISCOVERY: Refusal = {
  status: ONLY_SESSIONS.status,
  code: ProtocolErrorCode.MethodNotFound,
  message: ONLY_SESSIONS.message,
};

/** Also refuses web pages of other origins, which may send text and forms without a preflight. */
export const WRONG_CONTENT_TYPE: Refusal = {
  status: 415,
  code: SERVER_ERROR,
  message: 'The content type must be application/json',
};

/** A path that is none of a server that `serve` has made. */
export function nothingHere(prefix: string): Refusal {
  return {
    status: 404,
    code: SERVER_ERROR,
    message: `There is nothing at this path: clients connect to ${prefix}/mcp, older ones to ${prefix}/sse`,
  };
}

/** A method that the path does not take. */
export function methodNotTaken(allow: string): Refusal {
  return {
    status: 405,
    code: SERVER_ERROR,
    message: `This path takes ${allow}`,
    headers: { allow },
  };
}

/** Another method; also a JSON-RPC message posted to the stream, as Streamable HTTP sends it. */
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

/** The request may come from a web page by DNS rebinding. */
export function wrongHost(host: string | undefined): Refusal {
  return {
    status: 403,
    code: SERVER_ERROR,
    message: `The Host ${quoted(host)} is not allowed: the server's operator can add it to allowedHosts`,
  };
}

/** The request comes from a web page that is not allowed. */
export function wrongOrigin(origin: string | undefined): Refusal {
  return {
    status: 403,
    code: SERVER_ERROR,
    message: `The Origin ${quoted(origin)} is not allowed: the server's operator can add it to allowedOrigins`,
  };
}

/** A malformed call of the tool-events transport; the message says what is wrong. */
export function badToolCall(message: string): Refusal {
  return { status: 400, code: INVALID_REQUEST, message };
}

/** Tells a refusal from what else a function may return. */
export function isRefusal(value: object): value is Refusal {
  return 'status' in value && 'code' in value && 'message' in value;
}

/** A refusal as a JSON-RPC error. */
export function errorOf({ code, message, data }: Refusal): JSONRPCErrorResponse['error'] {
  return { code, message, ...(data !== undefined && { data }) };
}

/**
 * Answers with the status and a JSON-RPC error; its id is null if the request's is not known. The log
 * gets a line, unless it has one that knows more.
 */
export function refuse(
  reply: FastifyReply,
  refusal: Refusal,
  id: RequestId | null = null,
): FastifyReply {
  const { status, headers = {} } = refusal;
  // "If there was an error in detecting the id in the Request object (e.g. Parse error/Invalid
  // Request), it MUST be Null." https://www.jsonrpc.org/specification#response_object
  const body = { jsonrpc: '2.0', id, error: errorOf(refusal) } satisfies Omit<
    JSONRPCErrorResponse,
    'id'
  > & { id: RequestId | null };
  logRefusal(reply.request, refusal, { reason: refusal.message, level: 'info' });
  return reply.code(status).headers(headers).send(body);
}

/** A value of a request in a message: cut, in quotes, control characters escaped. */
export function quoted(value: string | undefined): string {
  return value === undefined ? '(none)' : JSON.stringify(value.slice(0, 200));
}
