import { expect, test } from 'vitest';
import { until } from '../../../../test/support/until.ts';
import { createTransport } from '../../src/index.ts';
import { createGroup } from '../../src/group/index.ts';
import { createPool } from '../../src/pool/index.ts';
import { failureOf } from '../support/failure-of.ts';
import { atTheEndOfEachTest, quick, said } from '../support/recovery.ts';

const { serve, client: makeClient, closeLater } = atTheEndOfEachTest();

const MINUTE = 60_000;
/** Long enough for a group to connect and list the tools first: that has the same limit. */
const LIST_MS = 1500;

test('timeouts.callMs goes for each call of a client; its own timeoutMs overrides it', async () => {
  const server = await serve({ hangOnCall: true });
  const client = makeClient(server.url, { ...quick, timeouts: { callMs: 20 } });
  const own = client.callTool('echo', { message: 'own' }, { timeoutMs: MINUTE });
  await until(() => expect(server.messagesOf('tools/call')).toHaveLength(1));
  expect(await failureOf(client.callTool('hang'))).toMatchObject({
    code: 'timeout',
    message: expect.stringContaining('for 20 ms') as string,
  });
  server.mischief.hangOnCall = false;
  server.cut();
  expect(await failureOf(own)).toMatchObject({ code: 'connection-lost' });
});

test('timeouts.deadlineMs too; its own deadlineMs overrides it', async () => {
  const server = await serve({ hangOnCall: true });
  const client = makeClient(server.url, { ...quick, timeouts: { deadlineMs: 20 } });
  const own = failureOf(client.callTool('echo', { message: 'own' }, { deadlineMs: MINUTE }));
  expect(await failureOf(client.callTool('hang'))).toMatchObject({ code: 'deadline' });
  await until(() => expect(server.messagesOf('tools/call').length).toBeGreaterThan(0));
  server.mischief.hangOnCall = false;
  server.cut();
  expect(await own).toMatchObject({ code: 'connection-lost' });
});

test('in a pool they include the time that a call waits for a connection', async () => {
  const server = await serve({ hangOnCall: true });
  const pool = closeLater(createPool(server.url, { ...quick, size: 1, timeouts: { callMs: 20 } }));
  const first = failureOf(pool.callTool('hang', {}, { timeoutMs: MINUTE }));
  await until(() => expect(server.messagesOf('tools/call')).toHaveLength(1));
  expect(await failureOf(pool.callTool('hang'))).toMatchObject({
    code: 'timeout',
    certainty: 'not-sent',
  });
  await pool.close();
  expect(await first).toMatchObject({ code: 'closed' });
});

test('in a group they go for a server and its queue, those of the server before the shared', async () => {
  const [a, b] = [await serve({ hangOnCall: true }), await serve({ hangOnCall: true })];
  const group = closeLater(
    createGroup(
      {
        a: { target: a.url, maxInFlight: 1, options: { timeouts: { deadlineMs: LIST_MS } } },
        b: { target: b.url, maxInFlight: 1 },
      },
      { shared: { ...quick, timeouts: { deadlineMs: MINUTE } } },
    ),
  );
  const first = failureOf(group.callTool('a__hang', {}, { deadlineMs: MINUTE }));
  const other = failureOf(group.callTool('b__hang'));
  await until(() => expect(a.messagesOf('tools/call')).toHaveLength(1));
  expect(await failureOf(group.callTool('a__hang'))).toMatchObject({
    code: 'deadline',
    certainty: 'not-sent',
  });
  await group.close();
  expect(await first).toMatchObject({ code: 'closed' });
  expect(await other).toMatchObject({ code: 'closed' });
});

test('a client of the program has its own, in a group too', async () => {
  const server = await serve({ hangOnCall: true });
  const client = makeClient(server.url, { ...quick, timeouts: { deadlineMs: LIST_MS } });
  const group = closeLater(createGroup({ mine: { client, maxInFlight: 1 } }));
  expect(await failureOf(group.callTool('mine__hang'))).toMatchObject({ code: 'deadline' });
  server.mischief.hangOnCall = false;
  expect(await group.callTool('mine__echo', { message: 'x' }, { deadlineMs: MINUTE })).toEqual(
    said('x'),
  );
});

test('a transport has none: the time of a call is its Client’s', () => {
  expect(() =>
    createTransport('http://127.0.0.1:9', { timeouts: { callMs: 5 } as object }),
  ).toThrow(new TypeError('timeouts.callMs: no such option; there are connectMs'));
});
