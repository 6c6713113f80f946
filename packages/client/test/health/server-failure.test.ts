import { describe, expect, it } from 'vitest';
import {
  ConnectError,
  ConnectionLostError,
  ERROR_CODES,
  HttpStatusError,
  LongwireError,
  ServerError,
  ToolResultError,
  type Certainty,
  type ErrorCode,
} from '../../src/errors.ts';
import { hasAnswered, isServerFailure } from '../../src/health/server-failure.ts';

const plain = (code: ErrorCode, certainty: Certainty = 'outcome-unknown'): LongwireError =>
  new LongwireError('it failed', { code, certainty });
const status = (number: number): HttpStatusError =>
  new HttpStatusError('it failed', { status: number, excerpt: '', certainty: 'refused' });
const answer = (number: number, message = 'it failed'): ServerError =>
  new ServerError(message, { number });
const connect = (code: ErrorCode, cause?: unknown): ConnectError =>
  new ConnectError('no connection', { code, tried: [], cause });
const result = { content: [] };

describe('a failed call says that its server is not well', () => {
  it.each<[string, unknown]>([
    ['a dial that failed', connect('connect-failed')],
    ['a dial that took too long', connect('connect-timeout')],
    ['a gateway that answers in its place', connect('not-mcp')],
    ['a connection that was lost', new ConnectionLostError('lost', { certainty: 'not-sent' })],
    ['an answer of 500', status(500)],
    ['an answer of 503', status(503)],
    ['a dial that was answered 502', connect('http-status', status(502))],
    ['an internal error', answer(-32603, 'Internal error')],
    ['an answer that breaks the protocol', plain('protocol', 'answered')],
    ['no answer within the limits for every call', plain('timeout')],
    ['no end by the deadline for every call', plain('deadline')],
  ])('%s', (_what, error) => {
    expect(isServerFailure(error)).toBe(true);
  });

  it('a call that waited for an absent server for as long as every call may', () => {
    const cause = connect('connect-failed');
    const late = new LongwireError('late', { code: 'timeout', certainty: 'not-sent', cause });
    expect(isServerFailure(late)).toBe(true);
    expect(isServerFailure(late, { timeoutMs: 50 })).toBe(false);
  });
});

describe('what the program or a tool causes says nothing of the server', () => {
  it.each<[string, unknown]>([
    ['an aborted call', plain('aborted')],
    ['a client that was closed', plain('closed')],
    ['wrong arguments', plain('invalid-arguments', 'not-sent')],
    ['an unknown tool', plain('unknown-tool', 'not-sent')],
    ['a full queue', plain('queue-full', 'not-sent')],
    ['a limit of the program', plain('limit-exceeded', 'not-sent')],
    ['a wrong option', plain('config', 'not-sent')],
    ['credentials that are refused', status(401)],
    ['credentials that do not suffice', status(403)],
    ['an answer of 404', status(404)],
    ['an answer of 429', status(429)],
    ['a name that the server does not know', answer(-32601)],
    ['arguments that the server does not take', answer(-32602)],
    ['a wrong name, as the SDK answers it', answer(-32603, 'Error: Unknown tool: ehco')],
    ['a wrong name, in other words', answer(-32603, 'Tool ehco not found')],
    ['an error of the server with a number of its own', answer(-32000)],
    ['a result that misses its schema', new ToolResultError('odd', { result })],
    ['a call that had no turn', plain('timeout', 'not-sent')],
    ['something else', new Error('what?')],
  ])('%s', (_what, error) => {
    expect(isServerFailure(error)).toBe(false);
  });

  it('a call over a limit of its own', () => {
    expect(isServerFailure(plain('timeout'), { timeoutMs: 50 })).toBe(false);
    expect(isServerFailure(plain('deadline'), { deadlineMs: 50 })).toBe(false);
    expect(isServerFailure(plain('timeout'), { deadlineMs: 50 })).toBe(true);
  });
});

it('a server that answers, or refuses, is there', () => {
  expect(hasAnswered(answer(-32602))).toBe(true);
  expect(hasAnswered(status(404))).toBe(true);
  expect(hasAnswered(plain('aborted'))).toBe(false);
  expect(hasAnswered(new Error('what?'))).toBe(false);
});

it('every code is decided about', () => {
  const ofServer = Object.keys(ERROR_CODES).filter((code) =>
    isServerFailure(plain(code as ErrorCode)),
  );
  expect(ofServer).toEqual([
    'connect-failed',
    'connect-timeout',
    'not-mcp',
    'http-status',
    'connection-lost',
    'timeout',
    'deadline',
    'protocol',
  ]);
});
