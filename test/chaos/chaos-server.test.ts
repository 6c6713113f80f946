import { afterEach, describe, expect, it } from 'vitest';
import { expectNothingLeftOpen } from '../support/open-handles.ts';
import { resultText } from './calls.ts';
import { startChaosServer, type ChaosServer } from './chaos-server.ts';
import { EventLog } from './event-log.ts';
import { until } from '../support/until.ts';

expectNothingLeftOpen();

const closers: (() => PromiseLike<void> | void)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const args = { key: 3, sizeBytes: 20, delayMs: 0, steps: 0 };
const call = { id: 9, method: 'tools/call', params: { name: 'write', arguments: args } };

async function setUp(resumable: boolean) {
  const runs: number[] = [];
  const breaches: string[] = [];
  const server = await startChaosServer({
    transport: 'sse',
    resumable,
    seed: 1,
    lostShare: 0,
    onRun: (key) => runs.push(key),
    onBreach: (what) => breaches.push(what),
  });
  closers.push(() => server[Symbol.asyncDispose]());
  return { server, runs, breaches };
}

/** Opens a stream; what has come on it so far, and its end. */
async function openStream({ origin }: ChaosServer, lastEventId?: string) {
  const abort = new AbortController();
  closers.push(() => abort.abort());
  const headers = lastEventId === undefined ? {} : { 'last-event-id': lastEventId };
  const { body } = await fetch(`${origin}/sse`, { headers, signal: abort.signal });
  let text = '';
  const read = async (): Promise<void> => {
    const decoder = new TextDecoder();
    for await (const chunk of body ?? []) text += decoder.decode(chunk as Uint8Array);
  };
  read().catch(() => {});
  const has = (part: string): Promise<void> => until(() => expect(text).toContain(part));
  await has('event: endpoint');
  const endpoint = /data: (\/messages\S+)/.exec(text)?.[1] ?? '';
  return { endpoint, has, text: () => text, abort: () => abort.abort() };
}

async function post({ origin }: ChaosServer, endpoint: string, message: object): Promise<number> {
  const body = JSON.stringify({ jsonrpc: '2.0', ...message });
  const response = await fetch(origin + endpoint, { method: 'POST', body });
  await response.text();
  return response.status;
}

async function initialize(server: ChaosServer, endpoint: string): Promise<void> {
  await post(server, endpoint, { id: 0, method: 'initialize', params: {} });
  await post(server, endpoint, { method: 'notifications/initialized' });
}

describe('the server over HTTP+SSE', () => {
  it('runs calls of a session that is initialized, and counts them', async () => {
    const { server, runs, breaches } = await setUp(false);
    const stream = await openStream(server);
    await initialize(server, stream.endpoint);
    expect(await post(server, stream.endpoint, call)).toBe(202);
    await stream.has(resultText('write', args));
    expect(stream.text()).not.toContain('id: ');
    expect(runs).toEqual([3]);
    expect(breaches).toEqual([]);
    expect(server.openStreams()).toBe(1);
  });

  it('answers with an error, and reports, what breaks the protocol', async () => {
    const { server, runs, breaches } = await setUp(false);
    const { endpoint, has } = await openStream(server);
    await post(server, endpoint, call);
    await has('tools/call while the session is new');
    await initialize(server, endpoint);
    await post(server, endpoint, call);
    await has('the id 9 was used before');
    expect(runs).toEqual([]);
    expect(breaches).toHaveLength(2);
  });

  it('knows a session for no longer than its stream, and no other', async () => {
    const { server } = await setUp(false);
    const { endpoint, abort } = await openStream(server);
    expect(await post(server, '/messages?session=other', call)).toBe(404);
    abort();
    await until(() => expect(server.liveSessions()).toBe(0));
    expect(await post(server, endpoint, call)).toBe(404);
  });

  it('lets a session be taken up again, and sends what was missed', async () => {
    const { server, runs } = await setUp(true);
    const first = await openStream(server);
    await initialize(server, first.endpoint);
    const [id = ''] = /[\w-]+:1(?=\n)/.exec(first.text()) ?? [];
    first.abort();
    await until(() => expect(server.openStreams()).toBe(0));
    expect(await post(server, first.endpoint, call)).toBe(202);
    expect(runs).toEqual([3]);
    const second = await openStream(server, id);
    expect(second.endpoint).toBe(first.endpoint);
    await second.has(resultText('write', args));
    expect(second.text()).not.toContain('protocolVersion');
    expect([server.resumptions(), server.openedSessions()]).toEqual([1, 1]);
    const stranger = await openStream(server, 'nobody:1');
    expect(stranger.endpoint).not.toBe(first.endpoint);
  });
});

describe('the log of events', () => {
  it('gives what came after a number, unless some of it is dropped', () => {
    const log = new EventLog();
    expect(log.after(0)).toEqual([]);
    for (let i = 1; i <= 600; i += 1) expect(log.add(`event ${i}`)).toBe(i);
    expect(log.after(598)).toEqual([
      { number: 599, data: 'event 599' },
      { number: 600, data: 'event 600' },
    ]);
    expect(log.after(88)).toHaveLength(512);
    for (const number of [87, 0, 601, NaN, 0.5]) expect(log.after(number)).toBeUndefined();
    log.add('x'.repeat(3_000_000));
    expect(log.after(600)).toBeUndefined();
    expect(log.after(601)).toEqual([]);
  });
});
