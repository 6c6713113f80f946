import { expect, it } from 'vitest';
import { comparePictures, Picture, type RecordedLine } from '@longwire/recording';
import { viewFilter } from '@longwire/recording/shown';
import { filtered } from '../../src/compare/filtered.ts';
import { summaryOf } from '../../src/compare/summary.ts';

function pictureOf(...lines: readonly RecordedLine[]): Picture {
  const picture = new Picture();
  for (const line of lines) picture.apply(line);
  return picture;
}

const tools = (server: string, ...names: readonly string[]): RecordedLine => ({
  type: 'catalogue',
  at: 1,
  server,
  kind: 'tools',
  items: names.map((name) => ({ name })),
});

function calls(server: string, name: string, durationMs: number): RecordedLine[] {
  return Array.from({ length: 6 }, (_, call): RecordedLine[] => [
    { type: 'call', at: 1, server, call, method: 'tools/call', name },
    call === 5 && durationMs > 50
      ? { type: 'end', at: 2, server, call, durationMs, outcome: 'tool-error' }
      : { type: 'end', at: 2, server, call, durationMs, outcome: 'result' },
  ]).flat();
}

const before = pictureOf(
  tools('market', 'search', 'old'),
  tools('files', 'read'),
  ...calls('market', 'search', 10),
  ...calls('files', 'read', 10),
);
const after = pictureOf(
  tools('market', 'search', 'new'),
  tools('files', 'read', 'write'),
  ...calls('market', 'search', 90),
  ...calls('files', 'read', 10),
  { type: 'state', at: 3, server: 'third', state: 'ready' },
);

it('says in one sentence what differs', () => {
  const comparison = comparePictures(before, after);
  expect(summaryOf(comparison)).toBe(
    '1 server gained, 2 items gained, 1 item lost, 1 tool slower, 1 error new.',
  );
  expect(summaryOf(comparePictures(before, before))).toBe('No difference.');
});

it('leaves out what does not fit the filter of the page', () => {
  const shown = (text: string): string =>
    summaryOf(filtered(comparePictures(before, after), viewFilter(text).item));
  expect(shown('')).toBe(summaryOf(comparePictures(before, after)));
  expect(shown('server:files')).toBe('1 item gained.');
  expect(shown('tool:search')).toBe('1 tool slower, 1 error new.');
  expect(shown('tool:old')).toBe('1 item lost.');
  expect(shown('server:third')).toBe('1 server gained.');
  // What a filter says of calls says nothing of what differs.
  expect(shown('server:files duration:>5s')).toBe('1 item gained.');
});
