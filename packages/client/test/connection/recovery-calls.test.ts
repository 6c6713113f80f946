import { describe, expect, it } from 'vitest';
import { until } from '../../../../test/support/until.ts';
import { failureOf } from '../support/failure-of.ts';
import {
  atTheEndOfEachTest,
  dialsOf,
  listing,
  quick,
  runsOf,
  said,
  statesOf,
} from '../support/recovery.ts';

const { setUp, client: makeClient, serve, gateTo } = atTheEndOfEachTest();

/** Two tools that may run twice, and one that may not. */
const tools = listing({
  echo: { readOnlyHint: true },
  add: { idempotentHint: true, readOnlyHint: false },
  hang: { readOnlyHint: false, destructiveHint: false },
});

describe('a stream that is cut with calls in flight', () => {
  it('fails the unsafe one, which ran once, and resends the safe ones', async () => {
    const { server, client } = await setUp({ answer: tools, hangOnCall: true });
    await client.listTools();
    const states = statesOf(client);
    const safe = Promise.all([
      client.callTool('echo', { message: 'read' }),
      client.callTool('add', { a: 1, b: 2 }),
    ]);
    const unsafe = failureOf(client.callTool('hang'));
    await until(() => expect(server.messagesOf('tools/call')).toHaveLength(3));
    const firstIds = server.messagesOf('tools/call').map(({ id }) => id);
    server.mischief.hangOnCall = false;
    server.cut();

    expect(await unsafe).toMatchObject({
      name: 'ConnectionLostError',
      code: 'connection-lost',
      certainty: 'outcome-unknown',
    });
    expect(await safe).toEqual([said('read'), said('3')]);
    expect(runsOf(server, 'hang')).toHaveLength(1);
    expect(server.messagesOf('tools/call')).toHaveLength(5);
    const ids = server.messagesOf('tools/call').map(({ id }) => id);
    expect(new Set(ids).size, 'a request that is sent again has a new id').toBe(5);
    expect(ids.slice(0, 3)).toEqual(firstIds);

    expect(await client.callTool('echo', { message: 'next' })).toEqual(said('next'));
    expect(states.map(({ name }) => name)).toEqual(['reconnecting', 'connecting', 'ready']);
    expect(states[2]).toMatchObject({ resumed: false });
    expect(server.openedSessions()).toBe(2);
    expect(server.messagesOf('initialize')).toHaveLength(2);
    expect(server.messagesOf('notifications/initialized')).toHaveLength(2);
    expect(server.openStreams()).toBe(1);
  });

  it('resends a call that the program marks as idempotent', async () => {
    const { server, client } = await setUp({ hangOnCall: true });
    const call = client.callTool('echo', { message: 'x' }, { idempotent: true });
    const other = failureOf(client.callTool('echo', { message: 'y' }, { idempotent: false }));
    await until(() => expect(server.messagesOf('tools/call')).toHaveLength(2));
    server.mischief.hangOnCall = false;
    server.cut();
    expect(await call).toEqual(said('x'));
    expect(await other).toMatchObject({ certainty: 'outcome-unknown' });
    expect(server.messagesOf('tools/call')).toHaveLength(3);
  });

  it('sends no call again by the hints of the server with trustHints: false', async () => {
    const options = { ...quick, retry: { ...quick.retry, trustHints: false } };
    const { server, client } = await setUp({ answer: tools, hangOnCall: true }, options);
    await client.listTools();
    const hinted = Promise.all([
      failureOf(client.callTool('echo', { message: 'hinted' })),
      failureOf(client.callTool('add', { a: 1, b: 2 })),
    ]);
    const promised = client.callTool('echo', { message: 'promised' }, { idempotent: true });
    await until(() => expect(server.messagesOf('tools/call')).toHaveLength(3));
    server.mischief.hangOnCall = false;
    server.cut();
    const lost = { code: 'connection-lost', certainty: 'outcome-unknown' };
    expect(await hinted).toMatchObject([lost, lost]);
    expect(await promised).toEqual(said('promised'));
    expect(server.messagesOf('tools/call')).toHaveLength(4);
  });

  it.each<[string, Record<string, unknown>]>([
    ['was never listed', {}],
    ['was listed without annotations', { echo: {} }],
    ['has annotations that only look like it', { echo: { readOnlyHint: 'true' } }],
  ])('does not send a call again whose tool %s', async (_how, listed) => {
    const { server, client } = await setUp({
      answer: listing(listed as Record<string, Record<string, unknown>>),
      hangOnCall: true,
    });
    if (Object.keys(listed).length > 0) await client.listTools();
    const call = failureOf(client.callTool('echo', { message: 'x' }));
    await until(() => expect(runsOf(server, 'echo')).toHaveLength(1));
    server.mischief.hangOnCall = false;
    server.cut();
    expect(await call).toMatchObject({ code: 'connection-lost', certainty: 'outcome-unknown' });
    // The next call uses the same stream, and would come after it.
    await client.callTool('add', { a: 1, b: 2 });
    expect(runsOf(server, 'echo')).toHaveLength(1);
  });

  it('resends requests that only read', async () => {
    let isSilent = true;
    const { server, client } = await setUp({
      answer: ({ method, id }) => {
        if (method === 'resources/read') {
          return isSilent ? silence(id) : { contents: [{ uri: 'a:b', text: 'read' }] };
        }
        return method === 'prompts/list' ? (isSilent ? silence(id) : { prompts: [] }) : undefined;
      },
    });
    /** A result for an unknown request, instead of the one for this request. */
    function silence(id: unknown): unknown {
      asked.push(id);
      server.cut();
      return {};
    }
    const asked: unknown[] = [];
    const both = Promise.all([client.readResource('a:b'), client.listPrompts()]);
    await until(() => expect(asked.length).toBeGreaterThan(0));
    isSilent = false;
    expect(await both).toEqual([{ contents: [{ uri: 'a:b', text: 'read' }] }, []]);
  });

  it('fails a safe call that loses its connection again and again', async () => {
    const { server, client } = await setUp(
      { answer: tools, cutOnCall: true },
      { retry: { ...quick.retry, maxAttempts: 3 } },
    );
    await client.listTools();
    expect(await failureOf(client.callTool('echo', { message: 'x' }))).toMatchObject({
      code: 'connection-lost',
      certainty: 'outcome-unknown',
    });
    // Once, and again on each of the three sessions after the first.
    expect(runsOf(server, 'echo')).toHaveLength(4);
    server.mischief.cutOnCall = false;
    expect(await client.callTool('echo', { message: 'later' })).toEqual(said('later'));
  });
});

