import { expect, it } from 'vitest';
import { Picture, type CallPicture, type RecordedLine } from '../../src/index.ts';
import { chainOf } from '../../src/shown.ts';

const server = 'search';
const lost = { code: 'connection-lost', message: 'socket hang up' };
const tools = [
  { name: 'search', annotations: { readOnlyHint: true } },
  { name: 'reindex', annotations: {} },
];

function pictureOf(...lines: readonly RecordedLine[]): Picture {
  const picture = new Picture();
  picture.apply({ type: 'state', server, at: 1, state: 'ready' });
  picture.apply({ type: 'catalogue', server, at: 1, kind: 'tools', items: tools });
  for (const line of lines) picture.apply(line);
  return picture;
}

function titlesOf(picture: Picture, call = 1): string[] {
  const found = picture.find(call) as CallPicture;
  return chainOf(found, picture.servers.get(server)).map(({ title, why }) => `${title} | ${why}`);
}

const called = (name: string): RecordedLine[] => [
  { type: 'call', server, at: 10, call: 1, method: 'tools/call', name },
  { type: 'attempt', server, at: 11, call: 1, attempt: 1 },
];
const loss: RecordedLine = { type: 'state', server, at: 20, state: 'reconnecting', reason: lost };

it('says that a call was sent again after a loss, and why that was safe', () => {
  const picture = pictureOf(
    ...called('search'),
    loss,
    { type: 'state', server, at: 30, state: 'ready' },
    { type: 'attempt', server, at: 31, call: 1, attempt: 2 },
    { type: 'end', server, at: 40, call: 1, outcome: 'result', durationMs: 30 },
  );
  expect(titlesOf(picture)).toEqual([
    'Called | undefined',
    'Sent | undefined',
    'Connection lost | undefined',
    'Sent again, attempt 2 | Its tool only reads (readOnlyHint).',
    'Answered | It ran, and this is its result.',
  ]);
});

it('says that a call was not sent again, and why', () => {
  const error = { ...lost, certainty: 'outcome-unknown' } as const;
  const picture = pictureOf(...called('reindex'), loss, {
    type: 'end',
    server,
    at: 21,
    call: 1,
    outcome: 'error',
    durationMs: 11,
    error,
  });
  expect(titlesOf(picture)).toEqual([
    'Called | undefined',
    'Sent | undefined',
    'Connection lost | undefined',
    'Not sent again: outcome-unknown | It may have run, and it is not known to be safe to run twice. Look at the server first.',
  ]);
});

it('does not blame the connection for what the server refused, or a person cancelled', () => {
  const ended = (code: string, certainty: 'refused' | 'outcome-unknown'): RecordedLine => ({
    type: 'end',
    server,
    at: 21,
    call: 1,
    outcome: 'error',
    durationMs: 11,
    error: { code, certainty, message: 'said so' },
  });
  expect(titlesOf(pictureOf(...called('reindex'), ended('forbidden', 'refused'))).at(-1)).toBe(
    'Not sent again: refused | The server refused it, so it did not run. Call it again when the reason is gone.',
  );
  const cancelled = titlesOf(pictureOf(...called('reindex'), ended('aborted', 'outcome-unknown')));
  expect(cancelled.at(-1)).toBe(
    'Ended: outcome-unknown | It was cancelled here. It was sent. Nobody knows whether it ran.',
  );
  expect(cancelled.join()).not.toContain('Connection lost');
  const own = titlesOf(pictureOf(...called('reindex'), ended('constructor', 'refused')));
  expect(own.at(-1)).toContain('Not sent again: refused | The server refused it');
});

it('says that a call waits for a connection', () => {
  const picture = pictureOf(loss, { type: 'call', server, at: 22, call: 1, method: 'tools/call' });
  expect(titlesOf(picture).at(-1)).toBe('Not sent yet | The connection is reconnecting.');
});
