import { describe, expect, it } from 'vitest';
import { until } from '../../../../test/support/until.ts';
import { connect } from '../../src/index.ts';
import { failureOf } from '../support/failure-of.ts';
import { atTheEndOfEachTest, dialsOf, quick, said, statesOf } from '../support/recovery.ts';

const { setUp, serve, client: makeClient } = atTheEndOfEachTest();

describe('the first connect', () => {
  it('is tried once', async () => {
    const server = await serve({ getAnswer: { status: 503 } });
    expect(await failureOf(connect(server.url, quick))).toMatchObject({ name: 'ConnectError' });
    expect(dialsOf(server)).toBe(1);
  });

  it('is repeated if the program asks for that', async () => {
    const server = await serve({ getAnswer: { status: 503 } });
    const client = makeClient(server.url, { retry: { ...quick.retry, firstConnect: true } });
    const states = statesOf(client);
    const connected = client.connect();
    await until(() => expect(dialsOf(server)).toBeGreaterThan(1));
    delete server.mischief.getAnswer;
    await connected;
    expect(states[1]).toMatchObject({
      name: 'reconnecting',
      attempt: 2,
      reason: { code: 'http-status' },
    });
    expect(await client.callTool('echo', { message: 'x' })).toEqual(said('x'));
    expect(server.openedSessions()).toBe(1);
  });

  it('is repeated at most maxAttempts times', async () => {
    const server = await serve({ getAnswer: { status: 503 } });
    const retry = { ...quick.retry, firstConnect: true, maxAttempts: 3 };
    expect(await failureOf(connect(server.url, { retry }))).toMatchObject({
      name: 'ConnectError',
      code: 'http-status',
    });
    expect(dialsOf(server)).toBe(3);
  });
});

describe('an answer that will not change', () => {
  it.each([
    [401, 'unauthorized'],
    [403, 'forbidden'],
  ])(
    'such as %i ends reconnecting at once, and the calls that wait for it',
    async (status, code) => {
      const { server, client } = await setUp({}, { retry: { firstDelayMs: 100 } });
      await client.callTool('echo', { message: 'before' });
      server.mischief.getAnswer = { status };
      server.cut();
      await until(() => expect(client.state.name).toBe('reconnecting'));
      const calls = [1, 2].map(() => failureOf(client.callTool('echo', { message: 'x' })));
      for (const call of calls) {
        expect(await call).toMatchObject({ name: 'ConnectError', code, certainty: 'not-sent' });
      }
      expect(client.state).toMatchObject({ name: 'resting', reason: { code } });
      expect(dialsOf(server)).toBe(2);
      delete server.mischief.getAnswer;
      expect(await client.callTool('echo', { message: 'y' })).toEqual(said('y'));
    },
  );
});
