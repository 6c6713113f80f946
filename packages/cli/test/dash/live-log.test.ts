import { setImmediate as nextTurn } from 'node:timers/promises';
import type { RecordedLine } from '@longwire/recording';
import { expect, it } from 'vitest';
import { LiveLog } from '../../src/dash/live-log.ts';

const said = (method: string): RecordedLine => ({
  type: 'notification',
  at: 1,
  server: 'one',
  method,
});

it('takes lines when what the event loop is at is done, in order', async () => {
  const texts: string[] = [];
  const log = new LiveLog({ canCall: true, hasValues: true, onLine: (text) => texts.push(text) });
  log.add(said('first'));
  await Promise.resolve();
  log.add(said('second'));
  expect(texts).toEqual([]);
  await nextTurn();
  expect(texts.map((text) => JSON.parse(text) as unknown)).toEqual([said('first'), said('second')]);
  expect(log.log.picture.events.map(({ seq }) => seq)).toEqual([1, 2]);
  await log.log.feed.close();
});

it('counts lines that cannot be taken, and takes those after them', async () => {
  const redact = (value: unknown): unknown => {
    if ((value as { method: string }).method === 'bad') throw new Error('it cannot be redacted');
    return value;
  };
  const log = new LiveLog({ canCall: true, hasValues: true, redact });
  for (const method of ['good', 'bad', 'bad', 'good']) log.add(said(method));
  log.flush();
  expect(log.log.picture.events).toHaveLength(2);
  expect(log.log.picture.lost).toBe(2);
  await nextTurn();
  expect(log.log.picture.events).toHaveLength(2);
  await log.log.feed.close();
});
