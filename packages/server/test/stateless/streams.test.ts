import { McpServer } from '@modelcontextprotocol/server';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { expect, it } from 'vitest';
import { serve, type McpMount, type ServeOptions } from '../../src/index.ts';
import { deferred, open } from '../fixture.ts';
import { RawStream } from '../raw-stream.ts';
import { headersOf, listen, onTheWire, toolCall, type StatelessMessage } from './requests.ts';

/** More than the kernel keeps for a reader who has stopped. */
const CHUNK = 'x'.repeat(1_000_000);

/** What the tool of a server did. */
interface Told {
  sent: number;
  readonly signal: Promise<AbortSignal>;
}

/** A server with a tool that tells its progress until it is aborted. */
async function telling(options: Partial<ServeOptions> = {}): Promise<{
  url: string;
  mount: McpMount;
  told: Told;
}> {
  let begin: (signal: AbortSignal) => void;
  const told: Told = {
    sent: 0,
    signal: new Promise((resolve) => {
      begin = resolve;
    }),
  };
  let mount: McpMount | undefined;
  const served = await serve({
    create: () => {
      const server = new McpServer(
        { name: 'tells', version: '1.0.0' },
        { capabilities: { resources: { subscribe: true, listChanged: true } } },
      );
      server.registerTool('tell', {}, async ({ mcpReq }) => {
        begin(mcpReq.signal);
        while (!mcpReq.signal.aborted) {
          const params = { progressToken: 1, progress: ++told.sent, message: CHUNK };
          await mcpReq.notify({ method: 'notifications/progress', params });
        }
        return { content: [] };
      });
      return server;
    },
    onMount: (own) => (mount = own),
    ...options,
  });
  open.push(() => served.close());
  return { url: served.url, mount: mount!, told };
}

/** A client that reads the beginning of its response, and no more. */
async function stalled(url: string, message: StatelessMessage): Promise<Socket> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  open.push(async () => socket.destroy());
  socket.on('error', () => {});
  socket.write(onTheWire(message));
  await once(socket, 'data');
  socket.pause();
  return socket;
}

it('a stream says and is counted what all event streams say and are', async () => {
  const { url, mount } = await telling({ retryMs: 1_234, heartbeatMs: 5 });
  const message = listen();
  await using raw = await RawStream.post(url, message, headersOf(message));
  expect(raw.headers).toMatchObject({
    'content-type': 'text/event-stream',
    'cache-control': 'no-cache, no-transform',
    'x-accel-buffering': 'no',
  });
  expect((await raw.next())!.data).toContain('acknowledged');
  expect(mount.stats()).toMatchObject({ streams: 1, callsInFlight: 0 });
  mount.notify.toolsChanged();
  expect((await raw.next())!.data).toContain('tools/list_changed');
  // Heartbeats, of the mount alone.
  const next = raw.next();
  await raw.commented(4);
  expect(new Set(raw.comments)).toEqual(new Set(['open', 'heartbeat']));
  raw.close();
  await next.catch(() => {});
  await expect.poll(() => mount.stats().streams).toBe(0);
});

it('a tool waits for the reader of its progress', async () => {
  const { url, mount, told } = await telling();
  const socket = await stalled(url, toolCall('tell'));
  await told.signal;
  // It stands still once the kernel takes no more.
  let before = -1;
  await expect
    .poll(
      () => {
        const stands = told.sent === before && mount.stats().bufferedBytes > 0;
        before = told.sent;
        return stands;
      },
      { interval: 100 },
    )
    .toBe(true);
  expect(mount.stats()).toMatchObject({ streams: 1, callsInFlight: 1 });
  expect(mount.stats().bufferedBytes).toBeLessThan(3 * CHUNK.length);
  socket.destroy();
  const signal = await told.signal;
  if (!signal.aborted) await once(signal, 'abort');
  await expect.poll(() => mount.stats().bufferedBytes).toBe(0);
});

it.each([
  ['its own limit', { maxBufferedBytes: 3 * CHUNK.length }],
  ['the limit of all', { maxTotalBufferedBytes: 3 * CHUNK.length, maxSessions: 1_000 }],
])('a subscription whose reader has stopped is cut off at %s', async (_what, limits) => {
  const { url, mount } = await telling({ ...limits, maxSubscriptions: 2 });
  const slow = await stalled(url, listen({ resourceSubscriptions: [`sample://${CHUNK}`] }));
  const message = listen({ resourceSubscriptions: ['sample://small'] });
  await using quick = await RawStream.post(url, message, headersOf(message));
  expect((await quick.next())!.data).toContain('acknowledged');
  const closed = once(slow, 'close');
  let most = 0;
  for (let sent = 0; sent < 100 && mount.stats().streams === 2; sent++) {
    mount.notify.resourceUpdated(`sample://${CHUNK}`);
    await new Promise((resolve) => setImmediate(resolve));
    most = Math.max(most, mount.stats().bufferedBytes);
  }
  expect(mount.stats().streams).toBe(1);
  expect(most).toBeLessThanOrEqual(3 * CHUNK.length);
  slow.resume();
  await closed;
  mount.notify.resourceUpdated('sample://small');
  expect((await quick.next())!.data).toContain('sample://small');
  // Its place is free: https://github.com/modelcontextprotocol/python-sdk/pull/3035
  await using next = await RawStream.post(url, message, headersOf(message));
  expect((await next.next())!.data).toContain('acknowledged');
});

it('a tool that tells without end lets others run', async () => {
  const { url, told } = await telling();
  const message = toolCall('tell');
  await using raw = await RawStream.post(url, message, headersOf(message));
  expect((await raw.next())!.data).toContain('notifications/progress');
  const done = deferred();
  setTimeout(done.resolve, 1);
  await done.promise;
  expect(told.sent).toBeGreaterThan(0);
});
