import { describe, expect, it } from 'vitest';
import { CallRecords } from './call-records.ts';
import { checkOpen, checkRun, type CallRecord, type CallViolation } from './check-run.ts';
import { countCalls } from './summary.ts';

const good: CallRecord = {
  key: 0,
  kind: 'write',
  settlements: 1,
  outcome: 'succeeded',
  isRight: true,
  lateProgress: 0,
};

function failed(code: string, certainty: string): Partial<CallRecord> {
  return { outcome: 'failed', code, certainty };
}

function violationsOf(change: Partial<CallRecord>, executions: number): string[] {
  return checkRun([{ ...good, ...change }], () => executions).map(({ kind }) => kind);
}

describe('the check', () => {
  it.for<[string, Partial<CallRecord>, number]>([
    ['a write that ran once and succeeded', {}, 1],
    ['a read that ran three times', { kind: 'read' }, 3],
    ['a put that ran twice', { kind: 'put' }, 2],
    ['a write that was marked and ran twice', { kind: 'marked' }, 2],
    ['an unknown outcome that ran', failed('connection-lost', 'outcome-unknown'), 1],
    ['an unknown outcome that did not run', failed('timeout', 'outcome-unknown'), 0],
    ['a call that was not sent', failed('connect-failed', 'not-sent'), 0],
    ['a call that was refused', failed('http-status', 'refused'), 0],
  ])('has nothing against %s', ([, change, executions]) => {
    expect(violationsOf(change, executions)).toEqual([]);
  });

  it.for<[CallViolation, Partial<CallRecord>, number]>([
    ['hung', { outcome: 'hung', settlements: 0 }, 0],
    ['settled-twice', { settlements: 2 }, 1],
    ['progress-after-end', { lateProgress: 1 }, 1],
    ['wrong-result', { isRight: false }, 1],
    ['wrong-result', { kind: 'read', isRight: false }, 1],
    ['executed-twice', {}, 2],
    ['executed-twice', failed('connection-lost', 'outcome-unknown'), 2],
    ['succeeded-without-running', {}, 0],
    ['ran-after-all', failed('connection-lost', 'not-sent'), 1],
    ['ran-after-all', failed('http-status', 'refused'), 1],
    ['ran-after-all', { kind: 'read', ...failed('connection-lost', 'not-sent') }, 1],
    ['answered-with-error', failed('server-error', 'answered'), 0],
    ['foreign-error', { outcome: 'failed' }, 0],
  ])('finds %s', ([violation, change, executions]) => {
    expect(violationsOf(change, executions)).toEqual([violation]);
  });

  it('finds all that is wrong, and says with which call', () => {
    const records: CallRecord[] = [
      good,
      { ...good, key: 1, isRight: false, settlements: 2 },
      { ...good, key: 2, outcome: 'failed', code: 'closed', certainty: 'not-sent' },
    ];
    const violations = checkRun(records, (key) => key);
    const found = violations.map(({ kind, what }) => `${kind}: ${what}`);
    expect(found).toEqual([
      'succeeded-without-running: call 0 (write) succeeded, ran 0 times',
      'settled-twice: call 1 (write) succeeded, ran 1 times',
      'wrong-result: call 1 (write) succeeded, ran 1 times',
      'executed-twice: call 2 (write) failed (closed, not-sent), ran 2 times',
      'ran-after-all: call 2 (write) failed (closed, not-sent), ran 2 times',
    ]);
  });
});

describe('the check of what is open', () => {
  it('has nothing against what there may be', () => {
    expect(checkOpen({ sessions: 1 }, 1, 'now')).toEqual([]);
    expect(checkOpen({ streams: 0, connections: 0 }, 0, 'now')).toEqual([]);
  });

  it('finds what is left open, and says when', () => {
    expect(checkOpen({ sessions: 2 }, 1, 'after 5 calls')).toEqual([
      { kind: 'left-open', what: '2 sessions after 5 calls' },
    ]);
    expect(checkOpen({ streams: 0, connections: 3 }, 0, 'at the end')).toEqual([
      { kind: 'left-open', what: '0 streams, 3 connections at the end' },
    ]);
  });
});

describe('the records', () => {
  it('give back what was put in', () => {
    const records = new CallRecords(5);
    records.begin(0, 'read');
    records.begin(1, 'put');
    records.begin(2, 'write');
    records.begin(3, 'marked');
    expect(records.run(2)).toBe(true);
    expect(records.run(2)).toBe(true);
    expect([records.run(5), records.run(-1), records.run(0.5)]).toEqual([false, false, false]);
    records.progress(0);
    records.succeed(0, true);
    records.progress(0);
    records.succeed(1, false);
    records.fail(2, 'connection-lost', 'outcome-unknown');
    records.fail(3, undefined, undefined);
    records.fail(3, undefined, undefined);
    const failure = { outcome: 'failed', isRight: true, lateProgress: 0 };
    expect([...records]).toMatchObject([
      { key: 0, kind: 'read', outcome: 'succeeded', isRight: true, lateProgress: 1 },
      { key: 1, kind: 'put', outcome: 'succeeded', isRight: false, settlements: 1 },
      { ...failure, kind: 'write', code: 'connection-lost', certainty: 'outcome-unknown' },
      { ...failure, kind: 'marked', code: undefined, settlements: 2 },
      { key: 4, outcome: 'hung', settlements: 0 },
    ]);
    expect(countCalls(records, (key) => records.executionsOf(key))).toEqual({
      settled: 4,
      succeeded: 2,
      failed: { 'connection-lost outcome-unknown': 1, 'undefined undefined': 1 },
      hung: 1,
      wrongResults: 1,
      duplicates: 2,
      writesExecutedTwice: 1,
      repeatedExecutions: 0,
    });
  });
});
