import type { Random } from '@longwire/testing';
import { isObject, pick, seldom, withProperty, type About, type Table } from './mutation.ts';
import {
  oddSomewhere,
  oddText,
  oddValue,
  withoutSomething,
  withSomethingMore,
} from './odd-values.ts';

const ODD_CURSORS: readonly unknown[] = ['', 0, 1, null, false, {}, [], 'x'.repeat(100_000)];

const ANNOTATIONS: readonly unknown[] = [
  null,
  [],
  'readOnlyHint',
  { readOnlyHint: 'true', destructiveHint: 0 },
  { readOnlyHint: true, destructiveHint: true, idempotentHint: null },
  { title: '\u001b]0;title\u0007' },
];

/** Odd results of the lists of tools, resources, templates and prompts. */
export const LIST_MUTATIONS: Table<unknown> = {
  'not-an-object': (_, random) => oddValue(random),
  'odd-value': oddSomewhere,
  'missing-property': withoutSomething,
  'further-property': withSomethingMore,
  name: (result, random) => changeEntry(result, random, { name: oddText(random) }),
  'name-odd': (result, random) => changeEntry(result, random, { name: oddValue(random) }),
  'names-long': (result, random) =>
    everyEntry(result, 200, (index) => ({ name: `${'n'.repeat(random.below(20_000))}${index}` })),
  'same-names': (result) => everyEntry(result, 100, () => ({ name: 'echo', uri: 'x:y' })),
  description: (result, random) => changeEntry(result, random, { description: oddText(random) }),
  'description-odd': (result, random) =>
    changeEntry(result, random, { description: oddValue(random), title: oddValue(random) }),
  annotations: (result, random) =>
    changeEntry(result, random, { annotations: pick(random, ANNOTATIONS) }),
  uri: (result, random) =>
    changeEntry(result, random, { uri: oddText(random), uriTemplate: '{'.repeat(10_000) }),
  meta: (result, random) => changeEntry(result, random, { _meta: oddValue(random) }),
  'prompt-arguments': (result, random) =>
    changeEntry(result, random, { arguments: [oddValue(random), { name: oddText(random) }] }),
  'list-meta': (result, random) => withProperty(result, '_meta', oddValue(random)),
  'entries-odd': (result, random) => insertEntries(result, [null, 1, 'x', [], oddValue(random)]),
  'entries-many': seldom((result) =>
    everyEntry(result, 20_000, (index) => ({ name: `n${index}`, uri: `x:${index}` })),
  ),
  'cursor-same': (result) => withProperty(result, 'nextCursor', 'again'),
  'cursor-odd': (result, random) => withProperty(result, 'nextCursor', pick(random, ODD_CURSORS)),
  'cursor-endless': (result, _, about) =>
    withProperty(result, 'nextCursor', `${Number(cursorOf(about)) + 1}`),
  'pages-large': seldom((result, _, about) =>
    withProperty(
      everyEntry(result, 100, () => ({ description: 'd'.repeat(10_000) })),
      'nextCursor',
      `${Number(cursorOf(about)) + 1}`,
    ),
  ),
  'cache-hints': (result, random) =>
    withProperty(withProperty(result, 'ttlMs', oddValue(random)), 'cacheScope', oddValue(random)),
};

function cursorOf({ params }: About): unknown {
  return params['cursor'] ?? 0;
}

/** Changes the entries of a list, whatever the list holds. */
export function changeEntries(result: unknown, change: (entries: unknown[]) => unknown[]): unknown {
  if (!isObject(result)) return result;
  const changed = Object.entries(result).map(([key, value]) => [
    key,
    Array.isArray(value) ? change(value) : value,
  ]);
  return Object.fromEntries(changed);
}

function changeEntry(result: unknown, random: Random, properties: object): unknown {
  const at = random.below(3);
  return changeEntries(result, (entries) =>
    entries.map((entry, index) =>
      index === at % entries.length ? { ...(entry as object), ...properties } : entry,
    ),
  );
}

function everyEntry(
  result: unknown,
  count: number,
  properties: (index: number) => object,
): unknown {
  return changeEntries(result, ([first]) =>
    Array.from({ length: count }, (_, index) => ({ ...(first as object), ...properties(index) })),
  );
}

function insertEntries(result: unknown, odd: unknown[]): unknown {
  return changeEntries(result, (entries) => [...odd, ...entries, ...odd]);
}
