import { describe, expect, it } from 'vitest';
import type { HostileSseServer } from '../../../../test/support/hostile-sse.ts';
import { until } from '../../../../test/support/until.ts';
import { failureOf } from '../support/failure-of.ts';
import { atTheEndOfEachTest, dialsOf, quick, runsOf, said, statesOf } from '../support/recovery.ts';

const { setUp } = atTheEndOfEachTest();

/** The Last-Event-ID of every GET. */
const lastEventIds = ({ requests }: HostileSseServer): unknown[] =>
  requests.filter(({ method }) => method === 'GET').map(({ headers }) => headers['last-event-id']);

/** Answers all calls that were sent so far, on the session that accepted them. */
function answerAll(server: HostileSseServer): void {
  for (const { id, params } of server.messagesOf('tools/call')) {
    const args = params?.['arguments'] as { message: string } | undefined;
    server.push({ jsonrpc: '2.0', id: id as number, result: said(args?.message ?? '') });
  }
}

const notice = (server: HostileSseServer, data: string): void =>
  server.push({ jsonrpc: '2.0', method: 'notifications/message', params: { level: 'info', data } });

describe('a stream whose events have ids', () => {
  it('is resumed, and the answers that were missed arrive once each', async () => {
    const { server, client } = await setUp({ eventIds: true, hangOnCall: true });
    const states = statesOf(client);
    const calls = ['a', 'b', 'c'].map((message) => client.callTool('echo', { message }));
    await until(() => expect(runsOf(server, 'echo')).toHaveLength(3));
    server.cut();
    answerAll(server);
    expect(await Promise.all(calls)).toEqual(['a', 'b', 'c'].map(said));
    expect(lastEventIds(server)).toEqual([undefined, '1']);
    expect(runsOf(server, 'echo'), 'nothing was sent again').toHaveLength(3);
    expect(server.messagesOf('initialize')).toHaveLength(1);
    expect(server.openedSessions()).toBe(1);
    expect(client.stats().droppedAnswers).toBe(0);
    await until(() => expect(client.state.name).toBe('ready'));
    expect(states.map(({ name }) => name)).toEqual(['reconnecting', 'connecting', 'ready']);
    expect(states[2]).toMatchObject({ resumed: true });
    server.mischief.hangOnCall = false;
    expect(await client.callTool('echo', { message: 'next' })).toEqual(said('next'));
    server.cut();
    await until(() => expect(lastEventIds(server)).toEqual([undefined, '1', '5']));
  });

  it('does not lose its position when the resumed stream ends before its first event', async () => {
    const { server, client } = await setUp({ eventIds: true, hangOnCall: true });
    const call = client.callTool('echo', { message: 'x' });
    await until(() => expect(runsOf(server, 'echo')).toHaveLength(1));
    server.mischief.endsResumed = 2;
    server.cut();
    answerAll(server);
    expect(await call).toEqual(said('x'));
    expect(lastEventIds(server)).toEqual([undefined, '1', '1', '1']);
    expect(runsOf(server, 'echo')).toHaveLength(1);
    expect(client.stats().droppedAnswers).toBe(0);
  });

  it('delivers once the events that a replay repeats', async () => {
    const { server, client } = await setUp({ eventIds: true, overlap: 2 });
    const received: unknown[] = [];
    client.on('notification', ({ params }) => received.push(params?.['data']));
    notice(server, 'one');
    notice(server, 'two');
    await until(() => expect(received).toEqual(['one', 'two']));
    server.cut();
    notice(server, 'three');
    await until(() => expect(received).toContain('three'));
    expect(received).toEqual(['one', 'two', 'three']);
    await client.callTool('echo', { message: 'x' });
    server.cut();
    notice(server, 'four');
    await until(() => expect(received).toContain('four'));
    expect(received).toEqual(['one', 'two', 'three', 'four']);
    expect(client.stats().droppedAnswers).toBe(0);
  });

  it('is not resumed after an empty id, which resets the ids before', async () => {
    const { server, client } = await setUp({ eventIds: true });
    const received: unknown[] = [];
    client.on('notification', ({ params }) => received.push(params?.['data']));
    server.write(
      'id:\ndata: {"jsonrpc":"2.0","method":"notifications/message","params":{"data":"reset"}}\n\n',
    );
    await until(() => expect(received).toEqual(['reset']));
    server.cut();
    expect(await client.callTool('echo', { message: 'x' }, { idempotent: true })).toEqual(
      said('x'),
    );
    expect(lastEventIds(server)).toEqual([undefined, undefined]);
    expect(server.openedSessions()).toBe(2);
  });

  it('needs a handshake when the server answers with another session, and fails unsafe calls', async () => {
    const { server, client } = await setUp({ eventIds: true, hangOnCall: true });
    const states = statesOf(client);
    const unsafe = failureOf(client.callTool('echo', { message: 'write' }));
    const safe = client.callTool('echo', { message: 'read' }, { idempotent: true });
    await until(() => expect(runsOf(server, 'echo')).toHaveLength(2));
    Object.assign(server.mischief, { dropsEvents: true, hangOnCall: false });
    server.cut();
    expect(await unsafe).toMatchObject({ code: 'connection-lost', certainty: 'outcome-unknown' });
    expect(await safe).toEqual(said('read'));
    expect(runsOf(server, 'echo')).toHaveLength(3);
    expect(server.messagesOf('initialize')).toHaveLength(2);
    expect(states.at(-1)).toMatchObject({ name: 'ready', resumed: false });
    // A position in the old session's stream means nothing in the new one.
    server.mischief.dropsEvents = false;
    server.cut();
    await until(() => expect(dialsOf(server)).toBe(3));
    expect(lastEventIds(server)).toEqual([undefined, '1', '3']);
  });

  it('is replaced by a new session when the server refuses to resume it', async () => {
    const { server, client } = await setUp({
      eventIds: true,
      hangOnCall: true,
      resumeAnswer: { status: 400, body: 'unknown event id' },
    });
    const unsafe = failureOf(client.callTool('echo', { message: 'write' }));
    const safe = client.callTool('echo', { message: 'read' }, { idempotent: true });
    await until(() => expect(runsOf(server, 'echo')).toHaveLength(2));
    server.mischief.hangOnCall = false;
    server.cut();
    expect(await unsafe).toMatchObject({ code: 'connection-lost', certainty: 'outcome-unknown' });
    expect(await safe).toEqual(said('read'));
    expect(server.openedSessions()).toBe(2);
  });

  it('counts the answers on the resumed stream as progress', async () => {
    const { server, client } = await setUp(
      { eventIds: true, hangOnCall: true },
      { retry: { ...quick.retry, maxAttempts: 2 } },
    );
    const calls = Array.from({ length: 6 }, (_, n) =>
      client.callTool('echo', { message: `m${n}` }),
    );
    const all = Promise.allSettled(calls);
    await until(() => expect(runsOf(server, 'echo')).toHaveLength(6));
    for (const [n, call] of calls.entries()) {
      server.cut();
      const { id } = runsOf(server, 'echo')[n] as { id: number };
      server.push({ jsonrpc: '2.0', id, result: said(`m${n}`) });
      await call;
      await until(() => expect(client.state.name).toBe('ready'));
    }
    expect(await all).toMatchObject(calls.map(() => ({ status: 'fulfilled' })));
    expect(server.openedSessions()).toBe(1);
  });
});

