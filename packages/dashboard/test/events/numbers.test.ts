import { expect, it } from 'vitest';
import type { EventPicture } from '@longwire/recording';
import { alignedData, numberNames, numbersIn, seriesOf } from '../../src/events/numbers.ts';

let seq = 0;
function event(params: unknown, given: { server?: string; at?: number; method?: string } = {}) {
  const { server = 'one', at = 0, method = 'notifications/message' } = given;
  return { type: 'notification', server, at, method, params, seq: ++seq } as EventPicture;
}
const said = (data: unknown, given?: { server?: string; at?: number }): EventPicture =>
  event({ level: 'info', data }, given);

it('finds the numbers of log messages and of other notifications', () => {
  const data = { cpu: 0.5, memory: { usedMb: 900, free: { pages: 3 } }, text: '7', list: [1] };
  expect(Object.fromEntries(numbersIn(said(data)))).toEqual({
    cpu: 0.5,
    'memory.usedMb': 900,
    'memory.free.pages': 3,
  });
  expect([...numbersIn(said(42))]).toEqual([['value', 42]]);
  const other = event({ queue: 7, _meta: { n: 1 } }, { method: 'notifications/queue' });
  expect([...numbersIn(other)]).toEqual([['queue', 7]]);
  for (const none of [undefined, null, 'text', [1, 2], { cut: '{"a":1', bytes: 9 }]) {
    expect(numbersIn(event(none, { method: 'm' })).size).toBe(0);
  }
  const error = { type: 'error', server: 'one', at: 0, seq: 1 } as EventPicture;
  expect(numbersIn(error).size).toBe(0);
});

it('finds no more than a bounded part of what a server makes up', () => {
  const many = Object.fromEntries(Array.from({ length: 100_000 }, (_, index) => [`n${index}`, 1]));
  expect(numbersIn(said(many)).size).toBe(200);
  let deep: unknown = 1;
  for (let depth = 0; depth < 50_000; depth++) deep = { a: deep };
  expect(numbersIn(said(deep)).size).toBe(0);
  expect(numbersIn(said({ ['n'.repeat(5000)]: 1 })).size).toBe(0);
  expect([...numbersIn(said(JSON.parse('{"__proto__":1,"constructor":2}')))]).toEqual([
    ['__proto__', 1],
    ['constructor', 2],
  ]);
});

it('offers what comes most often first', () => {
  const events = [said({ rare: 1, often: 1 }), said({ often: 2 }), said({ another: 2, often: 3 })];
  expect(numberNames(events)).toEqual(['often', 'another', 'rare']);
});

it('has a line for each server, on one scale of time', () => {
  const events = [
    said({ cpu: 1 }, { at: 1000 }),
    said({ cpu: 2 }, { at: 1500, server: 'two' }),
    said({ memory: 3 }, { at: 1600 }),
    said({ cpu: 4 }, { at: 2000 }),
    said({ cpu: 5 }, { at: 2000, server: 'two' }),
    // Its clock was set back.
    said({ cpu: 6 }, { at: 1200, server: 'two' }),
  ];
  const series = seriesOf('cpu', events);
  expect(series).toEqual([
    { server: 'one', times: [1000, 2000], values: [1, 4] },
    { server: 'two', times: [1500, 2000, 2000], values: [2, 5, 6] },
  ]);
  expect(alignedData(series)).toEqual([
    [1, 1.5, 2],
    [1, null, 4],
    [null, 2, 6],
  ]);
  expect(alignedData([])).toEqual([[]]);
});
