import { connect } from 'node:net';
import { PassThrough, Writable } from 'node:stream';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { RecordedLine } from '@longwire/recording';
import { expectNothingLeftOpen } from '../../../../test/support/open-handles.ts';
import { until } from '../../../../test/support/until.ts';
import { LineLog } from '../../src/dash/line-log.ts';
import { servePage, type PageServer } from '../../src/dash/page-server.ts';
import { OpenPage } from './page.ts';

expectNothingLeftOpen();

const maxReaderBytes = 100_000;
let log: LineLog;
let server: PageServer;
let page: OpenPage;

beforeEach(async () => {
  log = new LineLog({ now: Date.now, about: () => ({ mode: 'live' }), maxReaderBytes });
  server = await servePage({
    mode: 'live',
    log,
    call: async () => undefined,
    recording: () => {
      throw new Error('not here');
    },
    close: async () => undefined,
  });
  page = new OpenPage(server.url);
});
afterEach(async () => {
  await server.close();
});

let said = 0;
function say(params: unknown = said): void {
  const line: RecordedLine = {
    type: 'notification',
    at: ++said,
    server: 'one',
    method: 'said',
    params,
  };
  log.add(line, JSON.stringify(line));
}

it('sends a snapshot, and then what comes after it', async () => {
  say('before');
  await using followed = await page.follow();
  const { data } = await followed.tap.next('snapshot');
  expect(JSON.parse(data)).toMatchObject({ mode: 'live', at: expect.any(Number) });
  expect(followed.picture.events).toMatchObject([{ params: 'before' }]);
  say('after');
  say('x'.repeat(5000));
  await followed.until(({ events }) => events.length === 3);
  expect(followed.picture.toJSON()).toEqual(log.picture.toJSON());
  expect(followed.picture.events[2]).toMatchObject({ params: { bytes: 5002 } });
  expect(followed.names).not.toContain('gap');
});

it('says that it is there while nothing happens, to readers and to pages', async () => {
  vi.useFakeTimers({ toFake: ['setInterval'] });
  const quiet = new LineLog({ now: Date.now, about: () => ({ mode: 'live' }) });
  const written = new PassThrough();
  quiet.feed.attach(written);
  const text = (): string => String(written.read() ?? '');
  expect(text()).toMatch(/^event: snapshot\n/);
  vi.advanceTimersByTime(25_000);
  // A comment is not told to a page, and an id would be what it goes on from.
  expect(text()).toBe('event: beat\ndata: {}\n\n'.repeat(2));
  vi.useRealTimers();
  await quiet.feed.close();
});

it('goes on where a reader was; where it cannot, it begins anew', async () => {
  say();
  const first = await page.follow();
  say();
  const { id = '' } = await first.tap.next('lines');
  await first[Symbol.asyncDispose]();
  say();
  say();
  await using again = await page.follow(id);
  await again.tap.next('lines');
  expect(again.names).toEqual(['lines']);
  expect(again.picture.events).toHaveLength(2);

  await using stranger = await page.follow(
    id.replace(/^./, (first) => (first === '0' ? '1' : '0')),
  );
  await stranger.tap.next('snapshot');
  expect(stranger.picture.events).toHaveLength(4);

  const { id: now = '' } = again.tap.events.at(-1) ?? {};
  log.feed.reset();
  await using late = await page.follow(now);
  await late.tap.next('snapshot');
});

it('a reader that is too slow is told how much it missed, and nobody waits for it', async () => {
  const socket = connect(Number(new URL(page.origin).port), '127.0.0.1');
  let received = '';
  socket.setEncoding('utf8').on('data', (text: string) => (received += text));
  socket.write(
    `GET /api/stream HTTP/1.1\r\nHost: ${new URL(page.origin).host}\r\nAuthorization: Bearer ${page.token}\r\n\r\n`,
  );
  await until(() => received.includes('event: snapshot'));
  socket.pause();
  await using fast = await page.follow();
  // More than the system buffers for a socket that is not read.
  const count = 20_000;
  for (let batch = 0; batch < 20; batch++) {
    for (let line = 0; line < count / 20; line++) say('y'.repeat(1000));
    const expected = (batch + 1) * (count / 20);
    await fast.until(({ servers }) => servers.get('one')?.totals.events === expected);
  }
  socket.resume();
  await until(
    () => /"type":"gap"/.test(received) && /event: snapshot[^]*event: snapshot/.test(received),
  );
  const [, missed] = /\[\{"type":"gap","at":\d+,"count":(\d+)\}\]/.exec(received) ?? [];
  const beforeGap = received.slice(0, received.indexOf('"type":"gap"'));
  const before = beforeGap.match(/"type":"notification"/g)?.length ?? 0;
  expect(before + Number(missed)).toBe(count);
  expect(Number(missed)).toBeGreaterThan(0);
  socket.destroy();
});

it('says good-bye', async () => {
  await using followed = await page.follow();
  await followed.tap.next('snapshot');
  say();
  await server.close();
  await until(() => followed.tap.ended());
  expect(followed.names).toEqual(['snapshot', 'lines', 'bye']);
});

it('ends the streams of whoever comes after the good-bye, or does not take it', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const other = new LineLog({ now: Date.now, about: () => ({ mode: 'live' }) });
  // Nothing that is written to it ever arrives.
  const stuck = new Writable({ write: () => undefined });
  other.feed.attach(stuck);
  const closed = other.feed.close();
  await vi.advanceTimersByTimeAsync(1000);
  await closed;
  vi.useRealTimers();
  expect(stuck.destroyed).toBe(true);
  const late = new PassThrough();
  other.feed.attach(late);
  expect(String(late.read())).toMatch(/^event: bye\n/);
  expect(late.writableEnded).toBe(true);
});

it('keeps nobody who has gone before the stream began', () => {
  const gone = new PassThrough().destroy();
  const write = vi.spyOn(gone, 'write');
  log.feed.attach(gone);
  log.feed.reset();
  expect(write).not.toHaveBeenCalled();
});
