import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { HostileSseServer } from '../../../../test/support/hostile-sse.ts';
import { until } from '../../../../test/support/until.ts';
import { connect, type CallToolOptions, type LongwireClient } from '../../src/index.ts';
import { failureOf } from '../support/failure-of.ts';
import { atTheEndOfEachTest, quick, roundTrips, runsOf, said } from '../support/recovery.ts';

const unhandled: unknown[] = [];
const keep = (reason: unknown): unknown => unhandled.push(reason);
beforeAll(() => {
  process.on('unhandledRejection', keep);
});
afterAll(() => {
  process.off('unhandledRejection', keep);
  expect(unhandled).toEqual([]);
});

const { serve, client: makeClient, closeLater } = atTheEndOfEachTest();

interface Situation {
  server: HostileSseServer;
  client: LongwireClient;
  /** What is certain about the call that was made in it. */
  certainty: string;
  call: (options?: CallToolOptions) => Promise<unknown>;
}

const slowly = { retry: { firstDelayMs: 600_000, maxDelayMs: 600_000 } };

/** Every state of a connection in which a call can be ended from outside. */
const situations: Record<string, () => Promise<Situation>> = {
  'connecting for the first time': async () => {
    const server = await serve({ endpoint: 'never' });
    const client = makeClient(server.url);
    const call = (options?: CallToolOptions) => client.callTool('echo', { message: 'x' }, options);
    return { server, client, call, certainty: 'not-sent' };
  },
  ready: async () => {
    const server = await serve();
    const client = closeLater(await connect(server.url, quick));
    const call = (options?: CallToolOptions) => client.callTool('hang', {}, options);
    return { server, client, call, certainty: 'outcome-unknown' };
  },
  'ready, and its call deferred': async () => {
    const postFaults = [{ tool: 'echo', status: 503, headers: { 'retry-after': '50' }, times: 1 }];
    const server = await serve({ postFaults });
    const client = closeLater(await connect(server.url, quick));
    const call = (options?: CallToolOptions) => client.callTool('echo', { message: 'x' }, options);
    return { server, client, call, certainty: 'refused' };
  },
  'waiting to dial again': async () => {
    const server = await serve();
    const client = closeLater(await connect(server.url, slowly));
    server.cut();
    await until(() => expect(client.state.name).toBe('reconnecting'));
    const call = (options?: CallToolOptions) => client.callTool('echo', { message: 'x' }, options);
    return { server, client, call, certainty: 'not-sent' };
  },
  'dialling again': async () => {
    const server = await serve();
    const client = closeLater(await connect(server.url, quick));
    server.mischief.endpoint = 'never';
    server.cut();
    await until(() => expect(client.state.name).toBe('connecting'));
    const call = (options?: CallToolOptions) => client.callTool('echo', { message: 'x' }, options);
    return { server, client, call, certainty: 'not-sent' };
  },
  'in the middle of the handshake of a new session': async () => {
    const server = await serve();
    const client = closeLater(await connect(server.url, quick));
    server.mischief.hangOn = 'initialize';
    server.cut();
    await until(() => expect(server.messagesOf('initialize')).toHaveLength(2));
    const call = (options?: CallToolOptions) => client.callTool('echo', { message: 'x' }, options);
    return { server, client, call, certainty: 'not-sent' };
  },
  'waiting to resume a session, with its call sent': async () => {
    const server = await serve({ eventIds: true });
    const client = closeLater(await connect(server.url, slowly));
    const call = async (options?: CallToolOptions) => {
      const made = client.callTool('hang', {}, options);
      made.catch(() => {});
      await until(() => expect(runsOf(server, 'hang')).toHaveLength(1));
      server.cut();
      return made;
    };
    return { server, client, call, certainty: 'outcome-unknown' };
  },
};

