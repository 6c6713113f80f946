import { afterEach, expect, it } from 'vitest';
import { EventSource } from 'eventsource';
import { effect } from '@preact/signals';
import type { RecordedLine } from '@longwire/recording';
import { startDevServer } from '../../dev/serve.mjs';
import { Feed, type EventSourceLike, type Liveness } from '../../src/state/feed.ts';

const open: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of open.splice(0).toReversed()) await close();
});

type DevServer = Awaited<ReturnType<typeof startDevServer>>;

async function start(port = 0): Promise<DevServer> {
  const server = await startDevServer({ port, isMoving: false });
  let isClosed = false;
  const close = async (): Promise<void> => {
    if (!isClosed) await server.close();
    isClosed = true;
  };
  open.push(close);
  return { ...server, close };
}

function follow(
  { url }: DevServer,
  { now = Date.now }: { now?: () => number } = {},
): { feed: Feed; draws: () => number } {
  let draws = 0;
  const feed = new Feed({
    now,
    open: () => new EventSource(`${url}api/stream`) as EventSourceLike,
    beforeDraw: (run) => {
      setImmediate(() => {
        draws++;
        run();
      });
    },
    diagnose: async () => 'it was asked why',
  });
  open.push(() => feed.stop());
  feed.start();
  return { feed, draws: () => draws };
}

/** Waits until what is read of signals is so. */
function until(is: () => boolean): Promise<void> {
  return new Promise((resolve) => {
    const stop = effect(() => {
      if (!is()) return;
      resolve();
      queueMicrotask(() => stop());
    });
  });
}

const lines = (count: number, from = 0): RecordedLine[] =>
  Array.from({ length: count }, (_, index) => ({
    type: 'notification',
    server: 'one',
    at: from + index,
    method: 'notifications/message',
  }));

it('has the picture of the server, and draws many lines at once', async () => {
  const server = await start();
  server.say([{ type: 'state', server: 'one', at: 1, state: 'ready' }]);
  const { feed, draws } = follow(server);
  await until(() => feed.liveness.value.state === 'live' && feed.version('servers').value > 0);
  expect(feed.picture.servers.get('one')?.states.at(-1)?.state).toBe('ready');
  const before = draws();
  const callsBefore = feed.version('calls').value;
  server.say(lines(500));
  await until(() => feed.version('events').value > 0 && feed.picture.events.length === 500);
  expect(draws() - before).toBeLessThan(20);
  // Events are no calls: whoever draws those draws nothing.
  expect(feed.version('calls').value).toBe(callsBefore);
});

it('counts time by the clock of the server, which the times of its picture are by', async () => {
  const server = await start();
  const before = Date.now();
  // A browser on a machine whose clock is an hour late.
  const { feed } = follow(server, { now: () => Date.now() - 3_600_000 });
  await until(() => feed.liveness.value.state === 'live' && feed.version('servers').value > 0);
  expect(feed.serverTime).toBeGreaterThanOrEqual(before);
  expect(feed.serverTime).toBeLessThan(before + 600_000);
});

it('says since when it is not live, and has everything again when the server is back', async () => {
  const server = await start();
  const { feed } = follow(server);
  await until(() => feed.liveness.value.state === 'live');
  server.say(lines(3));
  await until(() => feed.version('events').value > 0 && feed.picture.events.length === 3);
  const before = Date.now();
  await server.close();
  await until(() => feed.liveness.value.state === 'not-live');
  const { value } = feed.liveness;
  expect(value.since).toBeGreaterThanOrEqual(before - 1000);
  expect(value).toHaveProperty('why', 'The server of this page ended.');
  // What was there is still shown.
  expect(feed.picture.events).toHaveLength(3);

  const again = await start(server.port);
  again.say(lines(7));
  feed.reopen('try now');
  await until(() => feed.liveness.value.state === 'live');
  await until(() => feed.version('events').value > 0 && feed.picture.events.length === 7);
});

it('goes on where it was when only the stream was lost', async () => {
  const server = await start();
  const { feed } = follow(server);
  await until(() => feed.liveness.value.state === 'live');
  server.say(lines(2));
  await until(() => feed.version('events').value > 0 && feed.picture.events.length === 2);
  const { picture } = feed;
  server.cut();
  await until(() => feed.liveness.value.state === 'not-live');
  server.say(lines(2, 10));
  await until(() => feed.liveness.value.state === 'live');
  await until(() => feed.version('events').value > 0 && feed.picture.events.length === 4);
  expect(feed.picture).toBe(picture);
});

it('takes silence for a dead connection, says since when, and opens another', async () => {
  const server = await start();
  let laterMs = 0;
  const { feed } = follow(server, { now: () => Date.now() + laterMs });
  await until(() => feed.liveness.value.state === 'live' && feed.version('events').value > 0);
  const seen: Liveness[] = [];
  open.push(effect(() => void seen.push(feed.liveness.value)));
  const heardBefore = Date.now();
  // As after a sleep: no time to be told anything.
  laterMs = 3_600_000;
  await until(() => feed.liveness.value.state === 'not-live');
  await until(() => feed.liveness.value.state === 'live');
  expect(seen.map(({ state }) => state)).toEqual(['live', 'not-live', 'live']);
  expect(seen[1]).toHaveProperty('why', expect.stringMatching(/^Its server was silent for 1 h/));
  expect(seen[1]?.since).toBeLessThanOrEqual(heardBefore);
});