describe('a message while a resumable session has no stream', () => {
  it('reaches that session: calls, cancellations, and answers to requests of the server', async () => {
    let answerRoots!: () => void;
    const roots = (): Promise<[]> => new Promise((resolve) => (answerRoots = () => resolve([])));
    const { server, client } = await setUp(
      { eventIds: true, hangOnCall: true },
      { retry: { firstDelayMs: 300, maxDelayMs: 300 }, handlers: { roots } },
    );
    const controller = new AbortController();
    const { signal } = controller;
    const aborted = failureOf(client.callTool('hang', {}, { signal }));
    await until(() => expect(runsOf(server, 'hang')).toHaveLength(1));
    server.push({ jsonrpc: '2.0', id: 'theirs', method: 'roots/list' });
    await until(() => expect(answerRoots).toBeTypeOf('function'));
    server.cut();
    await until(() => expect(client.state.name).toBe('reconnecting'));
    server.mischief.hangOnCall = false;
    const call = client.callTool('echo', { message: 'meanwhile' });
    controller.abort();
    answerRoots();
    expect(await aborted).toMatchObject({ code: 'aborted', certainty: 'outcome-unknown' });
    expect(await call).toEqual(said('meanwhile'));
    await until(() => {
      expect(server.messagesOf('notifications/cancelled')).toMatchObject([
        { params: { requestId: runsOf(server, 'hang')[0]?.id } },
      ]);
      expect(server.messages).toContainEqual({
        jsonrpc: '2.0',
        id: 'theirs',
        result: { roots: [] },
      });
    });
    expect(server.openedSessions()).toBe(1);
  });

  it('is dropped when the session turns out to be gone', async () => {
    const { server, client } = await setUp(
      { eventIds: true, hangOnCall: true, dropsEvents: true },
      { retry: { firstDelayMs: 100, maxDelayMs: 100 } },
    );
    const controller = new AbortController();
    const { signal } = controller;
    const aborted = failureOf(client.callTool('hang', {}, { signal }));
    await until(() => expect(runsOf(server, 'hang')).toHaveLength(1));
    server.cut();
    await until(() => expect(client.state.name).toBe('reconnecting'));
    controller.abort();
    expect(await aborted).toMatchObject({ code: 'aborted' });
    server.mischief.hangOnCall = false;
    expect(await client.callTool('echo', { message: 'x' })).toEqual(said('x'));
    // Nor the next one, when that is resumed.
    server.mischief.dropsEvents = false;
    server.cut();
    await until(() => expect(client.state.name).toBe('reconnecting'));
    expect(await client.callTool('echo', { message: 'y' })).toEqual(said('y'));
    await client.callTool('echo', { message: 'z' });
    expect(server.openedSessions()).toBe(2);
    expect(server.messagesOf('notifications/cancelled')).toEqual([]);
  });
});

describe('an event over the limit', () => {
  it.each([false, true])(
    'ends the session, fails the calls in flight, and does not come again (event ids: %s)',
    async (eventIds) => {
      const { server, client } = await setUp(
        { eventIds, hugeEventBytes: 200_000 },
        { ...quick, limits: { maxEventBytes: 100_000 } },
      );
      const call = client.callTool('echo', { message: 'x' }, { idempotent: true });
      expect(await failureOf(call)).toMatchObject({
        code: 'limit-exceeded',
        certainty: 'outcome-unknown',
      });
      delete server.mischief.hugeEventBytes;
      expect(await client.callTool('echo', { message: 'y' })).toEqual(said('y'));
      expect(runsOf(server, 'echo')).toHaveLength(2);
      expect(dialsOf(server)).toBe(2);
      expect(server.openedSessions()).toBe(2);
    },
  );
});
