import { expect, it } from 'vitest';
import { parseFilter, type CallPicture } from '@longwire/recording';
import { viewFilter } from '@longwire/recording/shown';
import {
  countOf,
  durationBuckets,
  durationValues,
  toolLatencies,
} from '../../src/calls/latency.ts';
import { filterValues, withTerm } from '../../src/state/filter.ts';

let number = 0;
function call(
  durationMs: number,
  {
    server = 'one',
    name = 'search',
    method = 'tools/call',
    outcome = 'result',
  }: { server?: string; name?: string; method?: string; outcome?: 'result' | 'error' } = {},
): CallPicture {
  const end = { at: 0, outcome, durationMs };
  return { call: ++number, server, method, name, at: 0, attempts: [], end };
}

it('counts calls by how long they took, and says the filter that finds them', () => {
  const calls = [0, 0.3, 1, 1.1, 5, 5.001, 7, 61_000].map((durationMs) => call(durationMs));
  const failed = call(6, { outcome: 'error' });
  const inFlight = { ...call(3), end: undefined } as unknown as CallPicture;
  const all = [...calls, failed, inFlight];
  const buckets = durationBuckets(all);
  const filled = buckets.filter((bucket) => countOf(bucket) > 0);
  expect(filled.map((bucket) => [bucket.toMs, countOf(bucket)])).toEqual([
    [1, 3],
    [2, 1],
    [5, 1],
    [10, 3],
    [Infinity, 1],
  ]);
  expect(filled.find(({ toMs }) => toMs === 10)?.counts).toMatchObject({ result: 2, error: 1 });
  for (const bucket of buckets) {
    const found = viewFilter(withTerm('', 'duration', durationValues(bucket)));
    expect(found.problems).toEqual([]);
    expect(all.filter((one) => one.end && found.call(one, 0))).toHaveLength(countOf(bucket));
  }
  expect(durationBuckets([inFlight])).toEqual([]);
});

it('says of each tool, and of each other method, how long it took', () => {
  const hundred = Array.from({ length: 100 }, (_, index) => call(index + 1));
  const calls = [
    ...hundred.toReversed(),
    call(9, { outcome: 'error', name: 'write' }),
    call(2, { server: 'another' }),
    call(4, { method: 'resources/read', name: 'file:///a' }),
    call(8, { method: 'resources/read', name: 'file:///b' }),
  ];
  expect(toolLatencies(calls)).toMatchObject([
    { server: 'another', name: 'search', count: 1 },
    { server: 'one', key: 'tool', name: 'search', count: 100, p50Ms: 50, p95Ms: 95, maxMs: 100 },
    { server: 'one', key: 'tool', name: 'write', count: 1, errors: 1 },
    { server: 'one', key: 'method', name: 'resources/read', count: 2, p50Ms: 4, maxMs: 8 },
  ]);
});

it('replaces the terms of one key, and keeps what else is written', () => {
  const text = 'tool:a "two words" -tool:b duration:>5ms duration:<=10ms status:error';
  const without = 'tool:a "two words" -tool:b status:error';
  expect(withTerm(text, 'duration', [])).toBe(without);
  expect(withTerm(text, 'duration', ['>1s'])).toBe(`${without} duration:>1s`);
  expect(filterValues(text, 'duration')).toEqual(['>5ms', '<=10ms']);
  expect(filterValues(text, 'tool')).toEqual(['a']);
  expect(parseFilter(withTerm('', 'tool', ['"a, b"'])).problems).toEqual([]);
});
