import { viewFilter } from '@longwire/recording/shown';
import { expect, it } from 'vitest';
import { within } from '../../src/state/filter.ts';

it('lets through what ran and what happened within a time', () => {
  const {
    call: fitsCall,
    event: fitsEvent,
    isEmpty,
  } = within(viewFilter(''), { from: 100, to: 200 });
  const ran = (at: number, end?: number): boolean =>
    fitsCall(
      {
        call: 1,
        server: 'docs',
        method: 'tools/call',
        at,
        attempts: [],
        ...(end !== undefined && { end: { at: end, outcome: 'result', durationMs: end - at } }),
      },
      150,
    );
  expect([ran(50, 99), ran(50, 100), ran(120, 130), ran(200, 300), ran(201, 300)]).toEqual([
    false,
    true,
    true,
    true,
    false,
  ]);
  expect([ran(50), ran(160)]).toEqual([true, true]);
  const event = (at: number): boolean =>
    fitsEvent({ type: 'notification', server: 'docs', method: 'm', at, seq: 1 });
  expect([event(99), event(100), event(200), event(201)]).toEqual([false, true, true, false]);
  expect(isEmpty).toBe(false);
});
