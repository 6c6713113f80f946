import { beforeEach, describe, expect, it } from 'vitest';
import { ConnectionLostError } from '../../src/errors.ts';
import { Breaker, type BreakerState, type Passage } from '../../src/health/breaker.ts';

const lost = (cause?: unknown): ConnectionLostError =>
  new ConnectionLostError('the connection was lost', { certainty: 'outcome-unknown', cause });

let changes: BreakerState[];
let breaker: Breaker;

beforeEach(() => {
  changes = [];
  breaker = new Breaker({ failures: 3, openMs: 100 }, () => changes.push(breaker.status(0).state));
});

function enter(now: number): Passage {
  const passage = breaker.enter(now);
  if (passage === undefined) throw new Error(`no call passes at ${now}`);
  return passage;
}

function open(): void {
  for (let i = 0; i < 3; i++) breaker.failed(lost(), 0, enter(0));
  expect(breaker.status(0)).toMatchObject({ state: 'open', failures: 3, nextTryMs: 100 });
}

describe('closed', () => {
  it('opens after so many failures in a row', () => {
    open();
    expect(changes).toEqual(['open']);
    expect(breaker.enter(99)).toBeUndefined();
  });

  it('begins to count anew after a success', () => {
    for (let i = 0; i < 2; i++) breaker.failed(lost(), 0, enter(0));
    breaker.succeeded(enter(0));
    for (let i = 0; i < 2; i++) breaker.failed(lost(), 0, enter(0));
    expect(breaker.status(0)).toMatchObject({ state: 'closed', failures: 2 });
  });

  it('counts what is lost with one connection once, however many calls it was', () => {
    const reason = lost();
    for (let i = 0; i < 10; i++) breaker.failed(lost(reason), 0, enter(0));
    breaker.failed(reason, 0);
    expect(breaker.status(0)).toMatchObject({ state: 'closed', failures: 1 });
  });

  it('counts a connection that is lost without a call', () => {
    for (let i = 0; i < 3; i++) breaker.failed(lost(), 5);
    expect(breaker.status(5)).toMatchObject({ state: 'open', nextTryMs: 100 });
  });
});

describe('half-open', () => {
  it('lets one call pass at a time, and closes when it is answered', () => {
    open();
    const probe = enter(100);
    expect(breaker.enter(100)).toBeUndefined();
    breaker.succeeded(probe);
    expect(breaker.status(100)).toEqual({
      state: 'closed',
      since: expect.any(Number),
      failures: 0,
    });
    expect(changes).toEqual(['open', 'half-open', 'closed']);
    enter(100);
  });

  it('opens again when the probe fails, and also with the failure of before', () => {
    const same = lost();
    for (const error of [lost(), lost(), same]) breaker.failed(error, 0, enter(0));
    breaker.failed(same, 150, enter(100));
    expect(breaker.status(150)).toMatchObject({ state: 'open', failures: 4, nextTryMs: 100 });
  });

  it('opens again when a dial fails meanwhile', () => {
    open();
    enter(100);
    breaker.failed(lost(), 120);
    expect(breaker.status(120)).toMatchObject({ state: 'open', nextTryMs: 100 });
  });

  it('lets another call pass when the probe says nothing', () => {
    open();
    breaker.released(enter(100));
    expect(breaker.status(100).state).toBe('half-open');
    breaker.succeeded(enter(100));
    expect(breaker.status(100).state).toBe('closed');
  });

  it('lets another call pass when the probe takes long, and closes when either is answered', () => {
    open();
    const long = enter(100);
    expect(breaker.enter(199)).toBeUndefined();
    const other = enter(200);
    expect(breaker.enter(299)).toBeUndefined();
    breaker.released(long);
    expect(breaker.enter(299)).toBeUndefined();
    breaker.succeeded(other);
    expect(breaker.status(300).state).toBe('closed');
  });
});

it('what began before it opened says nothing of now', () => {
  const early = enter(0);
  const earlier = enter(0);
  open();
  breaker.succeeded(early);
  breaker.failed(lost(), 50, earlier);
  expect(breaker.status(50)).toMatchObject({ state: 'open', failures: 3, nextTryMs: 50 });
  breaker.succeeded(enter(100));
  expect(breaker.status(100).state).toBe('closed');
});
