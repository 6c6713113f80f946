import { describe, expect, it } from 'vitest';
import { serve, type ServableServer, type ServerContext } from '../src/index.ts';
import { PING, call, endpointOf, open, openSocket, post, serving, stream } from './fixture.ts';
import { createSample } from './sample-server.ts';

describe('a session', () => {
  it('opens with headers that no proxy holds back, and the endpoint first', async () => {
    const { url } = await serving();
    const raw = await stream(url);
    expect(raw.statusCode).toBe(200);
    expect(raw.headers).toMatchObject({
      'content-type': 'text/event-stream',
      'cache-control': 'no-cache, no-transform',
      'x-accel-buffering': 'no',
    });
    const first = await raw.next();
    expect(first?.event).toBe('endpoint');
    expect(first?.data).toMatch(/^\/messages\?sessionId=[\w-]{32}$/);
  });

  it('has an id of its own', async () => {
    const { url } = await serving();
    const ids = await Promise.all(
      Array.from({ length: 5 }, async () => (await stream(url)).nextOf('endpoint')),
    );
    expect(new Set(ids).size).toBe(5);
  });

  it('accepts a message with 202 and answers it on the stream', async () => {
    const { url } = await serving();
    const raw = await stream(url);
    const answer = await post(await endpointOf(raw, url), PING);
    expect(answer).toMatchObject({ status: 202, text: 'Accepted' });
    expect(JSON.parse(await raw.nextOf('message'))).toEqual({ jsonrpc: '2.0', id: 1, result: {} });
  });

  it('sends heartbeats', async () => {
    const { url } = await serving({ heartbeatMs: 5 });
    const raw = await stream(url);
    const reading = raw.nextOf('never').catch(() => {});
    await raw.commented(3);
    raw.close();
    await reading;
  });

  it('ends when its client stays away, with what it was running', async () => {
    const { url, samples } = await serving({ resumeMs: 1 });
    const raw = await stream(url);
    const endpoint = await endpointOf(raw, url);
    await post(endpoint, call(1, 'wait'));
    const signal = await samples[0]!.waiting;
    raw.close();
    await samples[0]!.closed;
    expect(signal.aborted).toBe(true);
    expect((await post(endpoint, PING)).status).toBe(404);
  });

  it('tells its factory when it ends, also one that asks afterwards', async () => {
    const contexts: ServerContext[] = [];
    const create = (context: ServerContext): ServableServer => {
      contexts.push(context);
      return createSample().server;
    };
    const { sseUrl, close } = await serve({ create });
    open.push(close);
    const [asking, late] = [await stream(sseUrl), await stream(sseUrl)];
    await Promise.all([endpointOf(asking, sseUrl), endpointOf(late, sseUrl)]);
    const { signal } = contexts[0]!;
    expect(signal.aborted).toBe(false);
    await close();
    expect(signal.aborted).toBe(true);
    expect(contexts[1]!.signal.aborted).toBe(true);
  });

  it('ends when its server closes', async () => {
    const { url, samples } = await serving();
    const raw = await stream(url);
    const endpoint = await endpointOf(raw, url);
    await samples[0]!.server.close();
    expect(await raw.next()).toBeUndefined();
    expect((await post(endpoint, PING)).status).toBe(404);
  });

  it('ends when it is idle, heartbeats notwithstanding', async () => {
    const { url, samples } = await serving({ sessionIdleMs: 30, heartbeatMs: 5 });
    const raw = await stream(url);
    const endpoint = await endpointOf(raw, url);
    expect(await raw.next()).toBeUndefined();
    await samples[0]!.closed;
    expect((await post(endpoint, PING)).status).toBe(404);
  });

  it('ends when its reader is too slow', async () => {
    const { url, samples } = await serving({ maxBufferedBytes: 1024 * 1024, resumeMs: 1 });
    const slow = await openSocket(url);
    slow.socket.pause();
    const endpoint = new URL(slow.endpoint, url).href;
    const big = { text: 'x', times: 900_000 };
    const statuses: number[] = [];
    let ended = false;
    void samples[0]!.closed.then(() => (ended = true));
    for (let id = 1; !ended && id < 100; id++) {
      statuses.push((await post(endpoint, call(id, 'repeat', big))).status);
    }
    expect(ended).toBe(true);
    expect(statuses.slice(0, 2)).toEqual([202, 202]);
    expect((await post(endpoint, PING)).status).toBe(404);
  });

  it('answers with an error where the answer is longer than what may be buffered', async () => {
    const { url } = await serving({ maxBufferedBytes: 1000 });
    const raw = await stream(url);
    const endpoint = await endpointOf(raw, url);
    await post(endpoint, call(1, 'repeat', { text: 'x', times: 1000 }));
    expect(JSON.parse(await raw.nextOf('message'))).toMatchObject({
      id: 1,
      error: { code: -32603 },
    });
    await post(endpoint, call(2, 'echo', { message: 'fits' }));
    expect(JSON.parse(await raw.nextOf('message'))).toMatchObject({ id: 2, result: {} });
  });
});
