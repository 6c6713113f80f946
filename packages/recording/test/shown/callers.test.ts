import { expect, it } from 'vitest';
import { Picture } from '@longwire/recording';
import { callersOf } from '@longwire/recording/shown';

it('counts the calls to one server by caller, those with most first', () => {
  const picture = new Picture();
  const make = (server: string, ...callers: (string | undefined)[]): void => {
    for (const who of callers) {
      const call = picture.at + 1;
      const by = who === undefined ? {} : { by: { who } };
      picture.apply({ type: 'call', server, at: call, call, method: 'tools/call', ...by });
      if (call % 2 === 0) {
        const end = { type: 'end', server, at: call, call, durationMs: 1 } as const;
        picture.apply({ ...end, outcome: 'result' });
      }
    }
  };
  make('one', 'ann', 'ben', 'ben', undefined);
  make('two', 'carl');
  const all = [...picture.inFlight, ...picture.ended];
  expect(callersOf(all, 'one')).toEqual({
    most: [
      ['ben', 2],
      ['ann', 1],
    ],
    others: 0,
  });
  make('two', 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'g');
  const many = callersOf([...picture.inFlight, ...picture.ended], 'two');
  expect([many.most[0], many.most.length, many.others]).toEqual([['g', 2], 6, 2]);
});