describe('calls made while there is no session', () => {
  it('wait all for one handshake', async () => {
    const server = await serve();
    const gate = await gateTo(server);
    const client = makeClient(gate.url);
    await client.callTool('echo', { message: 'first' });
    gate.shut();
    await until(() => expect(client.state.name).toBe('reconnecting'));
    const calls = Array.from({ length: 50 }, (_, n) =>
      client.callTool('echo', { message: `m${n}` }),
    );
    await gate.open();
    expect(await Promise.all(calls)).toEqual(calls.map((_call, n) => said(`m${n}`)));
    expect(server.openedSessions()).toBe(2);
    expect(server.messagesOf('initialize')).toHaveLength(2);
    expect(server.messagesOf('notifications/initialized')).toHaveLength(2);
    expect(runsOf(server, 'echo')).toHaveLength(51);
    expect(client.stats().droppedAnswers).toBe(0);
  });

  it('are sent although they are unsafe, if they had not left', async () => {
    let isHeld = false;
    let held = 0;
    let release = (): void => {};
    const { server, client } = await setUp(
      {},
      {
        ...quick,
        headers: async () => {
          if (isHeld) {
            held++;
            await new Promise<void>((resolve) => (release = resolve));
          }
          return {};
        },
      },
    );
    isHeld = true;
    const call = client.callTool('echo', { message: 'x' });
    await until(() => expect(held).toBe(1));
    server.cut();
    await until(() => expect(client.state.name).not.toBe('ready'));
    isHeld = false;
    release();
    expect(await call).toEqual(said('x'));
    expect(runsOf(server, 'echo')).toHaveLength(1);
  });

  it('fail as not sent when the connection is closed meanwhile', async () => {
    const { server, client } = await setUp({}, { retry: { firstDelayMs: 60_000 } });
    server.cut();
    await until(() => expect(client.state.name).toBe('reconnecting'));
    const call = failureOf(client.callTool('echo', { message: 'x' }));
    await client.close();
    expect(await call).toMatchObject({ code: 'closed', certainty: 'not-sent' });
    expect(dialsOf(server)).toBe(1);
  });
});

describe('answers that belong to no request', () => {
  it('are dropped and counted: unknown, repeated, of the wrong type', async () => {
    const { server, client } = await setUp({ hangOnCall: true });
    const call = client.callTool('echo', { message: 'x' });
    await until(() => expect(runsOf(server, 'echo')).toHaveLength(1));
    const id = runsOf(server, 'echo')[0]?.id as number;
    for (const wrong of [`0${id}`, 9999]) {
      server.push({ jsonrpc: '2.0', id: wrong, result: said('wrong') });
    }
    server.push({ jsonrpc: '2.0', id, result: said('right') });
    server.push({ jsonrpc: '2.0', id, result: said('repeated') });
    expect(await call).toEqual(said('right'));
    await until(() => expect(client.stats().droppedAnswers).toBe(3));
  });

  it('are dropped when a session answers under the id of the one before', async () => {
    const { server, client } = await setUp({ hangOnCall: true });
    const call = client.callTool('echo', { message: 'x' }, { idempotent: true });
    await until(() => expect(runsOf(server, 'echo')).toHaveLength(1));
    server.cut();
    await until(() => expect(runsOf(server, 'echo')).toHaveLength(2));
    const [old, now] = runsOf(server, 'echo').map(({ id }) => id as number);
    server.push({ jsonrpc: '2.0', id: old as number, result: said('late') });
    server.push({ jsonrpc: '2.0', id: now as number, result: said('now') });
    expect(await call).toEqual(said('now'));
    expect(client.stats().droppedAnswers).toBe(1);
  });
});