/** Waits until the call is in the state that the situation names. */
async function hasCome({ server, client, certainty }: Situation): Promise<void> {
  await until(() => {
    if (certainty === 'outcome-unknown') expect(runsOf(server, 'hang')).toHaveLength(1);
    if (certainty === 'refused') expect(server.mischief.postFaults?.[0]?.times).toBe(0);
    expect(client.state.name).not.toBe('idle');
  });
  if (certainty === 'refused') await roundTrips(client);
}

describe.each(Object.entries(situations))('a connection that is %s', (name, make) => {
  const isKept = name.includes('resume');
  const isReady = name.startsWith('ready');

  it('closes with nothing left open, and its call fails with closed', async () => {
    const situation = await make();
    const { server, client, call, certainty } = situation;
    const failure = failureOf(call());
    await hasCome(situation);
    if (isKept) await until(() => expect(client.state.name).toBe('reconnecting'));
    await client.close();
    expect(await failure).toMatchObject({ code: 'closed', certainty });
    expect(client.state).toEqual({ name: 'closed' });
    await until(() => {
      expect(server.openStreams()).toBe(0);
      expect(server.openConnections()).toBe(0);
    });
    const sessions = server.openedSessions();
    Object.assign(server.mischief, { endpoint: undefined, hangOn: undefined });
    expect(await client.callTool('echo', { message: 'again' })).toEqual(said('again'));
    expect(server.openedSessions(), 'none is taken up again').toBe(sessions + 1);
    await client.close();
  });

  it('lets a call be aborted, which never runs, and can be used again', async () => {
    const situation = await make();
    const { server, client, call, certainty } = situation;
    const controller = new AbortController();
    const failure = failureOf(call({ signal: controller.signal }));
    await hasCome(situation);
    if (isKept) await until(() => expect(client.state.name).toBe('reconnecting'));
    controller.abort();
    expect(await failure).toMatchObject({ code: 'aborted', certainty });
    if (isReady) expect(await client.callTool('add', { a: 1, b: 2 })).toEqual(said('3'));
    await client.close();
    Object.assign(server.mischief, { endpoint: undefined, hangOn: undefined });
    expect(await client.callTool('echo', { message: 'next' })).toEqual(said('next'));
    const ran = runsOf(server, 'echo').map(({ params }) => params?.['arguments']);
    expect(ran).toEqual([{ message: 'next' }]);
    await client.close();
    await until(() => expect(server.openConnections()).toBe(0));
  });
});

describe('a connection that rests', () => {
  it('holds nothing, and closes', async () => {
    const server = await serve();
    const client = closeLater(await connect(server.url, { retry: { maxAttempts: 0 } }));
    server.cut();
    await until(() => expect(client.state.name).toBe('resting'));
    await until(() => expect(server.openConnections()).toBe(0));
    await client.close();
    expect(client.state.name).toBe('closed');
  });

  it('does not dial for a call that was aborted before', async () => {
    const server = await serve();
    const client = closeLater(await connect(server.url, { retry: { maxAttempts: 0 } }));
    server.cut();
    await until(() => expect(client.state.name).toBe('resting'));
    const call = client.callTool('echo', { message: 'x' }, { signal: AbortSignal.abort() });
    expect(await failureOf(call)).toMatchObject({ code: 'aborted', certainty: 'not-sent' });
    expect(client.state.name).toBe('resting');
    expect(runsOf(server, 'echo')).toEqual([]);
  });
});

it('closing and cutting at once, in any order, is one end', async () => {
  for (const closeFirst of [true, false]) {
    const server = await serve({ eventIds: true });
    const client = closeLater(await connect(server.url, quick));
    const calls = [1, 2, 3].map(() => failureOf(client.callTool('hang')));
    await until(() => expect(runsOf(server, 'hang')).toHaveLength(3));
    if (!closeFirst) server.cut();
    const closed = client.close();
    if (closeFirst) server.cut();
    await closed;
    for (const call of calls) {
      expect(await call).toMatchObject({ certainty: 'outcome-unknown' });
    }
    expect(client.state.name).toBe('closed');
    await until(() => expect(server.openConnections()).toBe(0));
  }
});
