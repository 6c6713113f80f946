import { describe, expect, it } from 'vitest';
import { until } from '../../../../../test/support/until.ts';
import { failureOf } from '../../support/failure-of.ts';
import { quick, runsOf, said, statesOf } from '../../support/recovery.ts';
import { atTheEndOfEachTest, wireIdOf } from '../../support/streamable.ts';

const { setUp, serve, gateTo, client: clientOf } = atTheEndOfEachTest();

const cutting = { cutOn: 'tools/call' } as const;

describe('an answer whose stream breaks, without event ids', () => {
  it('is requested again if that is safe', async () => {
    const { server, client } = await setUp({ ...cutting, cuts: 2 });
    const call = client.callTool('echo', { message: 'x' }, { idempotent: true });
    expect(await call).toEqual(said('x'));
    expect(runsOf(server, 'echo')).toHaveLength(3);
    expect(server.openedSessions()).toBe(1);
  });

  it('is unknown if it is not safe', async () => {
    const { server, client } = await setUp({ ...cutting, cuts: 1 });
    expect(await failureOf(client.callTool('add', { a: 1, b: 1 }))).toMatchObject({
      code: 'connection-lost',
      certainty: 'outcome-unknown',
    });
    expect(await client.callTool('add', { a: 1, b: 2 })).toEqual(said('3'));
    expect(runsOf(server, 'add')).toHaveLength(2);
  });

  it('is not requested for ever', async () => {
    const { server, client } = await setUp({ ...cutting });
    expect(
      await failureOf(client.callTool('echo', { message: 'x' }, { idempotent: true })),
    ).toMatchObject({ code: 'connection-lost', certainty: 'outcome-unknown' });
    expect(runsOf(server, 'echo').length).toBeLessThan(8);
    expect(server.openedSessions()).toBe(1);
  });

  it('is unknown if events have ids but there is no session', async () => {
    const { server, client } = await setUp({
      ...cutting,
      cuts: 1,
      eventIds: true,
      sessions: false,
      getAnswer: { status: 405 },
    });
    expect(await failureOf(client.callTool('add', { a: 1, b: 1 }))).toMatchObject({
      certainty: 'outcome-unknown',
    });
    expect(runsOf(server, 'add')).toHaveLength(1);
  });
});

describe('an answer whose stream breaks, with event ids', () => {
  it('is fetched by GET after the last event, once, and nothing runs twice', async () => {
    const { server, client } = await setUp({ ...cutting, cuts: 1, eventIds: true, retryMs: 1 });
    const states = statesOf(client);
    expect(await client.callTool('add', { a: 1, b: 1 })).toEqual(said('2'));
    expect(runsOf(server, 'add')).toHaveLength(1);
    const resuming = server.requestsOf('GET').filter(({ headers }) => headers['last-event-id']);
    expect(resuming).toHaveLength(1);
    expect(client.stats().droppedAnswers).toBe(0);
    expect(states).toEqual([]);
  });

  it('is resumed as long as it makes progress, and each progress comes once', async () => {
    const { server, client } = await setUp({ eventIds: true, retryMs: 1 });
    const seen: number[] = [];
    const call = client.callTool(
      'slow',
      { ms: 400 },
      {
        onProgress: ({ progress }) => {
          seen.push(progress);
          server.mischief.overlap = 2;
          server.cut('replies');
        },
      },
    );
    expect(await call).toEqual(said('done'));
    expect(seen).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(runsOf(server, 'slow')).toHaveLength(1);
    expect(server.requestsOf('GET').length).toBeGreaterThan(2);
    expect(client.stats().droppedAnswers).toBe(0);
  });

  it('is resumed again if the resumed stream breaks, too', async () => {
    const { server, client } = await setUp({ ...cutting, cuts: 3, eventIds: true, retryMs: 1 });
    expect(await client.callTool('add', { a: 1, b: 1 })).toEqual(said('2'));
    expect(runsOf(server, 'add')).toHaveLength(1);
  });

  it('is not resumed before the delay that the server asked for', async () => {
    const hourMs = 3_600_000;
    const { server, client } = await setUp(
      { ...cutting, cuts: 1, eventIds: true, retryMs: hourMs },
      { retry: { firstDelayMs: 1, maxDelayMs: 2 * hourMs } },
    );
    const call = failureOf(client.callTool('add', { a: 1, b: 1 }));
    await until(() => expect(runsOf(server, 'add')).toHaveLength(1));
    for (const message of ['x', 'y', 'z']) await client.callTool('echo', { message });
    expect(server.requestsOf('GET').filter(({ headers }) => headers['last-event-id'])).toEqual([]);
    await client.close();
    expect(await call).toMatchObject({ code: 'closed', certainty: 'outcome-unknown' });
  });

  it.each([
    { status: 405 },
    { status: 404 },
    { status: 400, body: 'unknown event' },
    { status: 200, body: 'hello', headers: { 'content-type': 'text/html' } },
  ])(
    'that cannot be gone on with is lost: an unsafe call is never run again (%j)',
    async (refusal) => {
      const { server, client } = await setUp({
        ...cutting,
        cuts: 1,
        eventIds: true,
        retryMs: 1,
        resumeAnswer: refusal,
      });
      expect(await failureOf(client.callTool('add', { a: 1, b: 1 }))).toMatchObject({
        code: 'connection-lost',
        certainty: 'outcome-unknown',
      });
      expect(await client.callTool('echo', { message: 'x' })).toEqual(said('x'));
      expect(runsOf(server, 'add')).toHaveLength(1);
      server.mischief.cuts = 1;
      expect(await client.callTool('echo', { message: 'y' }, { idempotent: true })).toEqual(
        said('y'),
      );
    },
  );

  it('is lost with its session', async () => {
    const { server, client } = await setUp({ ...cutting, cuts: 1, eventIds: true, retryMs: 100 });
    const call = failureOf(client.callTool('add', { a: 1, b: 1 }));
    await until(() => expect(runsOf(server, 'add')).toHaveLength(1));
    server.dropSessions();
    expect(await call).toMatchObject({ code: 'connection-lost', certainty: 'outcome-unknown' });
    expect(await client.callTool('echo', { message: 'x' })).toEqual(said('x'));
    expect(server.openedSessions()).toBe(2);
    expect(runsOf(server, 'add')).toHaveLength(1);
  });

  it('is fetched on the next connection if the server could not be reached', async () => {
    const server = await serve({ eventIds: true, retryMs: 1, hangOn: 'tools/call' });
    const gate = await gateTo(server);
    const client = clientOf(gate.url, quick);
    let hasBegun = false;
    client.on('notification', () => (hasBegun = true));
    const call = client.callTool('write');
    await until(() => expect(server.openReplies()).toBe(1));
    // It can be resumed after the events that have come on the stream.
    const params = { level: 'info', data: 'begun' };
    server.push({ jsonrpc: '2.0', method: 'notifications/message', params }, 'replies');
    await until(() => expect(hasBegun).toBe(true));
    const id = wireIdOf(server, 'write');
    gate.shut();
    await until(() => expect(client.state.name).toBe('reconnecting'));
    await until(() => expect(server.openReplies()).toBe(0));
    server.answerUnheard({ jsonrpc: '2.0', id, result: { content: [] } });
    await gate.open();
    expect(await call).toEqual({ content: [] });
    expect(runsOf(server, 'write')).toHaveLength(1);
    expect(server.openedSessions()).toBe(1);
    expect(client.stats().droppedAnswers).toBe(0);
  });
});
