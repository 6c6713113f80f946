import { expect, it } from 'vitest';
import { comparePictures } from '../src/index.ts';
import { pictureOf, type ShortLine } from './support/picture-of.ts';

const search = {
  name: 'search',
  description: 'Finds.',
  inputSchema: { type: 'object', required: ['a'] },
};
const tools = (...items: Record<string, unknown>[]): ShortLine => ({
  type: 'catalogue',
  kind: 'tools',
  items,
});

/** So many calls of a tool, which take so long. */
function calls(name: string, count: number, durationMs: number): ShortLine[] {
  return Array.from({ length: count }, (_, call): ShortLine[] => [
    { type: 'call', call, method: 'tools/call', name },
    { type: 'end', call, outcome: 'result', durationMs },
  ]).flat();
}

it('says what the catalogue gained, lost and changed', () => {
  const before = pictureOf(
    { type: 'state', state: 'ready', server: 'old' },
    tools(
      search,
      { name: 'write', description: 'Writes.' },
      { name: 'same', a: [1, { b: 2, c: 3 }] },
    ),
    { type: 'catalogue', kind: 'resources', items: [{ uri: 'file:///a', name: 'x' }] },
    { type: 'catalogue', kind: 'prompts', items: [] },
  );
  const after = pictureOf(
    { type: 'state', state: 'ready', server: 'new' },
    tools(
      {
        ...search,
        inputSchema: { type: 'object', required: ['a', 'b'] },
        annotations: { readOnlyHint: true },
      },
      { name: 'read' },
      { a: [1, { c: 3, b: 2 }], name: 'same' },
    ),
    { type: 'catalogue', kind: 'resources', items: [{ uri: 'file:///a', name: 'x' }] },
    { type: 'catalogue', kind: 'templates', items: [{ uriTemplate: 'file:///{x}' }] },
  );
  const { gainedServers, lostServers, catalogues } = comparePictures(before, after);
  expect({ gainedServers, lostServers }).toEqual({ gainedServers: ['new'], lostServers: ['old'] });
  expect(catalogues).toMatchObject([
    {
      server: 'market',
      kind: 'tools',
      gained: ['read'],
      lost: ['write'],
      changed: [{ name: 'search', members: ['inputSchema', 'annotations'], before: search }],
    },
  ]);
  expect(catalogues).toHaveLength(1);
  expect(comparePictures(before, before).catalogues).toEqual([]);
});

it('says which calls became slower', () => {
  const before = pictureOf(
    ...calls('slow', 10, 100),
    ...calls('fast', 10, 100),
    ...calls('same', 10, 100),
    ...calls('tail', 100, 100),
    ...calls('rare', 2, 100),
    ...calls('gone', 10, 100),
  );
  const after = pictureOf(
    ...calls('slow', 10, 150),
    ...calls('fast', 10, 50),
    ...calls('same', 10, 105),
    ...calls('tail', 90, 100),
    ...calls('tail', 10, 900),
    ...calls('rare', 2, 900),
  );
  const { latencies } = comparePictures(before, after);
  const verdicts = latencies.map(({ tool, verdict }) => [tool, verdict]);
  expect(Object.fromEntries(verdicts.filter(([tool]) => tool !== undefined))).toEqual({
    slow: 'slower',
    fast: 'faster',
    same: 'same',
    tail: 'slower',
    rare: 'unknown',
  });
  expect(verdicts.slice(0, 2).every(([, verdict]) => verdict === 'slower')).toBe(true);
  const slow = latencies.find(({ tool }) => tool === 'slow');
  expect(slow).toMatchObject({ server: 'market', before: { count: 10 }, after: { count: 10 } });
  expect(slow?.before.p50Ms).toBeGreaterThan(90);
  expect(slow?.before.p95Ms).toBeLessThan(110);
});

it('says which errors are new and which are gone', () => {
  const failed = (name: string, code: string): ShortLine[] => [
    { type: 'call', call: 1, method: 'tools/call', name },
    { type: 'end', call: 1, outcome: 'error', durationMs: 1, error: { code, message: 'no' } },
  ];
  const toolError: ShortLine[] = [
    { type: 'call', call: 1, method: 'tools/call', name: 'search' },
    { type: 'end', call: 1, outcome: 'tool-error', durationMs: 1 },
  ];
  const read = (uri: string): ShortLine[] => [
    { type: 'call', call: 1, method: 'resources/read', name: uri },
    { type: 'end', call: 1, outcome: 'error', durationMs: 1, error: { code: 'x', message: 'no' } },
  ];
  const elsewhere: ShortLine[] = failed('search', 'timeout').map((line) => ({
    ...line,
    server: 'only after',
  }));
  const before = pictureOf(
    ...calls('search', 3, 1),
    ...failed('search', 'timeout'),
    ...toolError,
    ...read('file:///a'),
  );
  const after = pictureOf(
    ...failed('search', 'closed'),
    ...toolError,
    ...toolError,
    ...read('file:///b'),
    ...elsewhere,
  );
  const errors = comparePictures(before, after).errors.map(
    ({ tool, method, code, verdict, before: then, after: now }) =>
      `${verdict}: ${tool ?? method} ${code} ${then.errors}/${then.calls} ${now.errors}/${now.calls}`,
  );
  expect(errors).toEqual([
    'new: search closed 0/5 1/3',
    'gone: search timeout 1/5 0/3',
    'both: search tool-error 1/5 2/3',
    'both: resources/read x 1/1 1/1',
  ]);
});
