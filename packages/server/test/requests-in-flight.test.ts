import { describe, expect, it } from 'vitest';
import { PING, call, endpointOf, post, serving, stream } from './fixture.ts';

describe('requests in flight', () => {
  it('are no more than the limit, and those that are answered or cancelled make room', async () => {
    const { url, samples } = await serving({ maxInFlight: 2 });
    const events = await stream(url);
    const endpoint = await endpointOf(events, url);
    await post(endpoint, call(1, 'wait'));
    await post(endpoint, call(2, 'wait'));
    await samples[0]!.waiting;

    const third = await post(endpoint, { ...PING, id: 3 });
    expect(third.status).toBe(429);
    expect(third.headers['retry-after']).toBe('1');
    expect(JSON.parse(third.text)).toMatchObject({
      id: 3,
      error: {
        message: '2 requests of this session are in flight (maxInFlight): wait for answers',
      },
    });

    const cancelled = {
      jsonrpc: '2.0',
      method: 'notifications/cancelled',
      params: { requestId: 1 },
    };
    expect((await post(endpoint, cancelled)).status).toBe(202);
    for (let id = 4; id < 10; id++) {
      expect((await post(endpoint, { ...PING, id })).status).toBe(202);
      expect(JSON.parse(await events.nextOf('message'))).toMatchObject({ id });
    }
  });

  it('of three thousand, those beyond a thousand do not reach the server', async () => {
    const { url } = await serving();
    const endpoint = await endpointOf(await stream(url), url);
    const statuses: number[] = [];
    const callers = Array.from({ length: 50 }, async (_, caller) => {
      for (let at = 0; at < 60; at++) {
        statuses.push((await post(endpoint, call(caller * 60 + at, 'wait'))).status);
      }
    });
    await Promise.all(callers);
    expect(statuses.filter((status) => status === 202)).toHaveLength(1000);
    expect(statuses.filter((status) => status === 429)).toHaveLength(2000);
  });

  it('have ids of their own, and none that is a document', async () => {
    const { url, samples } = await serving();
    const endpoint = await endpointOf(await stream(url), url);
    await post(endpoint, call(1, 'wait'));
    await samples[0]!.waiting;
    expect(await post(endpoint, call(1, 'wait'))).toMatchObject({ status: 400 });
    expect((await post(endpoint, { ...PING, id: '1' })).status).toBe(202);
    const long = await post(endpoint, { ...PING, id: 'x'.repeat(100_000) });
    expect(long.status).toBe(400);
    expect(long.text).toContain('longer than 256 characters');
  });

  it('of the tool-events transport count with them', async () => {
    const { url, samples } = await serving({ toolEvents: true, maxInFlight: 1 });
    const endpoint = await endpointOf(await stream(url), url);
    const id = new URL(endpoint).searchParams.get('session_id');
    await post(endpoint, call(1, 'wait'));
    await samples[0]!.waiting;
    const asked = { session_id: id, tool: 'wait', args: {} };
    expect((await post(endpoint, asked)).status).toBe(429);
    expect((await post(url, asked)).status).toBe(429);
  });
});
