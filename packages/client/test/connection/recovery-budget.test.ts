import { describe, expect, it } from 'vitest';
import { until } from '../../../../test/support/until.ts';
import type { ConnectionState, LongwireClient } from '../../src/index.ts';
import { failureOf } from '../support/failure-of.ts';
import { atTheEndOfEachTest, dialsOf, quick, runsOf, said, statesOf } from '../support/recovery.ts';

const { setUp, serve, client: makeClient, gateTo } = atTheEndOfEachTest();

type Reconnecting = Extract<ConnectionState, { name: 'reconnecting' }>;

const reconnectings = (states: ConnectionState[]): Reconnecting[] =>
  states.filter((state): state is Reconnecting => state.name === 'reconnecting');

const rests = (client: LongwireClient): Promise<void> =>
  until(() => expect(client.state.name).toBe('resting'));

describe('a server that ends every stream at once', () => {
  const twice = { retry: { ...quick.retry, maxAttempts: 2 } };

  it('is dialled maxAttempts times, then again for the next call', async () => {
    const { server, client } = await setUp({}, twice);
    const states = statesOf(client);
    await client.callTool('echo', { message: 'x' });
    expect(dialsOf(server)).toBe(1);
    server.mischief.cutOn = 'notifications/initialized';
    server.cut();
    await rests(client);
    expect(dialsOf(server), 'two dials without an answer').toBe(3);
    expect(client.state).toMatchObject({ reason: { code: 'connection-lost' } });
    expect(reconnectings(states).map(({ attempt }) => attempt)).toEqual([1, 2]);

    delete server.mischief.cutOn;
    expect(await client.callTool('echo', { message: 'z' })).toEqual(said('z'));
    expect(dialsOf(server)).toBe(4);
    expect(runsOf(server, 'echo')).toHaveLength(2);
  });

  it('does not refill the attempts by a handshake, nor by answers that restore the session', async () => {
    const { server, client } = await setUp({}, twice);
    await client.listTools();
    for (const dials of [2, 3]) {
      server.cut();
      await until(() => expect(server.messagesOf('tools/list')).toHaveLength(dials));
      await until(() => expect(client.state.name).toBe('ready'));
    }
    server.cut();
    await rests(client);
    expect(dialsOf(server)).toBe(3);
  });

  it('refills the attempts with every answer', async () => {
    const { server, client } = await setUp({}, twice);
    for (const dials of [1, 2, 3, 4, 5, 6]) {
      expect(await client.callTool('echo', { message: 'x' })).toEqual(said('x'));
      expect(dialsOf(server)).toBe(dials);
      server.cut();
      await until(() => expect(client.state.name).not.toBe('ready'));
    }
  });

  it('is not dialled again when that is switched off', async () => {
    const { server, client } = await setUp({}, { retry: { maxAttempts: 0 } });
    const states = statesOf(client);
    await client.callTool('echo', { message: 'x' });
    server.cut();
    await rests(client);
    expect(states.map(({ name }) => name)).toEqual(['resting']);
    expect(await client.callTool('echo', { message: 'y' })).toEqual(said('y'));
    expect(dialsOf(server)).toBe(2);
  });
});

describe('a state event', () => {
  it('has the attempt, the reason and the delay', async () => {
    const { server, client } = await setUp({ retryMs: 30 }, quick);
    const states = statesOf(client);
    await client.callTool('echo', { message: 'x' });
    server.cut();
    await until(() => expect(states.at(-1)?.name).toBe('ready'));
    expect(states).toMatchObject([
      {
        name: 'reconnecting',
        attempt: 1,
        maxAttempts: 5,
        reason: { code: 'connection-lost' },
        nextDelayMs: 30,
      },
      { name: 'connecting', attempt: 1 },
      { name: 'ready', transport: 'sse', resumed: false },
    ]);
  });

  it.each([
    ['the stream’s retry field', { retryMs: 3_600_000 }],
    ['Retry-After', { getAnswer: { status: 503, headers: { 'retry-after': '3600' } } }],
  ])('has a delay as long as %s asks, up to the maximum', async (_how, mischief) => {
    const { server, client } = await setUp('retryMs' in mischief ? mischief : {}, {
      retry: { firstDelayMs: 1, maxDelayMs: 77 },
    });
    const states = statesOf(client);
    Object.assign(server.mischief, mischief);
    server.cut();
    await until(() =>
      expect(reconnectings(states).map(({ nextDelayMs }) => nextDelayMs)).toContain(77),
    );
  });

  it('has a delay also if the server asks for none', async () => {
    const { server, client } = await setUp({ retryMs: 0 }, { retry: { firstDelayMs: 40 } });
    const states = statesOf(client);
    server.mischief.cutOn = 'notifications/initialized';
    server.cut();
    await rests(client);
    const delays = reconnectings(states).map(({ nextDelayMs }) => nextDelayMs);
    expect(delays).toHaveLength(4);
    for (const [n, delay] of delays.entries()) {
      // The first dial was the connect: the second has the second delay.
      expect(delay).toBeGreaterThanOrEqual((40 * 2 ** (n + 1)) / 2);
      expect(delay).toBeLessThanOrEqual(40 * 2 ** (n + 1));
    }
  });
});

