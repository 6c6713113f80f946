import { pino } from 'pino';
import { expect, it } from 'vitest';
import type { CatchUpSink } from '../../src/events/sink.ts';
import { SessionStreams } from '../../src/sessions/session-streams.ts';

it('a reader that is told what it missed ends after that, and not before', async () => {
  let read = (): void => {};
  const events = {
    append: () => {},
    readAfter: () =>
      new Promise<{ events: []; isComplete: true }>((resolve) => {
        read = () => resolve({ events: [], isComplete: true });
      }),
    delete: () => {},
  };
  const requests = { runningOn: () => 0, answeredOn: () => [] };
  const log = pino({ level: 'silent' });
  const streams = new SessionStreams(
    { id: 'one', log, requests },
    { events: events as never, maxMessageBytes: 1_000 },
  );
  const told: string[] = [];
  const sink: CatchUpSink = {
    send: () => undefined,
    catchUp: () => told.push('caught up'),
    complete: () => told.push('complete'),
    close: () => told.push('closed'),
    cut: () => told.push('cut'),
  };
  const resumed = streams.resume(1, sink, 0);
  // The last of its requests is answered while the log is read.
  streams.complete(1);
  expect(told).toEqual([]);
  read();
  await resumed;
  expect(told).toEqual(['caught up', 'complete']);
  expect(streams.size).toBe(0);
});
