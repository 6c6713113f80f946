import * as conventions from '@opentelemetry/semantic-conventions/incubating';
import { expect, test } from 'vitest';
import * as names from '../../src/telemetry/names.ts';

test('every name is of the conventions, or says that it is ours', () => {
  const known = new Set<unknown>(Object.values(conventions));
  const ours = new Set(['longwire.certainty', 'longwire.transport', 'longwire.attempt']);
  for (const name of ['longwire.cache', 'longwire.target', 'longwire.state', 'longwire.breaker'])
    ours.add(name);
  const given = Object.values(names).filter((value) => typeof value === 'string');
  expect(given.length).toBeGreaterThan(20);
  expect(given.filter((name) => !known.has(name) && !ours.has(name))).toEqual([]);
  expect(names.OTHER).toBe(conventions.ERROR_TYPE_VALUE_OTHER);
});