describe('a server that is away', () => {
  it('is dialled while a call waits, also after maxAttempts, and comes back by itself', async () => {
    const server = await serve();
    const gate = await gateTo(server);
    const client = makeClient(gate.url, { retry: { ...quick.retry, maxAttempts: 2 } });
    const states = statesOf(client);
    await client.callTool('echo', { message: 'before' });
    gate.shut();
    await until(() => expect(client.state.name).toBe('reconnecting'));
    const call = client.callTool('echo', { message: 'meanwhile' });
    await until(() => expect(reconnectings(states).length).toBeGreaterThan(6));
    expect(reconnectings(states).at(-1)).toMatchObject({
      maxAttempts: 2,
      reason: { code: 'connect-failed' },
    });
    await gate.open();
    expect(await call).toEqual(said('meanwhile'));
    expect(runsOf(server, 'echo')).toHaveLength(2);
    expect(server.openedSessions()).toBe(2);
  });

  it('is not dialled any more when no call waits', async () => {
    const server = await serve();
    const gate = await gateTo(server);
    const client = makeClient(gate.url, { retry: { ...quick.retry, maxAttempts: 3 } });
    const states = statesOf(client);
    await client.callTool('echo', { message: 'before' });
    gate.shut();
    await rests(client);
    expect(reconnectings(states).map(({ attempt }) => attempt)).toEqual([1, 2, 3]);
    await gate.open();
    expect(await client.callTool('echo', { message: 'after' })).toEqual(said('after'));
  });

  it('is not dialled any more when the call that waited has timed out', async () => {
    const server = await serve();
    const gate = await gateTo(server);
    const client = makeClient(gate.url, { retry: { ...quick.retry, maxAttempts: 1 } });
    await client.callTool('echo', { message: 'before' });
    gate.shut();
    await until(() => expect(client.state.name).not.toBe('ready'));
    const call = client.callTool('echo', { message: 'x' }, { timeoutMs: 150 });
    expect(await failureOf(call)).toMatchObject({ code: 'timeout', certainty: 'not-sent' });
    await rests(client);
  });

  it.each(['timeoutMs', 'deadlineMs'])('fails a call by its %s, with the reason', async (limit) => {
    const server = await serve();
    const gate = await gateTo(server);
    const client = makeClient(gate.url, { retry: { firstDelayMs: 600_000, maxDelayMs: 600_000 } });
    await client.callTool('echo', { message: 'before' });
    gate.shut();
    await until(() => expect(client.state.name).toBe('reconnecting'));
    const { reason } = client.state as Reconnecting;
    const error = await failureOf(client.callTool('echo', { message: 'x' }, { [limit]: 80 }));
    expect(error).toMatchObject({
      code: limit === 'timeoutMs' ? 'timeout' : 'deadline',
      certainty: 'not-sent',
      cause: reason,
    });
    expect(error.message).toContain(reason.summary);
    expect(runsOf(server, 'echo')).toHaveLength(1);
  });

  it('fails with the reason also a call that times out during a dial', async () => {
    const { server, client } = await setUp({}, quick);
    await client.callTool('echo', { message: 'before' });
    server.mischief.endpoint = 'never';
    server.cut();
    await until(() => expect(client.state.name).toBe('connecting'));
    const error = await failureOf(client.callTool('echo', { message: 'x' }, { timeoutMs: 80 }));
    expect(error).toMatchObject({ code: 'timeout', certainty: 'not-sent' });
    expect(error.message).toContain('broke off');
  });
});
