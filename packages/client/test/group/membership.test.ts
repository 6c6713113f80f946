import { expect, it } from 'vitest';
import { until } from '../../../../test/support/until.ts';
import { createPool } from '../../src/pool/index.ts';
import { said } from '../support/recovery.ts';
import { failureOf } from '../support/failure-of.ts';
import { eventsOf, groupsOfThisFile, namesOf, statesIn, statusOf } from './support.ts';

const { serve, group: groupOf } = groupsOfThisFile();

const changesIn = (events: ReturnType<typeof eventsOf>, of: string): number =>
  events.filter(({ type, server }) => type === 'tools-changed' && server === of).length;

it('adds a server at run time, and announces its tools', async () => {
  const [a, b] = [await serve(), await serve()];
  const group = groupOf({ a: a.url });
  await group.connect();
  const events = eventsOf(group);
  group.add({ name: 'b', target: b.url });
  expect(() => group.add({ name: 'b', target: b.url })).toThrow('there are two named b');
  await until(() => changesIn(events, 'b') === 1);
  expect(await namesOf(group)).toContain('b__echo');
  expect(await group.callTool('b__echo', { message: 'x' })).toEqual(said('x'));
  expect(changesIn(events, 'b')).toBe(1);
  expect(changesIn(events, 'a')).toBe(0);
});

it('removes a server: its calls fail, its tools go, and nothing is left open', async () => {
  const [a, b] = [await serve(), await serve()];
  const group = groupOf({ a: a.url, b: { target: b.url, maxInFlight: 1 } });
  expect(await namesOf(group)).toHaveLength(10);
  const events = eventsOf(group);
  const running = failureOf(group.callTool('b__hang'));
  const waiting = failureOf(group.callTool('b__hang'));
  await until(() => expect(b.messagesOf('tools/call')).toHaveLength(1));
  await group.remove('b');
  expect(await running).toMatchObject({ code: 'closed', certainty: 'outcome-unknown' });
  expect(await waiting).toMatchObject({ code: 'closed', certainty: 'not-sent' });
  expect(changesIn(events, 'b')).toBe(1);
  expect(group.status().map(({ name }) => name)).toEqual(['a']);
  expect(await namesOf(group)).toHaveLength(5);
  expect(await failureOf(group.callTool('b__echo'))).toMatchObject({ code: 'unknown-tool' });
  await until(() => b.openConnections() === 0);
  expect(b.messagesOf('tools/call')).toHaveLength(1);
  await expect(group.remove('b')).rejects.toThrow(TypeError);
});

it('disables a server and enables it again', async () => {
  const [a, b] = [await serve(), await serve()];
  const group = groupOf({ a: a.url, b: b.url });
  expect(await namesOf(group)).toHaveLength(10);
  const events = eventsOf(group);
  await group.disable('b');
  expect(changesIn(events, 'b')).toBe(1);
  expect(statusOf(group, 'b')).toMatchObject({ disabled: true, state: 'closed', tools: 0 });
  expect(await namesOf(group)).toHaveLength(5);
  expect(await failureOf(group.callTool('b__echo'))).toMatchObject({
    certainty: 'not-sent',
    message: expect.stringContaining('b is disabled') as string,
  });
  expect(await failureOf(group.reconnect('b'))).toMatchObject({ certainty: 'not-sent' });
  expect(await group.health('b')).toMatchObject({ status: 'down', reason: 'it is disabled' });
  await group.connect();
  expect(b.openedSessions()).toBe(1);
  group.enable('b');
  await until(() => changesIn(events, 'b') === 2);
  expect(statesIn(events, 'b')).toEqual(['closed', 'connecting', 'ready']);
  expect(await group.callTool('b__echo', { message: 'x' })).toEqual(said('x'));
  expect(await namesOf(group)).toHaveLength(10);
});

it('does not use a server that was disabled from the beginning', async () => {
  const [a, b] = [await serve(), await serve()];
  const group = groupOf({ a: a.url, b: { target: b.url, disabled: true } });
  await group.connect();
  expect(await namesOf(group)).toHaveLength(5);
  expect(b.requests).toEqual([]);
  group.enable('b');
  await until(() => statusOf(group, 'b').state === 'ready');
  expect(await namesOf(group)).toHaveLength(10);
});

it('connects anew; calls in the queue stay in it', async () => {
  const [a, b] = [await serve(), await serve()];
  const group = groupOf({ a: { target: a.url, maxInFlight: 1 }, b: b.url });
  await group.listTools();
  const events = eventsOf(group);
  const running = failureOf(group.callTool('a__hang'));
  const waiting = group.callTool('a__echo', { message: 'later' });
  await until(() => expect(a.messagesOf('tools/call')).toHaveLength(1));
  await group.reconnect('a');
  expect(await running).toMatchObject({ code: 'closed' });
  expect(await waiting).toEqual(said('later'));
  expect(a.openedSessions()).toBe(2);
  expect(statusOf(group, 'a')).toMatchObject({ state: 'ready', reconnects: 1 });
  expect(changesIn(events, 'a')).toBe(1);
  expect(b.openedSessions()).toBe(1);
});

it('announces that the tools of a server have changed', async () => {
  const a = await serve();
  const group = groupOf({ a: a.url, b: (await serve()).url });
  await group.listTools();
  const events = eventsOf(group);
  a.push({ jsonrpc: '2.0', method: 'notifications/tools/list_changed' });
  await until(() => changesIn(events, 'a') === 1);
  expect(events).toContainEqual({
    type: 'notification',
    server: 'a',
    at: expect.any(Number) as number,
    method: 'notifications/tools/list_changed',
  });
});

it('is not disturbed by a listener that throws', async () => {
  const group = groupOf({ a: (await serve()).url, b: (await serve()).url });
  const thrown: unknown[] = [];
  group.on('state', () => {
    throw new Error('mine');
  });
  group.on('error', ({ error }) => {
    thrown.push(error.message);
    throw new Error('mine again');
  });
  expect(await namesOf(group)).toHaveLength(10);
  expect(thrown).toEqual(['mine', 'mine', 'mine', 'mine']);
});

it('says how a source is that has no word of its own for it', async () => {
  const server = await serve();
  const pool = createPool(server.url);
  const group = groupOf({ pool });
  expect(await group.health('pool', { slowMs: 10_000 })).toMatchObject({ status: 'healthy' });
  expect(await group.health('pool', { slowMs: 0.000_001 })).toMatchObject({ status: 'degraded' });
  await expect(group.health('pool', { slow: 1 } as object)).rejects.toThrow('slow: no such option');
  const signal = AbortSignal.abort();
  expect(await failureOf(group.health('pool', { signal }))).toMatchObject({ code: 'aborted' });
  await group.close();
  await pool.close();
});
