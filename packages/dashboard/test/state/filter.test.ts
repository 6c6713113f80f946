import { expect, it } from 'vitest';
import { pageFilter, serverFilter, within } from '../../src/state/filter.ts';

const search = { server: 'docs', method: 'tools/call', name: 'search', about: ['Finds documents'] };
const fits = (text: string): boolean => pageFilter(text).item(search);

it('looks at tools as far as it is about tools', () => {
  expect(['', 'tool:search', 'server:docs finds', '-tool:write'].map(fits)).not.toContain(false);
  expect(['tool:write', '-server:docs', 'nowhere', 'prompt:search'].map(fits)).not.toContain(true);
  expect(fits('tool:search status:error -certainty:"not-sent" duration:>500ms')).toBe(true);
  expect(pageFilter('statsu:error').problems).toHaveLength(1);
});

it('sees a call again as long as it runs, and once when it ended', () => {
  const { call: fitsCall } = pageFilter('duration:>1s');
  const call = { call: 1, server: 'docs', method: 'tools/call', at: 0, attempts: [] };
  expect([fitsCall(call, 500), fitsCall(call, 1500)]).toEqual([false, true]);
});

it('names one server, whatever it is called', () => {
  for (const server of ['docs', 'a b', 'a:b']) {
    const { item } = pageFilter(serverFilter(server));
    expect([item({ ...search, server }), item({ ...search, server: 'other' })]).toEqual([
      true,
      false,
    ]);
  }
});

it('lets through what ran and what happened within a time', () => {
  const {
    call: fitsCall,
    event: fitsEvent,
    isEmpty,
  } = within(pageFilter(''), { from: 100, to: 200 });
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
