import { describe, expect, it } from 'vitest';
import {
  dialDelayMs,
  isAway,
  isFinal,
  resendDecision,
  resendDelayMs,
  retryAfterOf,
  type RetryPolicy,
  type ResendDecision,
} from '../../src/connection/retry.ts';
import {
  ConnectError,
  ConnectionLostError,
  HttpStatusError,
  LongwireError,
  type Certainty,
  type ErrorCode,
} from '../../src/errors.ts';

const policy = (random: number): RetryPolicy => ({
  maxAttempts: 5,
  firstDelayMs: 250,
  maxDelayMs: 30_000,
  firstConnect: false,
  random: () => random,
});

const status = (code: number, certainty: Certainty = 'refused', retryAfterMs?: number) =>
  new HttpStatusError(`status ${code}`, { status: code, excerpt: '', certainty, retryAfterMs });

describe.each([
  ['dialDelayMs', dialDelayMs],
  ['resendDelayMs', resendDelayMs],
])('%s', (_name, delayMs) => {
  it('doubles from one attempt to the next, up to the maximum', () => {
    const delays = [1, 2, 3, 7, 8, 9, 2000].map((attempt) => delayMs(policy(1), attempt));
    expect(delays).toEqual([250, 500, 1000, 16_000, 30_000, 30_000, 30_000]);
  });

  it.each([
    [0, 500],
    [0.5, 750],
    [1, 1000],
  ])('lies between half and all of it: for %d at %d ms', (random, ms) => {
    expect(delayMs(policy(random), 3)).toBe(ms);
  });

  it('is at least what the server asked for, and never less than without', () => {
    expect(delayMs(policy(1), 1, 4000)).toBe(4000);
    expect(delayMs(policy(1), 3, 10)).toBe(1000);
    expect(delayMs(policy(0), 1, 0)).toBe(125);
  });
});

describe('what the server asks for', () => {
  it('is followed by a dial up to the maximum, by a request without one', () => {
    expect(dialDelayMs(policy(0), 1, 3_600_000)).toBe(30_000);
    expect(resendDelayMs(policy(0), 1, 3_600_000)).toBe(3_600_000);
  });
});

describe('a failed dial', () => {
  /** Every code: a new one does not compile until it has a kind. */
  const kinds: Record<ErrorCode, 'final' | 'away' | 'neither'> = {
    'connect-failed': 'away',
    'connect-timeout': 'away',
    'not-mcp': 'neither',
    unauthorized: 'final',
    forbidden: 'final',
    'http-status': 'away',
    'connection-lost': 'away',
    timeout: 'neither',
    deadline: 'neither',
    aborted: 'neither',
    closed: 'neither',
    protocol: 'final',
    'tool-error': 'neither',
    'server-error': 'neither',
    'limit-exceeded': 'final',
    'queue-full': 'neither',
    'invalid-arguments': 'neither',
    'unknown-tool': 'neither',
    config: 'final',
  };

  it.each(Object.entries(kinds))('with %s is %s', (code, kind) => {
    const error = new LongwireError('x', { code: code as ErrorCode, certainty: 'not-sent' });
    expect({ final: isFinal(error), away: isAway(error) }).toEqual({
      final: kind === 'final',
      away: kind === 'away',
    });
  });

  it('has the Retry-After of itself or of its cause', () => {
    const cause = status(503, 'refused', 1234);
    expect(retryAfterOf(cause)).toBe(1234);
    expect(retryAfterOf(new ConnectError('x', { code: 'http-status', cause, tried: [] }))).toBe(
      1234,
    );
    expect(retryAfterOf(status(503))).toBeUndefined();
    const wrapped = new ConnectionLostError('x', { certainty: 'refused', cause });
    expect(
      retryAfterOf(new ConnectError('y', { code: 'not-mcp', cause: wrapped, tried: [] })),
    ).toBe(1234);
    expect(retryAfterOf(new ConnectionLostError('x', { certainty: 'not-sent' }))).toBeUndefined();
  });
});

describe('resendDecision', () => {
  type Next = ResendDecision['next'];
  type Row = Record<Certainty, Next>;
  const fails: Row = {
    'not-sent': 'fail',
    refused: 'fail',
    answered: 'fail',
    'outcome-unknown': 'fail',
  };
  const lost: Row = {
    'not-sent': 'next-channel',
    refused: 'next-channel',
    answered: 'fail',
    'outcome-unknown': 'unknown',
  };
  const byCode: Record<ErrorCode, Row> = {
    'connect-failed': { ...fails, 'not-sent': 'later' },
    'connect-timeout': { ...fails, 'not-sent': 'later' },
    'not-mcp': fails,
    unauthorized: fails,
    forbidden: fails,
    'http-status': fails,
    'connection-lost': lost,
    timeout: fails,
    deadline: fails,
    aborted: fails,
    closed: lost,
    protocol: fails,
    'tool-error': fails,
    'server-error': fails,
    'limit-exceeded': fails,
    'queue-full': fails,
    'invalid-arguments': fails,
    'unknown-tool': fails,
    config: fails,
  };
  const rows = Object.entries(byCode).flatMap(([code, row]) =>
    Object.entries(row).map(([certainty, next]) => ({ code, certainty, next })),
  );

  it.each(rows)('$code, $certainty: $next', ({ code, certainty, next }) => {
    const error = new LongwireError('x', {
      code: code as ErrorCode,
      certainty: certainty as Certainty,
    });
    expect(resendDecision(error).next).toBe(next);
  });

  it.each([408, 425, 429, 503])('defers a request that was refused with %d', (code) => {
    expect(resendDecision(status(code, 'refused', 77))).toEqual({ next: 'later', askedMs: 77 });
    expect(resendDecision(status(code))).toEqual({ next: 'later', askedMs: undefined });
    expect(resendDecision(status(code, 'outcome-unknown', 77)).next).toBe(
      code === 503 ? 'unknown' : 'fail',
    );
  });

  it.each([502, 504, 520, 521, 522, 523, 524])(
    'does not know whether the request ran after %d',
    (code) => {
      expect(resendDecision(status(code, 'outcome-unknown', 5))).toEqual({ next: 'unknown' });
    },
  );

  it.each([400, 401, 403, 404, 405, 409, 413, 422, 500, 501, 505])(
    'fails with %d, whatever its certainty',
    (code) => {
      for (const certainty of ['not-sent', 'refused', 'outcome-unknown'] as const) {
        expect(resendDecision(status(code, certainty, 5))).toEqual({ next: 'fail' });
      }
    },
  );
});
