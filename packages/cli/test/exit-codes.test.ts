import {
  ConnectError,
  ConnectionLostError,
  HttpStatusError,
  LongwireError,
  ServerError,
  type Certainty,
  type ErrorCode,
} from '@longwire/client';
import { describe, expect, it } from 'vitest';
import { exitCodeOf } from '../src/exit-codes.ts';

const error = (code: ErrorCode, certainty: Certainty): LongwireError =>
  // The text names another code each time: it must not count.
  new LongwireError('timeout 401 aborted', { code, certainty });

describe('exitCodeOf', () => {
  it.each<[ErrorCode, Certainty, number]>([
    ['aborted', 'outcome-unknown', 130],
    ['aborted', 'not-sent', 130],
    ['timeout', 'outcome-unknown', 5],
    ['timeout', 'not-sent', 5],
    ['deadline', 'outcome-unknown', 5],
    ['unauthorized', 'refused', 4],
    ['forbidden', 'not-sent', 4],
    ['connect-failed', 'not-sent', 3],
    ['connect-timeout', 'not-sent', 3],
    ['not-mcp', 'not-sent', 3],
    ['invalid-arguments', 'not-sent', 2],
    ['unknown-tool', 'not-sent', 2],
    ['config', 'not-sent', 2],
    ['unknown-tool', 'answered', 1],
    ['connection-lost', 'outcome-unknown', 6],
    ['connection-lost', 'not-sent', 3],
    ['closed', 'outcome-unknown', 6],
    ['protocol', 'outcome-unknown', 6],
    ['protocol', 'answered', 1],
    ['limit-exceeded', 'answered', 1],
    ['protocol', 'not-sent', 3],
    ['limit-exceeded', 'outcome-unknown', 6],
    ['limit-exceeded', 'not-sent', 3],
    ['server-error', 'answered', 1],
    ['queue-full', 'not-sent', 1],
  ])('%s, %s: %d', (code, certainty, expected) => {
    expect(exitCodeOf(error(code, certainty))).toBe(expected);
  });

  it('a task that was cancelled on its server is no interruption', () => {
    const options = { code: 'aborted', certainty: 'outcome-unknown', taskId: 'a' } as const;
    expect(exitCodeOf(new LongwireError('was cancelled', options))).toBe(1);
  });

  it.each<[number, Certainty, number]>([
    [500, 'outcome-unknown', 6],
    [502, 'outcome-unknown', 6],
    [400, 'refused', 1],
    [404, 'not-sent', 3],
    [401, 'refused', 4],
    [403, 'refused', 4],
  ])('HTTP %d, %s: %d', (status, certainty, expected) => {
    const failure = new HttpStatusError('', { status, excerpt: '', certainty });
    expect(exitCodeOf(failure)).toBe(expected);
  });

  it('knows the classes', () => {
    expect(exitCodeOf(new ServerError('', { number: -32602 }))).toBe(1);
    expect(exitCodeOf(new ConnectionLostError('', { certainty: 'outcome-unknown' }))).toBe(6);
    expect(exitCodeOf(new ConnectError('', { code: 'connect-failed', tried: [] }))).toBe(3);
  });

  it.each(['of-another-release', '', undefined])('counts the code %s as an error', (code) => {
    const options = { code: code as ErrorCode, certainty: 'not-sent' as const };
    expect(exitCodeOf(new LongwireError('', options))).toBe(1);
  });

  it('counts what nobody foresaw as an error', () => {
    expect(exitCodeOf(new TypeError('x'))).toBe(1);
    expect(exitCodeOf(undefined)).toBe(1);
  });
});
