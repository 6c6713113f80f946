import { describe, expect, it } from 'vitest';
import {
  sessionLostError,
  isSessionLost,
  saysSessionLost,
} from '../../src/channels/session-lost.ts';
import { HttpStatusError, LongwireError } from '../../src/errors.ts';

const answer = (status: number, excerpt = '') =>
  new HttpStatusError(`status ${status}`, { status, excerpt, certainty: 'refused' });

describe('a session without ping is lost', () => {
  it.each([
    'No transport found for sessionId',
    'No transport found for sessionId 0d9ca1c2-5a36-4bd0-a5b7-3dcfd8c4a5a4',
    'No active transport',
    'Could not find session',
    'Invalid session ID',
    'Session not found',
    'Session not found: 42',
    'session expired',
    'Session has expired',
    'Unknown session',
    'The session does not exist',
    'Session has been closed',
    'Session terminated',
    'Bad Request: No valid session ID provided',
    '{"jsonrpc":"2.0","error":{"code":-32000,"message":"Bad Request: No valid session ID provided"},"id":null}',
    '{"jsonrpc":"2.0","id":null,"error":{"code":-32602,"message":"Invalid session ID"}}',
    '{"error":"session_id not found"}',
  ])('when a 400 says: %s', (excerpt) => {
    expect(saysSessionLost(answer(400, excerpt))).toBe(true);
    expect(isSessionLost(answer(400, excerpt)), 'not for certain').toBe(false);
  });

  it.each(['', '<h1>Not Found</h1>', 'Could not find session'])(
    'when a 404 says: %s',
    (excerpt) => {
      expect(isSessionLost(answer(404, excerpt))).toBe(true);
    },
  );
});

describe('a session is not lost', () => {
  it.each([
    '',
    'Bad Request',
    'Could not parse message',
    'PayloadTooLargeError: request entity too large',
    'Invalid params: missing field session_name',
    'Invalid message: {"jsonrpc":"2.0","method":"tools/call","params":{"arguments":{"session":1}}}',
    'Invalid arguments: transport must be one of car, train',
    'Method not found: sessions/list',
    'Notice: the transportation service is closed',
    'Unsupported content-type: text/plain',
    'no connection to database',
    'Unknown chat session 42',
    'Invalid arguments: session_id is invalid',
    '{"jsonrpc":"2.0","id":7,"error":{"code":-32602,"message":"Session not found"}}',
    'Invalid JSON',
  ])('when a 400 says: %s', (excerpt) => {
    expect(saysSessionLost(answer(400, excerpt))).toBe(false);
  });

  it.each([401, 403, 405, 409, 410, 422, 429, 500, 502, 503])('when %d says so', (status) => {
    expect(isSessionLost(answer(status, 'Session not found'))).toBe(false);
  });

  it('when a 404 is the answer to the message', () => {
    const body = '{"jsonrpc":"2.0","error":{"code":-32601,"message":"Method not found"},"id":7}';
    expect(isSessionLost(answer(404, body))).toBe(false);
  });

  it('but it is when a 404 answers an id that is never ours', () => {
    const body =
      '{"jsonrpc":"2.0","id":"server-error","error":{"code":-32600,"message":"Session not found"}}';
    expect(isSessionLost(answer(404, body))).toBe(true);
  });

  it('when it is no answer', () => {
    const error = new LongwireError('Session not found', {
      code: 'connect-failed',
      certainty: 'not-sent',
    });
    expect(isSessionLost(error)).toBe(false);
  });
});

describe('sessionLostError', () => {
  it('says that the request did not run, and names the origin alone', () => {
    const cause = answer(404);
    const error = sessionLostError(
      new URL('https://user:pw@mcp.example/messages?id=secret'),
      cause,
    );
    expect(error).toMatchObject({ code: 'connection-lost', certainty: 'refused', cause });
    expect(error.message).not.toMatch(/secret|pw/);
  });
});
