import { expect, it } from 'vitest';
import { until } from '../../../../test/support/until.ts';
import { failureOf } from '../support/failure-of.ts';
import { said } from '../support/recovery.ts';
import { groupsOfThisFile, latch, statusOf } from './support.ts';

const { serve, gateTo, group: groupOf } = groupsOfThisFile();

const shared = { retry: { firstDelayMs: 20, maxDelayMs: 50, maxAttempts: 1000 } };
const notSent = { code: 'connection-lost', certainty: 'not-sent' };

it('a call that is not to wait needs no turn behind those that wait', async () => {
  const gate = await gateTo(await serve());
  const group = groupOf({ a: gate.url, b: (await serve()).url }, { shared, maxInFlight: 1 });
  await group.listTools();
  const events = group.events({ types: ['waiting'] });
  gate.shut();
  await until(() => expect(statusOf(group, 'a').state).toBe('reconnecting'));
  const patient = ['1', '2'].map((message) => group.callTool('a__echo', { message }));
  expect(statusOf(group, 'a')).toMatchObject({ inFlight: 1, waiting: 1 });
  const urgent = group.callTool('a__echo', { message: 'urgent' }, { whenAway: 'fail' });
  expect(await failureOf(urgent)).toMatchObject(notSent);
  const { value } = await events.next();
  expect(value).toMatchObject({ type: 'waiting', server: 'a', what: 'the call of echo' });
  await gate.open();
  expect(await Promise.all(patient)).toEqual(['1', '2'].map(said));
});

it('a call of a principal goes by the connection of the principal', async () => {
  const gate = await gateTo(await serve());
  const group = groupOf(
    { a: { target: gate.url, lazy: true } },
    { shared: { ...shared, whenAway: 'fail' }, maxInFlight: 1, breaker: { failures: 3 } },
  );
  const ann = group.as('ann');
  await ann.callTool('echo', { message: '1' });
  // The group itself has no connection: only that of the principal is lost.
  expect(statusOf(group, 'a').state).toBe('idle');
  gate.shut();
  await until(() => expect(ann.server('a').state.name).toBe('reconnecting'));
  expect(await failureOf(ann.callTool('echo'))).toMatchObject(notSent);
  expect(statusOf(group, 'a').breaker).toMatchObject({ state: 'closed', failures: 1 });
  await gate.open();
  await until(() => expect(ann.server('a').state.name).toBe('ready'));
  expect(await ann.callTool('echo', { message: '2' })).toEqual(said('2'));
});

it('a call of a principal takes turns although the group cannot reach the server for itself', async () => {
  const held = latch();
  const server = await serve({
    requiredHeaders: { authorization: 'Bearer ann' },
    holdPost: ({ method }) => (method === 'tools/call' ? held.opened : undefined),
  });
  const group = groupOf({ a: server.url }, { shared: { whenAway: 'fail' }, maxInFlight: 1 });
  await until(() => expect(statusOf(group, 'a').state).toBe('resting'));
  const ann = group.as('ann', { token: 'ann' });
  await ann.listTools();
  const calls = ['1', '2'].map((message) => ann.callTool('echo', { message }));
  await until(() => expect(statusOf(group, 'a')).toMatchObject({ inFlight: 1, waiting: 1 }));
  held.open();
  expect(await Promise.all(calls)).toEqual(['1', '2'].map(said));
});

it('what the servers share, and what one says itself, is what its calls do', async () => {
  const gates = [await gateTo(await serve()), await gateTo(await serve())] as const;
  const [a, b] = gates;
  const group = groupOf(
    { a: a.url, b: { target: b.url, options: { whenAway: 'wait' } } },
    { shared: { ...shared, whenAway: 'fail' } },
  );
  await group.listTools();
  for (const gate of gates) gate.shut();
  await until(() => {
    for (const { state } of group.status()) expect(state).toBe('reconnecting');
  });
  expect(await failureOf(group.callTool('a__echo'))).toMatchObject(notSent);
  const patient = group.callTool('b__echo', { message: 'x' });
  await b.open();
  expect(await patient).toEqual(said('x'));
});

it('a tool of a server that was never there is not waited for either', async () => {
  const gate = await gateTo(await serve());
  gate.shut();
  const group = groupOf({ a: gate.url, b: (await serve()).url }, { shared: { whenAway: 'fail' } });
  await group.connect();
  expect(await failureOf(group.callTool('a__echo'))).toMatchObject({
    code: 'connect-failed',
    certainty: 'not-sent',
    message: expect.stringContaining('was given up: a is away') as string,
  });
});
