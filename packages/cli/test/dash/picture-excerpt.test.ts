import { Picture, type RecordedLine } from '@longwire/recording';
import { describe, expect, it } from 'vitest';
import {
  countedFrom,
  excerptOf,
  withExcerpts,
  withoutServers,
} from '../../src/dash/picture-excerpt.ts';

/** A picture of calls to a server, each at its own time: the last one is in flight. */
function pictureOf(server: string, calls: number, from = 0): Picture {
  const picture = new Picture();
  const add = (line: RecordedLine): void => picture.apply(line);
  add({ type: 'server', at: from, server, target: '/mcp' });
  add({ type: 'state', at: from, server, state: 'ready' });
  for (let call = 1; call <= calls; call++) {
    const at = from + call * 10;
    add({ type: 'call', at, server, call, method: 'tools/call', name: 'keep' });
    add({ type: 'notification', at, server, method: `notifications/${call}` });
    if (call === calls) break;
    add({ type: 'end', at: at + 5, server, call, outcome: 'result', durationMs: 5 });
  }
  return picture;
}

describe('a excerpt of a picture', () => {
  it('has all of its server where there is room, and nothing of others', () => {
    const picture = pictureOf('a', 3);
    picture.apply({ type: 'error', at: 1, server: 'b', error: { code: 'x', message: 'x' } });
    const excerpt = excerptOf(picture, 'a', 100_000);
    expect(excerpt?.server).toMatchObject({ name: 'a', inFlight: 1 });
    expect(excerpt?.calls.map(({ call }) => call)).toEqual([1, 2, 3]);
    expect(excerpt?.events.map(({ server }) => server)).toEqual(['a', 'a', 'a']);
    expect(excerptOf(picture, 'nowhere', 100_000)).toBeUndefined();
  });

  it('is bounded: it has the newest', () => {
    const excerpt = excerptOf(pictureOf('a', 5_000), 'a', 20_000);
    expect(JSON.stringify(excerpt).length).toBeLessThan(21_000);
    const calls = excerpt?.calls.map(({ call }) => call) ?? [];
    expect(calls.length).toBeGreaterThan(10);
    expect(calls).toEqual(calls.map((_, index) => 5_001 - calls.length + index));
    expect(excerpt?.events.at(-1)).toMatchObject({ method: 'notifications/5000' });
    expect(excerpt?.server).toMatchObject({ totals: { calls: 4_999 } });
  });

  it('leaves a large catalogue out, and counts no call in flight that it leaves out', () => {
    const picture = pictureOf('a', 1);
    const long = 'x'.repeat(5_000);
    picture.apply({ type: 'catalogue', at: 1, server: 'a', kind: 'tools', items: [{ long }] });
    for (let call = 2; call < 100; call++) {
      picture.apply({ type: 'call', at: call, server: 'a', call, method: long.slice(0, 100) });
    }
    const excerpt = excerptOf(picture, 'a', 5_000);
    expect(excerpt?.server['catalogue']).toEqual({});
    expect(excerpt?.calls.length).toBeLessThan(50);
    expect(excerpt?.server['inFlight']).toBe(excerpt?.calls.length);
  });
});

describe('a picture with excerpts', () => {
  const data = pictureOf('a', 3).toJSON();
  const excerpt = excerptOf(pictureOf('b', 3, 2), 'b', 100_000);
  if (excerpt === undefined) throw new Error('there is a excerpt');
  const moved = { ...excerpt, calls: excerpt.calls.map((call) => countedFrom(100, call)) };

  it('has all calls by their ends, and each event its own place', () => {
    const picture = Picture.from(withExcerpts(data, [moved]));
    expect([...picture.servers.keys()]).toEqual(['a', 'b']);
    expect(picture.ended.map(({ call }) => call)).toEqual([1, 101, 2, 102]);
    expect([...picture.inFlight].map(({ call }) => call)).toEqual([3, 103]);
    const places = picture.events.map(({ seq }) => seq);
    expect(new Set(places).size).toBe(6);
    // It goes on from there.
    picture.apply({ type: 'notification', at: 99, server: 'b', method: 'n' });
    expect(picture.events.at(-1)?.seq).toBe(Math.max(...places) + 1);
    picture.apply({
      type: 'end',
      at: 99,
      server: 'b',
      call: 103,
      outcome: 'result',
      durationMs: 1,
    });
    expect(picture.servers.get('b')).toMatchObject({ inFlight: 0, totals: { calls: 3 } });
  });

  it('has a excerpt in place of the one before, and is without it what it was', () => {
    const twice = withExcerpts(withExcerpts(data, [moved]), [moved]);
    expect(Picture.from(twice).ended).toHaveLength(4);
    const without = withoutServers(twice, new Set(['b']));
    expect({ ...without, seq: 0 }).toEqual({ ...data, seq: 0 });
  });
});

it('a line of another node names its calls by numbers of its own', () => {
  const begin = { type: 'call', at: 1, server: 'a', call: 7, method: 'm' } as const;
  expect(countedFrom(100, { ...begin, by: { call: 6 } })).toEqual({
    ...begin,
    call: 107,
    by: { call: 106 },
  });
  expect(countedFrom(100, { ...begin, by: { who: 'ann' } }).by).toEqual({ who: 'ann' });
  const gap = { type: 'gap', at: 1, count: 3 } as const;
  expect(countedFrom(100, gap)).toBe(gap);
});
