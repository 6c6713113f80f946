import { expect, it } from 'vitest';
import { startToolEventsServer } from '../../../../test/support/tool-events-servers.ts';
import { until } from '../../../../test/support/until.ts';
import { EventQueue } from '../../src/group/event-queue.ts';
import type { GroupEvent, GroupEventStream } from '../../src/group/index.ts';
import { failureOf } from '../support/failure-of.ts';
import { groupsOfThisFile } from './support.ts';

const { serve, group: groupOf, closeLater } = groupsOfThisFile();

async function setUp() {
  const [a, b] = [await serve(), await serve()];
  const group = groupOf({ metrics: a.url, logs: b.url });
  await group.connect();
  await group.listTools();
  const say = (server: typeof a, method: string, n: number): void =>
    server.push({ jsonrpc: '2.0', method, params: { n } });
  return { a, b, group, say };
}

/** Reads so many events. */
async function take(events: GroupEventStream, count: number): Promise<GroupEvent[]> {
  const taken: GroupEvent[] = [];
  while (taken.length < count) {
    const { value, done } = await events.next();
    if (done) break;
    taken.push(value);
  }
  return taken;
}

const numbersIn = (events: GroupEvent[]): unknown[] =>
  events.map((event) => (event.type === 'notification' ? event.params?.['n'] : event.type));

it('gives what all servers notify of in one loop, with server and time', async () => {
  const { a, b, group, say } = await setUp();
  const events = group.events({ types: ['notification'] });
  const startedAt = Date.now();
  say(a, 'notifications/message', 1);
  say(b, 'notifications/message', 2);
  const seen: GroupEvent[] = [];
  for await (const event of events) if (seen.push(event) === 2) break;
  expect(new Set(seen.map(({ server }) => server))).toEqual(new Set(['metrics', 'logs']));
  for (const { at } of seen) {
    expect(at).toBeGreaterThanOrEqual(startedAt);
    expect(at).toBeLessThanOrEqual(Date.now());
  }
  // Whoever has left the loop is told nothing more.
  expect(await events.next()).toEqual({ done: true, value: undefined });
});

it('gives several readers what each of them wants', async () => {
  const { a, b, group, say } = await setUp();
  const all = group.events();
  const ofLogs = group.events({ servers: ['l*'] });
  const updates = group.events({ types: ['notifications/resources/*'] });
  const states = group.events({ types: ['state', 'tools-changed'] });
  say(a, 'notifications/resources/updated', 1);
  await take(all, 1);
  say(b, 'notifications/message', 2);
  await take(all, 1);
  say(b, 'notifications/resources/updated', 3);
  await take(all, 1);
  await group.disable('metrics');
  expect(numbersIn(await take(updates, 2))).toEqual([1, 3]);
  expect(numbersIn(await take(ofLogs, 2))).toEqual([2, 3]);
  expect(numbersIn(await take(states, 2))).toEqual(['tools-changed', 'state']);
  await group.close();
  for (const ended of [updates, states]) {
    expect((await take(ended, 9)).every(({ server }) => server === 'logs')).toBe(true);
  }
});

it('gives the events of a server that has events of its own, by their names', async () => {
  const ticker = closeLater(await startToolEventsServer({ kind: 'answers-on-stream' }));
  const group = groupOf({
    ticker: {
      target: `${ticker.url}/sse`,
      options: { headers: { api_key: ticker.apiKey } },
    },
    other: (await serve()).url,
  });
  await group.connect();
  const events = group.events({ types: ['price*'] });
  ticker.push('weather', { rain: true });
  ticker.push('price_change', { n: 1 });
  expect(await take(events, 1)).toMatchObject([
    { server: 'ticker', method: 'notifications/event', params: { event: 'price_change' } },
  ]);
});

