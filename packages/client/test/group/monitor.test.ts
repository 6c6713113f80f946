import { afterEach, expect, it } from 'vitest';
import { until } from '../../../../test/support/until.ts';
import type { Health } from '../../src/index.ts';
import { createMonitor, type HealthChange } from '../../src/group/index.ts';
import { said } from '../support/recovery.ts';
import { failureOf } from '../support/failure-of.ts';
import { eventsOf, groupsOfThisFile, namesOf, statesIn, statusOf } from './support.ts';

const { serve, gateTo, group: groupOf } = groupsOfThisFile();

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

function watch(...[group, options]: Parameters<typeof createMonitor>) {
  const watching = createMonitor(group, { intervalMs: 5, ...options });
  closers.push(() => watching.stop());
  const changes: HealthChange[] = [];
  watching.on('change', (change) => changes.push(change));
  return { watching, changes };
}

const storyOf = (changes: HealthChange[], of: string): string[] =>
  changes.filter(({ server }) => server === of).map(({ health }) => health.status);

it('reports the health of each server, and reconnects one that was down', async () => {
  const [a, b] = [await serve(), await serve()];
  const gate = await gateTo(b);
  const group = groupOf({ a: a.url, b: gate.url });
  expect(await namesOf(group)).toHaveLength(10);
  const events = eventsOf(group);
  const { watching, changes } = watch(group, { timeoutMs: 1_000 });
  await until(() => expect(changes).toHaveLength(2));
  expect(changes).toMatchObject([
    { server: 'a', health: { status: 'healthy' }, previous: undefined },
    { server: 'b', health: { status: 'healthy', latencyMs: expect.any(Number) as number } },
  ]);
  gate.shut();
  await until(() => storyOf(changes, 'b').includes('down'));
  expect(statesIn(events, 'b')).toContain('reconnecting');
  await gate.open();
  await until(() => expect(storyOf(changes, 'b')).toEqual(['healthy', 'down', 'healthy']));
  expect(watching.health.get('b')?.status).toBe('healthy');
  expect(storyOf(changes, 'a')).toEqual(['healthy']);
  expect(await group.callTool('b__echo', { message: 'back' })).toEqual(said('back'));
});

it('connects anew to a server that is ready and does not answer', async () => {
  const a = await serve();
  const group = groupOf({ a: a.url });
  await group.connect();
  const { changes } = watch(group, { timeoutMs: 500 });
  await until(() => expect(storyOf(changes, 'a')).toEqual(['healthy']));
  a.mischief.hangOn = 'ping';
  await until(() => a.openedSessions() > 1);
  delete a.mischief.hangOn;
  await until(() => expect(storyOf(changes, 'a')).toEqual(['healthy', 'down', 'healthy']));
});

it('recovers nothing where that is not wanted', async () => {
  const a = await serve();
  const group = groupOf({ a: a.url });
  await group.connect();
  a.mischief.hangOn = 'ping';
  const { changes, watching } = watch(group, { timeoutMs: 5, recover: false });
  await until(() => expect(storyOf(changes, 'a')).toEqual(['down']));
  await until(() => a.messagesOf('ping').length > 3);
  await watching.stop();
  expect(a.openedSessions()).toBe(1);
});

it('goes by what a source says of itself, and recovers nothing that is at work', async () => {
  let health: Health = { status: 'degraded', reason: 'slow', latencyMs: 1, uptimeMs: 1 };
  const a = await serve();
  const group = groupOf({ a: a.url });
  await group.connect();
  Object.assign(group.server('a'), { health: () => Promise.resolve(health) });
  const running = failureOf(group.callTool('hang'));
  await until(() => expect(a.messagesOf('tools/call')).toHaveLength(1));
  const { changes, watching } = watch(group);
  await until(() => expect(storyOf(changes, 'a')).toEqual(['degraded']));
  health = { status: 'down', reason: 'busy', latencyMs: undefined, uptimeMs: 1 };
  await until(() => expect(storyOf(changes, 'a')).toEqual(['degraded', 'down']));
  expect(changes.at(-1)?.previous?.reason).toBe('slow');
  const asked = changes.length;
  await watching.stop();
  expect(changes).toHaveLength(asked);
  expect(a.openedSessions()).toBe(1);
  expect(statusOf(group, 'a')).toMatchObject({ state: 'ready', inFlight: 1 });
  await group.close();
  await running;
});

it('does not check what nobody uses', async () => {
  const [lazy, closed, disabled] = [await serve(), await serve(), await serve()];
  const group = groupOf({
    lazy: { target: lazy.url, lazy: true },
    closed: closed.url,
    disabled: { target: disabled.url, disabled: true },
    used: (await serve()).url,
  });
  await until(() => statusOf(group, 'used').state === 'ready');
  const { changes, watching } = watch(group);
  await until(() => storyOf(changes, 'used').length === 1);
  await group.close();
  const sessions = closed.openedSessions();
  await until(() => watching.health.size === 0);
  expect(lazy.requests).toEqual([]);
  expect(disabled.requests).toEqual([]);
  expect(closed.openedSessions()).toBe(sessions);
});

it.each([
  [{ intervalMs: 0 }, 'intervalMs'],
  [{ timeoutMs: -1 }, 'timeoutMs'],
  [{ recover: 'yes' as never }, 'recover'],
  [{ interval: 5 } as object, 'interval: no such option'],
])('refuses %j', async (options, message) => {
  const group = groupOf({}, { lazy: true });
  expect(() => createMonitor(group, options)).toThrow(TypeError);
  expect(() => createMonitor(group, options)).toThrow(message);
});
