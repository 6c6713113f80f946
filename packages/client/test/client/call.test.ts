import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { CallClock } from '../../src/client/call-clock.ts';
import { Call, callObserver, type CallObserver } from '../../src/client/call.ts';
import { failureOf } from '../support/failure-of.ts';

const shared = () => ({
  clock: new CallClock(),
  timeouts: { callMs: 1000, deadlineMs: 1200 },
  onListenerError: vi.fn<(error: unknown) => void>(),
});

describe('a call that waits for an answer of the program', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('has its idle time anew afterwards', () => {
    const { clock, ...others } = shared();
    const call = new Call('the call', { deadlineMs: 60_000 }, { clock, ...others });
    const first = clock.hold();
    const second = clock.hold();
    vi.advanceTimersByTime(5000);
    call.onProgress({ progress: 1 });
    first();
    vi.advanceTimersByTime(5000);
    expect(call.abandoned).toBeUndefined();
    second();
    vi.advanceTimersByTime(900);
    expect(call.abandoned).toBeUndefined();
    vi.advanceTimersByTime(200);
    expect(call.abandoned).toMatchObject({ code: 'timeout' });
    call.done();
  });

  it('ends by its deadline all the same', () => {
    const { clock, ...others } = shared();
    const call = new Call('the call', {}, { clock, ...others });
    const release = clock.hold();
    vi.advanceTimersByTime(1300);
    expect(call.abandoned).toMatchObject({ code: 'deadline' });
    call.done();
    release();
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('a call with an observer', () => {
  it('has the time that is left since the program made it', () => {
    const madeAt = performance.now() - 100;
    const onBegin = vi.fn<CallObserver['onBegin']>();
    const observer: CallObserver = { madeAt, onBegin, onDeferred: () => {} };
    const options = { timeoutMs: 500, deadlineMs: 550, [callObserver]: observer };
    const call = new Call('the call', options, shared());
    expect(onBegin).toHaveBeenCalledExactlyOnceWith(call);
    expect(call.dueAt).toBe(madeAt + 500);
    call.onProgress({ progress: 1 });
    expect(call.dueAt).toBe(madeAt + 550);
    call.done();
  });

  it('has the time of its client where its options say nothing', () => {
    const madeAt = performance.now();
    const observer: CallObserver = { madeAt, onBegin: () => {}, onDeferred: () => {} };
    const options = { [callObserver]: observer };
    const call = new Call('the call', options, shared());
    expect(call.dueAt).toBe(madeAt + 1000);
    call.done();
    const capped = new Call('the call', { ...options, timeoutMs: 5000 }, shared());
    expect(capped.dueAt).toBe(madeAt + 1200);
    capped.done();
  });

  it.each(['not-sent', 'refused'] as const)(
    'can be withdrawn while it is %s',
    async (certainty) => {
      const call = new Call('the call', {}, shared());
      const failure = failureOf(call.before(new Promise(() => {})));
      call.certainty = certainty;
      expect(call.withdraw()).toBe(true);
      expect(await failure).toMatchObject({ code: 'aborted', certainty });
      expect(call.withdraw(), 'it has ended').toBe(false);
      call.done();
    },
  );

  it.each(['outcome-unknown', 'answered'] as const)('cannot be withdrawn when %s', (certainty) => {
    const call = new Call('the call', {}, shared());
    call.certainty = certainty;
    expect(call.withdraw()).toBe(false);
    expect(call.abandoned).toBeUndefined();
    call.done();
  });
});
