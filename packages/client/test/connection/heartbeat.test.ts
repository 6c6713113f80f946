import { describe, expect, it } from 'vitest';
import { until } from '../../../../test/support/until.ts';
import type { ClientOptions } from '../../src/index.ts';
import { failureOf } from '../support/failure-of.ts';
import { atTheEndOfEachTest, dialsOf, quick, runsOf, said, statesOf } from '../support/recovery.ts';

const { setUp, serve, client: makeClient, gateTo } = atTheEndOfEachTest();

/** Pings soon, and waits as long as a busy machine may need to answer. */
const patient: ClientOptions = { ...quick, heartbeat: { silenceMs: 50, timeoutMs: 1000 } };
const impatient: ClientOptions = { ...quick, heartbeat: { silenceMs: 100, timeoutMs: 100 } };

describe('the heartbeat', () => {
  it('replaces a dead connection that reports no error, and settles its requests by the table', async () => {
    const server = await serve();
    const gate = await gateTo(server);
    const client = makeClient(gate.url, patient);
    const states = statesOf(client);
    await client.callTool('echo', { message: 'before' });
    const safe = client.callTool('slow', { ms: 3_600_000 }, { idempotent: true });
    const unsafe = failureOf(client.callTool('hang'));
    await until(() => expect(server.messagesOf('tools/call')).toHaveLength(3));
    server.mischief.answer = ({ method, params }) =>
      method === 'tools/call' && params?.['name'] === 'slow' ? said('at last') : undefined;
    gate.freeze();
    expect(await unsafe).toMatchObject({ code: 'connection-lost', certainty: 'outcome-unknown' });
    expect(await safe).toEqual(said('at last'));
    expect(states.find(({ name }) => name === 'reconnecting')).toMatchObject({
      reason: {
        code: 'connection-lost',
        message: expect.stringContaining('nothing came') as string,
      },
    });
    expect(runsOf(server, 'hang')).toHaveLength(1);
    expect(runsOf(server, 'slow')).toHaveLength(2);
  });

  it('replaces a connection whose server accepts pings and answers none', async () => {
    const { server, client } = await setUp({ hangOn: 'ping' }, impatient);
    await until(() => expect(dialsOf(server)).toBeGreaterThan(1));
    expect(server.messagesOf('ping').length).toBeGreaterThan(0);
    delete server.mischief.hangOn;
    const call = client.callTool('echo', { message: 'x' }, { idempotent: true });
    expect(await call).toEqual(said('x'));
  });

  it('keeps a connection whose server answers its pings', async () => {
    const { server, client } = await setUp({}, patient);
    const call = client.callTool('slow', { ms: 3_600_000 });
    await until(() => expect(server.messagesOf('ping').length).toBeGreaterThan(2));
    expect(dialsOf(server)).toBe(1);
    expect(client.state.name).toBe('ready');
    const id = runsOf(server, 'slow')[0]?.id as number;
    server.push({ jsonrpc: '2.0', id, result: said('done') });
    expect(await call).toEqual(said('done'));
  });

  it('accepts a comment as a sign of life', async () => {
    const { server, client } = await setUp({}, patient);
    server.mischief.hangOn = 'ping';
    for (const asked of [1, 2, 3]) {
      await until(() => expect(server.messagesOf('ping').length).toBeGreaterThanOrEqual(asked));
      server.write(':\n\n');
    }
    expect(dialsOf(server)).toBe(1);
    expect(client.state.name).toBe('ready');
  });

  it('sends no ping while something arrives', async () => {
    const { server, client } = await setUp(
      {},
      { ...quick, heartbeat: { silenceMs: 5_000, timeoutMs: 30_000 } },
    );
    for (let n = 0; n < 20; n++) {
      server.write(':\n\n');
      await client.callTool('echo', { message: 'x' });
    }
    expect(server.messagesOf('ping')).toEqual([]);
  });

  it('sends no ping when it is switched off', async () => {
    const { server, client } = await setUp(
      {},
      { ...quick, heartbeat: { silenceMs: Infinity, timeoutMs: 1 } },
    );
    await client.callTool('slow', { ms: 300 });
    expect(server.messagesOf('ping')).toEqual([]);
  });

  it('makes one new session when the server has lost the session', async () => {
    const { server, client } = await setUp(
      {},
      { retry: { ...quick.retry, maxAttempts: 2 }, heartbeat: { silenceMs: 50 } },
    );
    await client.callTool('echo', { message: 'x' });
    server.mischief.getAnswer = { status: 503 };
    server.dropSessions();
    // The ping gets the 404, and no call waits: there are no dials after maxAttempts.
    await until(() => expect(client.state.name).toBe('resting'));
    expect(dialsOf(server)).toBe(3);
  });
});
