import { expect, it } from 'vitest';
import { callerFilter, serverFilter, viewFilter } from '../../src/shown.ts';

const search = { server: 'docs', method: 'tools/call', name: 'search', about: ['Finds documents'] };
const fits = (text: string): boolean => viewFilter(text).item(search);

it('looks at tools as far as it is about tools', () => {
  expect(['', 'tool:search', 'server:docs finds', '-tool:write'].map(fits)).not.toContain(false);
  expect(['tool:write', '-server:docs', 'nowhere', 'prompt:search'].map(fits)).not.toContain(true);
  expect(fits('tool:search status:error -certainty:"not-sent" duration:>500ms')).toBe(true);
  expect(viewFilter('statsu:error').problems).toHaveLength(1);
});

it('sees a call again as long as it runs, and once when it ended', () => {
  const { call: fitsCall } = viewFilter('duration:>1s');
  const call = { call: 1, server: 'docs', method: 'tools/call', at: 0, attempts: [] };
  expect([fitsCall(call, 500), fitsCall(call, 1500)]).toEqual([false, true]);
});

it('names one server, whatever it is called', () => {
  for (const server of ['docs', 'a b', 'a:b', 'a"b', 'a "b', 'a\\"b', 'a\\']) {
    const { item } = viewFilter(serverFilter(server));
    expect([item({ ...search, server }), item({ ...search, server: 'other' })]).toEqual([
      true,
      false,
    ]);
  }
});

it('names one caller, whatever it is called, and says nothing of tools', () => {
  for (const who of ['alice', 'a b', 'a"b', 'a" b', '\\"']) {
    const { call: fitsCall, item } = viewFilter(`${callerFilter(who)} tool:write`);
    const call = {
      call: 1,
      server: 'docs',
      method: 'tools/call',
      at: 0,
      attempts: [],
      name: 'write',
    };
    expect(fitsCall({ ...call, by: { who } }, 0)).toBe(true);
    expect(fitsCall({ ...call, by: { who: 'other' } }, 0)).toBe(false);
    expect([item({ ...search, name: 'write' }), item(search)]).toEqual([true, false]);
  }
});