it.each([
  { onOverflow: undefined, left: [3, 4], dropped: 2 },
  { onOverflow: 'drop-oldest' as const, left: [3, 4], dropped: 2 },
  { onOverflow: 'drop-newest' as const, left: [1, 2], dropped: 2 },
])(
  'drops and counts what there is no room for: $onOverflow',
  async ({ onOverflow, left, dropped }) => {
    const { a, group, say } = await setUp();
    const types = ['notifications/message'];
    const events = group.events({ types, bufferSize: 2, ...(onOverflow && { onOverflow }) });
    const other = group.events({ types });
    for (const n of [1, 2, 3, 4]) say(a, 'notifications/message', n);
    expect(numbersIn(await take(other, 4))).toEqual([1, 2, 3, 4]);
    expect(events.dropped).toBe(dropped);
    expect(other.dropped).toBe(0);
    expect(numbersIn(await take(events, 2))).toEqual(left);
  },
);

it('fails when there is no room, if that is wanted, once all else was read', async () => {
  const { a, group, say } = await setUp();
  const types = ['notifications/message'];
  const events = group.events({ types, bufferSize: 2, onOverflow: 'error' });
  const other = group.events({ types });
  for (const n of [1, 2, 3, 4]) say(a, 'notifications/message', n);
  await take(other, 4);
  expect(numbersIn(await take(events, 2))).toEqual([1, 2]);
  expect(await failureOf(events.next())).toMatchObject({ code: 'limit-exceeded' });
  expect(events.dropped).toBe(1);
  expect(await events.next()).toEqual({ done: true, value: undefined });
});

it('ends with the group, by the signal, and when the reader leaves', async () => {
  const { a, group, say } = await setUp();
  const controller = new AbortController();
  const bySignal = group.events({ signal: controller.signal });
  const byReader = group.events();
  const byGroup = group.events({ types: ['notifications/message'] });
  const waiting = [bySignal.next(), bySignal.next()];
  controller.abort();
  expect(await Promise.all(waiting)).toEqual(Array(2).fill({ done: true, value: undefined }));
  expect(await byReader.return()).toEqual({ done: true, value: undefined });
  expect(await byReader.next()).toEqual({ done: true, value: undefined });
  const aborted = group.events({ signal: controller.signal });
  expect(await aborted.next()).toEqual({ done: true, value: undefined });

  const counter = group.events({ types: ['notifications/message'] });
  say(a, 'notifications/message', 1);
  await take(counter, 1);
  await group.close();
  // What has come is read still.
  expect(numbersIn(await take(byGroup, 9))).toEqual([1]);
  await until(async () => (await counter.next()).done === true);
});

it.each([
  [{ bufferSize: 0 }, 'bufferSize'],
  [{ onOverflow: 'explode' as never }, 'onOverflow: "explode" is none of'],
  [{ types: [] }, 'types'],
  [{ server: ['a'] } as object, 'server: no such option'],
])('refuses %j', async (options, message) => {
  const group = groupOf({}, { lazy: true });
  expect(() => group.events(options)).toThrow(TypeError);
  expect(() => group.events(options)).toThrow(message);
});

it.each(['drop-oldest', 'drop-newest', 'error'] as const)(
  'keeps no more than 64 MB of events that wait, by %s',
  async (onOverflow) => {
    const queue = new EventQueue({ onOverflow }, () => {});
    const text = 'x'.repeat(30_000_000);
    const push = (n: number, params: Record<string, unknown>): void =>
      queue.push({
        type: 'notification',
        server: 'a',
        at: 0,
        method: 'notifications/message',
        params: { n, ...params },
      } as GroupEvent);
    for (const n of [1, 2, 3]) push(n, { text });
    push(4, { text: text.repeat(3) });
    queue.end();
    const kept = onOverflow === 'drop-oldest' ? [2, 3] : [1, 2];
    expect(numbersIn(await take(queue, 2))).toEqual(kept);
    if (onOverflow === 'error') {
      expect(await failureOf(queue.next())).toMatchObject({ code: 'limit-exceeded' });
    } else {
      expect(queue.dropped).toBe(2);
    }
  },
);
