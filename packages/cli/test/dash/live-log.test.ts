import { setImmediate as nextTurn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { createRecorder, type RecordableRequest, type RecordedLine } from '@longwire/recording';
import { expect, it } from 'vitest';
import { LiveLog } from '../../src/dash/live-log.ts';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

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

it('keeps no text as a whole of which it shows the beginning', async () => {
  const log = new LiveLog({ canCall: false, hasValues: true });
  const recorder = createRecorder({ write: (line) => log.add(line) });
  const run = recorder.middleware('one');
  const length = 500_000;
  // As if it had come over the wire.
  const large = (): string => JSON.parse(JSON.stringify('x'.repeat(length))) as string;
  const heapBytes = (): number => {
    collectGarbage();
    return process.memoryUsage().heapUsed;
  };
  const before = heapBytes();
  const count = 100;
  for (let call = 0; call < count; call++) {
    const request: RecordableRequest = {
      method: large(),
      params: { name: large() },
      internal: false,
      signal: new AbortController().signal,
      route: { id: large() },
      redact: (text) => text,
      abort: () => undefined,
    };
    await run(request, async () => {
      request.onSent?.();
      return { result: { content: [{ type: 'text', text: large() }] } };
    });
    log.flush();
  }
  const { ended } = log.log.picture;
  expect(ended).toHaveLength(count);
  expect(ended[0]).toMatchObject({
    method: 'x'.repeat(2000),
    attempts: [{ id: 'x'.repeat(256) }],
    end: { result: { bytes: expect.any(Number) as number } },
  });
  expect(heapBytes() - before).toBeLessThan(count * length * 0.4);
  await log.log.feed.close();
});
