import { describe, expect, it } from 'vitest';
import type { LostStreams, StreamableServer } from '../../../../test/support/streamable-fixture.ts';
import { until } from '../../../../test/support/until.ts';
import type { LongwireClient, Progress } from '../../src/index.ts';
import { failureOf } from '../support/failure-of.ts';
import { quick, runsOf, said } from '../support/recovery.ts';
import { atTheEndOfEachTest, heard, wireIdOf } from '../support/streamable.ts';

const { setUp } = atTheEndOfEachTest();

const answerTo = (id: number, text: string) => ({
  jsonrpc: '2.0' as const,
  id,
  result: { content: [{ type: 'text', text }] },
});

const question = {
  jsonrpc: '2.0' as const,
  id: 'q',
  method: 'elicitation/create',
  params: {
    mode: 'form',
    message: 'Which one?',
    requestedSchema: { type: 'object', properties: { name: { type: 'string' } } },
  },
};

/** Waits until the server runs so many calls of `hang`. */
const hanging = (server: StreamableServer, count: number): Promise<void> =>
  until(() => expect(runsOf(server, 'hang')).toHaveLength(count));

/** The server forgets its sessions, and the client learns of it by a call that runs on a new one. */
async function lose(server: StreamableServer, client: LongwireClient): Promise<LostStreams> {
  const lost = server.dropSessions();
  expect(await client.callTool('echo', { message: 'new' })).toEqual(said('new'));
  return lost;
}

/** The sessions to which messages were sent that a filter takes. */
const sessionsOf = (
  { requests }: StreamableServer,
  filter: (message: Record<string, unknown>) => boolean,
): unknown[] =>
  requests
    .filter(({ json }) => typeof json === 'object' && json !== null)
    .filter(({ json }) => filter(json as Record<string, unknown>))
    .map(({ headers }) => headers['mcp-session-id']);

/** The session on which a tool was called last. */
const sessionOfCall = (server: StreamableServer, tool: string): unknown =>
  sessionsOf(
    server,
    ({ params }) => (params as Record<string, unknown> | undefined)?.['name'] === tool,
  ).at(-1);

