import { describe, expect, it } from 'vitest';
import type { HttpAnswer } from '../../../../test/support/http-answer.ts';
import { until } from '../../../../test/support/until.ts';
import { failureOf } from '../support/failure-of.ts';
import { atTheEndOfEachTest, dialsOf, quick, runsOf, said, statesOf } from '../support/recovery.ts';

const { setUp, serve, client: makeClient, gateTo } = atTheEndOfEachTest();

describe.each<[string, HttpAnswer]>([
  ['404', { status: 404 }],
  ['404 and words', { status: 404, body: '{"error":"Session not found"}' }],
  ['400 as the first SDKs say it', { status: 400, body: 'No transport found for sessionId' }],
  ['400 and an unknown session', { status: 400, body: 'Unknown session' }],
  [
    '400 and a JSON-RPC error of the old era',
    {
      status: 400,
      body: '{"jsonrpc":"2.0","error":{"code":-32000,"message":"Bad Request: No valid session ID provided"},"id":null}',
    },
  ],
])('a lost session, reported by %s', (_how, lostSessionAnswer) => {
  it('fails none of ten parallel calls, none of which is safe, and costs one handshake', async () => {
    const { server, client } = await setUp({ lostSessionAnswer });
    const states = statesOf(client);
    await client.callTool('echo', { message: 'before' });
    server.dropSessions();
    const calls = Array.from({ length: 10 }, (_, n) =>
      client.callTool('echo', { message: `m${n}` }),
    );
    expect(await Promise.all(calls)).toEqual(calls.map((_call, n) => said(`m${n}`)));
    expect(server.openedSessions()).toBe(2);
    expect(server.messagesOf('initialize')).toHaveLength(2);
    expect(runsOf(server, 'echo'), 'each ran once').toHaveLength(11);
    expect(states.map(({ name }) => name)).toEqual(['reconnecting', 'connecting', 'ready']);
    await until(() => expect(server.openStreams()).toBe(1));
  });
});

describe('a session that is gone', () => {
  it('fails only the call that is in flight, and not before its stream ends', async () => {
    const { server, client } = await setUp();
    const running = failureOf(client.callTool('hang'));
    await until(() => expect(runsOf(server, 'hang')).toHaveLength(1));
    server.dropSessions();
    expect(await client.callTool('echo', { message: 'x' })).toEqual(said('x'));
    server.cut();
    expect(await running).toMatchObject({
      code: 'connection-lost',
      certainty: 'outcome-unknown',
    });
    expect(runsOf(server, 'hang')).toHaveLength(1);
    expect(runsOf(server, 'echo')).toHaveLength(1);
  });

  it('is replaced for all calls that wait while the server restarts', async () => {
    const server = await serve();
    const gate = await gateTo(server);
    const client = makeClient(gate.url);
    await client.callTool('echo', { message: 'before' });
    gate.shut();
    server.dropSessions();
    await until(() => expect(client.state.name).toBe('reconnecting'));
    const calls = Array.from({ length: 10 }, (_, n) =>
      client.callTool('echo', { message: `m${n}` }),
    );
    await gate.open();
    expect(await Promise.all(calls)).toEqual(calls.map((_call, n) => said(`m${n}`)));
    expect(server.messagesOf('initialize')).toHaveLength(2);
  });

  it('again and again makes the connection rest, and its call fail as refused', async () => {
    const { server, client } = await setUp(
      { postFaults: [{ tool: 'echo', status: 404 }] },
      { retry: { ...quick.retry, maxAttempts: 3 } },
    );
    const error = await failureOf(client.callTool('echo', { message: 'x' }));
    expect(error).toMatchObject({ code: 'connection-lost', certainty: 'refused' });
    expect(error.message).not.toContain('whether it ran is not known');
    expect(client.state.name).toBe('resting');
    expect(dialsOf(server)).toBe(3);
    expect(runsOf(server, 'echo')).toEqual([]);
  });

  it('does not follow from a 400 of another kind', async () => {
    const { server, client } = await setUp({
      postFaults: [{ tool: 'echo', status: 400, body: 'arguments: message must be a string' }],
    });
    expect(await failureOf(client.callTool('echo', { message: 'x' }))).toMatchObject({
      name: 'HttpStatusError',
      code: 'http-status',
      status: 400,
      certainty: 'refused',
    });
    expect(client.state.name).toBe('ready');
    expect(await client.callTool('add', { a: 1, b: 2 })).toEqual(said('3'));
    expect(dialsOf(server)).toBe(1);
  });

  it('leaves a refused call certain, also when it is resent and cut before it left', async () => {
    const server = await serve();
    let held = 0;
    let release = (): void => {};
    const client = makeClient(server.url, {
      ...quick,
      headers: async () => {
        // The call is the first request after the second handshake.
        if (held === 0 && server.messagesOf('notifications/initialized').length > 1) {
          held++;
          await new Promise<void>((resolve) => (release = resolve));
        }
        return {};
      },
    });
    await client.connect();
    server.dropSessions();
    const call = client.callTool('echo', { message: 'x' });
    await until(() => expect(held).toBe(1));
    server.cut();
    expect(await call).toEqual(said('x'));
    release();
    expect(runsOf(server, 'echo')).toHaveLength(1);
  });
});
