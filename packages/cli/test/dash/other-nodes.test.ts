import { PassThrough } from 'node:stream';
import type { RecordedLine } from '@longwire/recording';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { LineLog } from '../../src/dash/line-log.ts';
import { OtherNodes } from '../../src/dash/other-nodes.ts';
import type { PageMessage } from '../../src/dash/page-messages.ts';

beforeEach(() => {
  vi.useFakeTimers({
    toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance', 'Date'],
  });
});
afterEach(() => {
  vi.useRealTimers();
});

const server = 'server@b';
const ready: RecordedLine = { type: 'state', at: 1, server, state: 'ready' };

/** The page of a node, and what it has sent to node `b`. */
function paged() {
  const log = new LineLog({ now: Date.now, about: () => ({}) });
  const own: RecordedLine = { type: 'state', at: 1, server: 'server@a', state: 'ready' };
  log.add(own, JSON.stringify(own));
  const sent: PageMessage[] = [];
  let isAway = false;
  const others = new OtherNodes({
    nodes: {
      others: async () => {
        if (isAway) throw new Error('the store is away');
        return ['b'];
      },
    },
    send: async (_to, message) => {
      sent.push(message);
      return true;
    },
    log,
  });
  log.feed.onRead = (isRead) => others.setRead(isRead);
  const look = (): string => {
    const follow = sent.findLast((message) => message.kind === 'look');
    if (follow === undefined) throw new Error('it follows nobody');
    return follow.look;
  };
  return {
    log,
    others,
    sent,
    setAway(now: boolean): void {
      isAway = now;
    },
    async read(): Promise<PassThrough> {
      const reader = new PassThrough().resume();
      log.feed.attach(reader);
      await vi.advanceTimersByTimeAsync(0);
      return reader;
    },
    /** Node `b` shows all of it, which is this. */
    picture(number: number, missed = 0): void {
      const other = new LineLog({ now: Date.now, about: () => ({}) });
      other.add(ready, '');
      const [found] = other.picture.toJSON().servers;
      const excerpt = { server: { ...found }, calls: [], events: [] };
      others.received({ kind: 'picture', look: look(), number, excerpt, missed }, 'b');
    },
    lines(number: number, ...lines: RecordedLine[]): void {
      others.received({ kind: 'lines', look: look(), number, lines }, 'b');
    },
    async [Symbol.asyncDispose](): Promise<void> {
      others.close();
      await log.feed.close();
    },
  };
}

const begin: RecordedLine = { type: 'call', at: 2, server, call: 1, method: 'tools/call' };
const end: RecordedLine = { type: 'end', at: 3, server, call: 1, outcome: 'result', durationMs: 1 };

it('shows what comes after a picture, in order, also before that is shown', async () => {
  await using page = paged();
  await page.read();
  page.picture(1, 3);
  page.lines(2, begin);
  await vi.advanceTimersByTimeAsync(200);
  page.lines(3, end);
  expect(page.log.picture.servers.get(server)).toMatchObject({ inFlight: 0, totals: { calls: 1 } });
  expect(page.log.picture.lost).toBe(3);
  expect(page.others.has(page.log.picture.ended[0]?.call ?? 0)).toBe(true);
});

it('asks again where something is missing, and takes nothing until then', async () => {
  await using page = paged();
  await page.read();
  page.picture(1);
  await vi.advanceTimersByTimeAsync(200);
  page.lines(3, begin);
  expect(page.sent.at(-1)).toMatchObject({ kind: 'look', again: true });
  expect([...page.log.picture.inFlight]).toEqual([]);
  page.picture(4);
  page.lines(5, begin);
  await vi.advanceTimersByTimeAsync(200);
  expect([...page.log.picture.inFlight]).toHaveLength(1);
});

it('takes nothing that was asked for by another look', async () => {
  await using page = paged();
  await page.read();
  const lines = [begin];
  page.others.received({ kind: 'lines', look: 'another', number: 1, lines }, 'b');
  expect(page.log.picture.servers.has(server)).toBe(false);
});

it('says that nothing is known of others while the store is away, and asks for all of it afterwards', async () => {
  await using page = paged();
  await page.read();
  page.picture(1);
  await vi.advanceTimersByTimeAsync(200);
  page.setAway(true);
  await vi.advanceTimersByTimeAsync(5_000);
  const states = (): unknown[] =>
    page.log.picture.servers
      .get(server)
      ?.states.map(({ state, reason }) => [state, reason?.code]) ?? [];
  expect(states()).toEqual([
    ['ready', undefined],
    ['reconnecting', 'cluster-away'],
  ]);
  expect(page.log.picture.servers.get('server@a')?.states).toMatchObject([{ state: 'ready' }]);
  page.setAway(false);
  await vi.advanceTimersByTimeAsync(2_000);
  expect(page.sent.at(-1)).toMatchObject({ kind: 'look', again: true });
  page.picture(2);
  await vi.advanceTimersByTimeAsync(200);
  expect(states()).toEqual([['ready', undefined]]);
});

it('shows a node that was taken for gone once it is heard again', async () => {
  await using page = paged();
  await page.read();
  page.picture(1);
  page.lines(2, begin);
  page.others.gone('b');
  expect(page.log.picture.servers.get(server)?.states.at(-1)?.state).toBe('closed');
  expect(page.log.picture.ended).toMatchObject([{ end: { error: { code: 'node-gone' } } }]);
  page.lines(3, end);
  expect(page.sent.at(-1)).toMatchObject({ kind: 'look', again: true });
  page.picture(4);
  await vi.advanceTimersByTimeAsync(200);
  expect(page.log.picture.servers.get(server)?.states.at(-1)?.state).toBe('ready');
});

it('shows a node that is gone for a minute', async () => {
  await using page = paged();
  const reader = await page.read();
  page.picture(1);
  page.others.gone('b');
  await vi.advanceTimersByTimeAsync(50_000);
  expect(page.log.picture.servers.get(server)?.known.removed).toBeUndefined();
  await vi.advanceTimersByTimeAsync(15_000);
  expect(page.log.picture.servers.get(server)?.known.removed).toBe(true);
  reader.destroy();
  await vi.advanceTimersByTimeAsync(10_000);
  expect([...page.log.picture.servers.keys()]).toEqual(['server@a']);
});

it('goes on while a page is loaded anew, and forgets others when nobody looks', async () => {
  await using page = paged();
  const first = await page.read();
  page.picture(1);
  await vi.advanceTimersByTimeAsync(200);
  first.destroy();
  await vi.advanceTimersByTimeAsync(1_000);
  const again = await page.read();
  await vi.advanceTimersByTimeAsync(10_000);
  expect(page.log.picture.servers.has(server)).toBe(true);
  again.destroy();
  await vi.advanceTimersByTimeAsync(10_000);
  expect(page.sent.at(-1)).toMatchObject({ kind: 'stop' });
  expect([...page.log.picture.servers.keys()]).toEqual(['server@a']);
  const { length } = page.sent;
  await vi.advanceTimersByTimeAsync(60_000);
  expect(page.sent).toHaveLength(length);
});
