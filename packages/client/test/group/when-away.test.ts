import { expect, it } from 'vitest';
import { until } from '../../../../test/support/until.ts';
import { failureOf } from '../support/failure-of.ts';
import { said } from '../support/recovery.ts';
import { groupsOfThisFile, statusOf } from './support.ts';

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