describe('a session that is lost while streams of it are open', () => {
  it.each(['stream', 'json'] as const)(
    'answers its call, as a %s; new calls run on another session',
    async (answers) => {
      const { server, client } = await setUp({ answers });
      const call = client.callTool('hang');
      await hanging(server, 1);
      const lost = await lose(server, client);
      lost.push(answerTo(wireIdOf(server, 'hang'), 'late'));
      expect(await call).toEqual(said('late'));
      expect(server.openedSessions()).toBe(2);
      expect(client.stats().droppedAnswers).toBe(0);
    },
  );

  it('tells the progress of its call', async () => {
    const { server, client } = await setUp();
    const steps: Progress[] = [];
    const call = client.callTool('hang', {}, { onProgress: (step) => steps.push(step) });
    await hanging(server, 1);
    const lost = await lose(server, client);
    const progressToken = wireIdOf(server, 'hang');
    lost.push({
      jsonrpc: '2.0',
      method: 'notifications/progress',
      params: { progressToken, progress: 1 },
    });
    lost.push(answerTo(progressToken, 'done'));
    expect(await call).toEqual(said('done'));
    expect(steps).toEqual([{ progress: 1 }]);
  });

  it('gets the answers to what it has asked, and none that another asked (invariant 13)', async () => {
    let asked = 0;
    let decide = (): void => {};
    const decided = new Promise<void>((resolve) => (decide = resolve));
    const elicitation = async (): Promise<{ action: 'decline' }> => {
      asked++;
      await decided;
      return { action: 'decline' };
    };
    const { server, client } = await setUp({}, { ...quick, handlers: { elicitation } });
    const call = client.callTool('hang');
    await hanging(server, 1);
    server.push(question, 'replies');
    await until(() => expect(asked).toBe(1));
    const lost = await lose(server, client);
    lost.push({ ...question, id: 'later' });
    await heard(server);
    server.push(question, 'server-stream');
    await until(() => expect(asked).toBe(3));
    decide();
    const before = sessionOfCall(server, 'hang');
    const after = sessionOfCall(server, 'echo');
    const answered = (id: string): unknown[] =>
      sessionsOf(server, (message) => message['id'] === id && 'result' in message);
    await until(() => expect(answered('q')).toHaveLength(2));
    expect(new Set(answered('q'))).toEqual(new Set([before, after]));
    await until(() => expect(answered('later')).toEqual([before]));
    lost.push(answerTo(wireIdOf(server, 'hang'), 'thanks'));
    expect(await call).toEqual(said('thanks'));
  });

  it('is told of a call that is cancelled', async () => {
    const { server, client } = await setUp();
    const abort = new AbortController();
    const call = failureOf(client.callTool('hang', {}, { signal: abort.signal }));
    await hanging(server, 1);
    await lose(server, client);
    abort.abort();
    expect(await call).toMatchObject({ code: 'aborted' });
    const id = wireIdOf(server, 'hang');
    await until(() =>
      expect(
        sessionsOf(
          server,
          ({ method, params }) =>
            method === 'notifications/cancelled' &&
            (params as Record<string, unknown>)['requestId'] === id,
        ),
      ).toEqual([sessionOfCall(server, 'hang')]),
    );
    expect(await client.callTool('add', { a: 1, b: 1 })).toEqual(said('2'));
    expect(server.openedSessions()).toBe(2);
  });

  it('is closed with the client, and its call fails as closed', async () => {
    const { server, client } = await setUp();
    const call = failureOf(client.callTool('hang'));
    await hanging(server, 1);
    await lose(server, client);
    await client.close();
    expect(await call).toMatchObject({ code: 'closed', certainty: 'outcome-unknown' });
    await until(() => expect(server.openConnections()).toBe(0));
  });

  it('may be one of four; one more ends the oldest', async () => {
    const { server, client } = await setUp();
    const sessions: { call: Promise<unknown>; lost: LostStreams; id: number }[] = [];
    for (let count = 1; count <= 5; count++) {
      const call = client.callTool('hang').catch((error: unknown) => error);
      await hanging(server, count);
      const id = runsOf(server, 'hang').at(-1)?.id as number;
      sessions.push({ call, lost: await lose(server, client), id });
    }
    const [oldest, ...others] = sessions;
    expect(await oldest?.call).toMatchObject({
      code: 'connection-lost',
      certainty: 'outcome-unknown',
    });
    for (const { call, lost, id } of others) {
      lost.push(answerTo(id, `late ${id}`));
      expect(await call).toEqual(said(`late ${id}`));
    }
    expect(runsOf(server, 'hang')).toHaveLength(5);
  });

  it('is given up when nothing comes from it for long', async () => {
    const { server, client } = await setUp(
      {},
      { ...quick, heartbeat: { silenceMs: 50, timeoutMs: 500 } },
    );
    const call = failureOf(client.callTool('hang'));
    await hanging(server, 1);
    await lose(server, client);
    const error = await call;
    expect(error).toMatchObject({ code: 'connection-lost', certainty: 'outcome-unknown' });
    expect(error.message).toContain('nothing came on its open streams');
  });

  it('is not waited for with what concerns only itself', async () => {
    const { server, client } = await setUp({ hangOn: 'tools/list' });
    const listed = client.listTools();
    const call = client.callTool('hang');
    await hanging(server, 1);
    await until(() => expect(server.messagesOf('tools/list')).toHaveLength(1));
    delete server.mischief.hangOn;
    const lost = await lose(server, client);
    expect((await listed).length).toBeGreaterThan(0);
    lost.push(answerTo(wireIdOf(server, 'hang'), 'late'));
    expect(await call).toEqual(said('late'));
  });

  it('outlives a connection that rests, which dials again for its safe call (invariant 9)', async () => {
    const { server, client } = await setUp();
    const call = client.callTool('hang', {});
    await hanging(server, 1);
    const safe = client.callTool('hang', {}, { idempotent: true });
    await hanging(server, 2);
    const [id] = runsOf(server, 'hang').map((run) => run.id as number);
    server.mischief.postFaults = [{ method: 'initialize', status: 403, times: 1 }];
    const lost = server.dropSessions();
    expect(await failureOf(client.callTool('echo', { message: 'x' }))).toMatchObject({
      code: 'forbidden',
      certainty: 'refused',
    });
    expect(client.state.name).toBe('resting');
    lost.push(answerTo(id as number, 'late'));
    expect(await call).toEqual(said('late'));
    expect(client.state.name).toBe('resting');
    lost.cut();
    await hanging(server, 3);
    expect(client.state.name).toBe('ready');
    const again = runsOf(server, 'hang').at(-1)?.id as number;
    server.push(answerTo(again, 'again'), 'replies');
    expect(await safe).toEqual(said('again'));
  });
});
