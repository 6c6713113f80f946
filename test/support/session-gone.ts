import type { HttpAnswer } from './http-answer.ts';

/** One way in which a server says that it does not know a session. */
export interface GoneWording {
  name: string;
  /** `ID` in the body stands for the id of the request. */
  answer: HttpAnswer;
}

const json = { 'content-type': 'application/json' };

const words = (status: number, body?: string): GoneWording => ({
  name: `${status} ${body ?? 'without words'}`,
  answer: { status, ...(body !== undefined && { body }) },
});

const rpc = (status: number, message: string, code = -32000, id = 'null'): GoneWording => ({
  name: `${status} with error ${code} for ${id}: ${message}`,
  answer: {
    status,
    headers: json,
    body: `{"jsonrpc":"2.0","id":${id},"error":{"code":${code},"message":"${message}"}}`,
  },
});

/**
 * The ways in which real servers refuse what is sent on a session that they do not know, whatever
 * the specification says: what was refused like this did not run.
 */
export const refusedWordings: readonly GoneWording[] = [
  words(404),
  words(404, 'Session not found'),
  words(404, '{"error":"Session not found"}'),
  words(404, '{"detail":"Could not find session"}'),
  rpc(404, 'Session not found', -32001),
  rpc(404, 'Session not found', -32600, '"server-error"'),
  words(400),
  words(400, 'Bad Request'),
  words(400, 'No transport found for sessionId'),
  words(400, 'Invalid or missing session ID'),
  words(400, 'Missing session identifier'),
  words(400, '{"error":"unknown client"}'),
  words(400, '会话不存在'),
  rpc(400, 'Bad Request: No valid session ID provided'),
  rpc(400, 'Bad Request: Server not initialized'),
  rpc(400, 'Invalid session ID', -32602),
  rpc(400, 'invalid method parameters: no connection', -32602),
  words(401),
  words(401, '{"error":"invalid_session"}'),
  words(403, 'Forbidden'),
  words(403, 'Session does not belong to you'),
  words(409, 'Session conflict'),
  words(410, 'Gone'),
  words(412, 'initialize first'),
  words(422, '{"detail":"session_id: unknown"}'),
  words(428, 'Precondition Required'),
];

/** The same as the answer to the request, which breaks a MUST: it is read over Streamable HTTP alone. */
export const answeredWordings: readonly GoneWording[] = [
  rpc(404, 'Session not found', -32001, 'ID'),
  rpc(400, 'Invalid or missing session ID', -32000, 'ID'),
  rpc(200, 'Session expired', -32000, 'ID'),
  rpc(200, 'Server not initialized', -32002, 'ID'),
];

/** The same as a failure of the server, after which nobody knows. */
export const failedWordings: readonly GoneWording[] = [
  words(500, 'Session not found'),
  words(500, 'Internal Server Error'),
  rpc(500, 'Error: no such session', -32603),
  words(503, 'Session not available'),
];
