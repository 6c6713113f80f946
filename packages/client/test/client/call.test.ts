import { describe, expect, it, vi } from 'vitest';
import { CallClock } from '../../src/client/call-clock.ts';
import { Call, ticketKey, type Ticket } from '../../src/client/call.ts';
import { failureOf } from '../support/failure-of.ts';

const surroundings = () => ({
  clock: new CallClock(),
  onListenerError: vi.fn<(error: unknown) => void>(),
});

describe('a call with a ticket', () => {
  it('has the time that is left since the program made it', () => {
    const madeAt = performance.now() - 100;
    const ticket: Ticket = { madeAt };
    const options = { timeoutMs: 500, deadlineMs: 550, [ticketKey]: ticket };
    const call = new Call('the call', options, surroundings());
    expect(ticket.call).toBe(call);
    expect(call.dueAt).toBe(madeAt + 500);
    call.onProgress({ progress: 1 });
    expect(call.dueAt).toBe(madeAt + 550);
    call.done();
  });

  it.each(['not-sent', 'refused'] as const)(
    'can be withdrawn while it is %s',
    async (certainty) => {
      const call = new Call('the call', {}, surroundings());
      const failure = failureOf(call.before(new Promise(() => {})));
      call.certainty = certainty;
      expect(call.withdraw()).toBe(true);
      expect(await failure).toMatchObject({ code: 'aborted', certainty });
      expect(call.withdraw(), 'it has ended').toBe(false);
      call.done();
    },
  );

  it.each(['outcome-unknown', 'answered'] as const)('cannot be withdrawn when %s', (certainty) => {
    const call = new Call('the call', {}, surroundings());
    call.certainty = certainty;
    expect(call.withdraw()).toBe(false);
    expect(call.abandoned).toBeUndefined();
    call.done();
  });
});
