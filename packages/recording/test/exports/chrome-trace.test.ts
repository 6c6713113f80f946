import { describe, expect, it } from 'vitest';
import { toChromeTrace, type ChromeTraceEvent } from '../../src/index.ts';
import { pictureOf, STORY } from '../support/picture-of.ts';

const events = toChromeTrace(pictureOf(...STORY));
const of = (ph: ChromeTraceEvent['ph']): ChromeTraceEvent[] =>
  events.filter((event) => event.ph === ph);

describe('a Chrome trace', () => {
  it('is in the order of its times, from 0 on, and all of it is of a process with a name', () => {
    const times = events.map(({ ts }) => ts);
    expect(times).toEqual([...times].sort((a, b) => a - b));
    expect(times[0]).toBe(0);
    const named = of('M').filter(({ name }) => name === 'process_name');
    expect(named.map(({ pid, args }) => [pid, args?.['name']])).toEqual([
      [1, 'market'],
      [2, 'files'],
    ]);
    expect(new Set(events.map(({ pid }) => pid))).toEqual(new Set([1, 2]));
  });

  it('has the states of a connection one after the other', () => {
    const states = of('X').map(({ name, ts, dur = 0 }) => [name, ts, ts + dur]);
    expect(states).toEqual([
      ['ready', 0, 30_000],
      ['reconnecting', 30_000, 40_000],
      ['ready', 40_000, 160_000],
    ]);
  });

  it('has each call with its attempts inside', () => {
    const call = events.filter(({ id }) => id === 'call 1');
    expect(call.map(({ ph, name, ts }) => [ph, name, ts])).toEqual([
      ['b', 'tools/call search', 10_000],
      ['b', 'attempt 1', 20_000],
      ['e', 'attempt 1', 50_000],
      ['b', 'attempt 2', 50_000],
      ['e', 'attempt 2', 100_000],
      ['e', 'tools/call search', 100_000],
    ]);
    expect(call[3]?.args).toMatchObject({ id: 9, cause: { code: 'connection-lost' } });
    expect(call.at(-1)?.args).toMatchObject({ outcome: 'result' });
    const running = events.filter(({ id }) => id === 'call 3');
    expect(running.at(-1)).toMatchObject({ ph: 'e', ts: 160_000, args: { unfinished: true } });
  });

  it('has notifications and errors', () => {
    expect(of('i').map(({ name, cat }) => [name, cat])).toEqual([
      ['notifications/message', 'notification'],
      ['protocol', 'error'],
    ]);
  });
});
