import { describe, expect, it } from 'vitest';
import { startHostileSse, type Mischief } from '../../../../test/support/hostile-sse.ts';
import {
  answeredWordings,
  failedWordings,
  refusedWordings,
} from '../../../../test/support/session-gone.ts';
import { until } from '../../../../test/support/until.ts';
import { connect } from '../../src/index.ts';
import { failureOf } from '../support/failure-of.ts';
import { quick, runsOf, said, statesOf } from '../support/recovery.ts';
import { atTheEndOfEachTest } from '../support/streamable.ts';

const { closeLater, setUp: setUpStreamable } = atTheEndOfEachTest();

const setUps = {
  sse: async (mischief?: Mischief) => {
    const server = closeLater(await startHostileSse(mischief));
    return { server, client: closeLater(await connect(server.url, quick)) };
  },
  'streamable-http': setUpStreamable,
};
const transports = ['sse', 'streamable-http'] as const;
const named = (transport: (typeof transports)[number]) =>
  [...refusedWordings, ...(transport === 'streamable-http' ? answeredWordings : [])].map(
    ({ name, answer }) => [name, answer] as const,
  );

describe.each(transports)('a session that is gone over %s', (transport) => {
  const setUp = setUps[transport];

  it.each(named(transport))(
    'is detected by one ping, and needs one handshake: %s',
    async (_name, lostSessionAnswer) => {
      const { server, client } = await setUp({ lostSessionAnswer });
      await client.callTool('echo', { message: 'before' });
      server.dropSessions();
      const calls = [1, 2, 3].map((n) => client.callTool('echo', { message: `m${n}` }));
      expect(await Promise.all(calls)).toEqual(calls.map((_call, n) => said(`m${n + 1}`)));
      expect(runsOf(server, 'echo'), 'each ran once').toHaveLength(4);
      expect(server.openedSessions()).toBe(2);
      const pings = server.requests.filter(({ body }) => body.includes('"ping"'));
      expect(pings.length).toBeLessThan(2);
    },
  );

  it.each(failedWordings.map(({ name, answer }) => [name, answer] as const))(
    'is detected also when it is not known what ran: %s',
    async (_name, lostSessionAnswer) => {
      const { server, client } = await setUp({ lostSessionAnswer });
      await client.callTool('echo', { message: 'before' });
      server.dropSessions();
      const look = client.callTool('echo', { message: 'safe' }, { idempotent: true });
      const write = client.callTool('add', { a: 1, b: 1 }).catch((error: unknown) => error);
      expect(await look).toEqual(said('safe'));
      const met = await write;
      // Over HTTP+SSE a 503 comes from a gateway, which ran nothing.
      if (transport === 'sse' && lostSessionAnswer.status === 503) expect(met).toEqual(said('2'));
      else expect(met).toMatchObject({ certainty: 'outcome-unknown' });
      expect(server.openedSessions()).toBe(2);
      expect(await client.callTool('add', { a: 2, b: 1 })).toEqual(said('3'));
    },
  );
});

describe.each(transports)('a session that exists over %s', (transport) => {
  const setUp = setUps[transport];

  it.each<[number, string]>([
    [400, 'arguments: message must be a string'],
    [400, 'Invalid session ID'],
    [401, 'this tool is for others'],
    [403, 'Session not found'],
    [409, 'not now'],
    [422, 'no session with this customer'],
    [500, 'Session not found'],
  ])('is not left for one request that was answered %i %s', async (status, body) => {
    const { server, client } = await setUp({ postFaults: [{ tool: 'echo', status, body }] });
    const states = statesOf(client);
    expect(await failureOf(client.callTool('echo', { message: 'x' }))).toMatchObject({
      name: 'HttpStatusError',
      status,
      certainty: status < 500 ? 'refused' : 'outcome-unknown',
    });
    expect(await client.callTool('add', { a: 1, b: 2 })).toEqual(said('3'));
    expect(server.openedSessions()).toBe(1);
    expect(states).toEqual([]);
  });

  it('needs one handshake and no more, also when every ping is refused', async () => {
    const { server, client } = await setUp({
      postFaults: [
        { tool: 'echo', status: 400, body: 'no' },
        { method: 'ping', status: 400, body: 'no' },
      ],
    });
    for (const n of [1, 2]) {
      expect(await failureOf(client.callTool('echo', { message: 'x' }))).toMatchObject({
        name: 'HttpStatusError',
        status: 400,
        certainty: 'refused',
      });
      expect(await client.callTool('add', { a: 1, b: n })).toEqual(said(String(1 + n)));
    }
    expect(server.openedSessions()).toBe(3);
  });

  it('reports refused credentials as such', async () => {
    const { server, client } = await setUp();
    await client.callTool('echo', { message: 'x' });
    server.mischief.requiredHeaders = { authorization: 'Bearer new' };
    expect(await failureOf(client.callTool('echo', { message: 'x' }))).toMatchObject({
      code: 'unauthorized',
      certainty: 'refused',
    });
    delete server.mischief.requiredHeaders;
    expect(await client.callTool('echo', { message: 'y' })).toEqual(said('y'));
  });
});

describe.each([502, 503, 504, 521])('a gateway that answers %i for a while', (status) => {
  it.each(transports)('is waited for by safe calls over %s', async (transport) => {
    const { server, client } = await setUps[transport]();
    await client.callTool('echo', { message: 'before' });
    const away = { status, body: 'Bad gateway' };
    server.mischief.postFaults = [
      { tool: 'echo', ...away },
      { tool: 'add', ...away },
      { method: 'ping', ...away },
      { method: 'initialize', ...away },
      { method: 'server/discover', ...away },
    ];
    const look = client.callTool('echo', { message: 'safe' }, { idempotent: true });
    if (transport === 'streamable-http' || status !== 503) {
      expect(await failureOf(client.callTool('add', { a: 1, b: 1 }))).toMatchObject({
        certainty: 'outcome-unknown',
      });
    }
    await until(() =>
      expect(server.requests.filter(({ body }) => body.includes('"ping"'))).not.toEqual([]),
    );
    delete server.mischief.postFaults;
    expect(await look).toEqual(said('safe'));
    expect(runsOf(server, 'echo')).toHaveLength(2);
    expect(client.state.name).toBe('ready');
  });
});
