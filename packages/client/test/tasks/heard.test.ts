import { expect, it } from 'vitest';
import type { StreamableServer } from '../../../../test/support/streamable-fixture.ts';
import { until } from '../../../../test/support/until.ts';
import { quick, said } from '../support/recovery.ts';
import { atTheEndOfEachTest } from '../support/streamable.ts';
import { ScriptedTasks, type ScriptedTask } from './scripted-tasks.ts';

const { setUp, serve, gateTo, client: clientOf } = atTheEndOfEachTest();

/** Of a server that wants to be asked so seldom that no test would see it. */
function rarely(): ScriptedTasks {
  const tasks = new ScriptedTasks();
  tasks.first['pollIntervalMs'] = 60_000;
  tasks.mischief.accepts = (notifications) => notifications;
  return tasks;
}

function say(server: StreamableServer, { said: params }: ScriptedTask): void {
  server.push({ jsonrpc: '2.0', method: 'notifications/tasks', params });
}

const asked = (server: StreamableServer): unknown[] =>
  server.messagesOf('subscriptions/listen').map(({ params }) => params?.['notifications']);

it('hears of the end of a task, and asks once for what it may have missed before', async () => {
  const tasks = rarely();
  const { server, client } = await setUp(tasks.mischief);
  const seen: unknown[] = [];
  const call = client.callTool('task_a', {}, { onProgress: ({ message }) => seen.push(message) });
  await until(() => expect(server.messagesOf('tasks/get')).toHaveLength(1));
  tasks.only.set({ statusMessage: 'half' });
  say(server, tasks.only);
  await until(() => expect(seen).toEqual(['half']));
  tasks.only.complete('done');
  say(server, tasks.only);
  expect(await call).toEqual(said('done'));
  expect(asked(server)).toEqual([{ taskIds: ['task-1'] }]);
  expect(server.messagesOf('tasks/get')).toHaveLength(1);
  await until(() => expect(server.openStreams()).toBe(0));
});

it('one stream is for all tasks of a client, and for what else it listens to', async () => {
  const tasks = rarely();
  const { server, client } = await setUp(tasks.mischief);
  const calls = ['a', 'b', 'c'].map((name) => client.callTool(`task_${name}`));
  await until(() =>
    expect(asked(server)).toContainEqual({ taskIds: ['task-1', 'task-2', 'task-3'] }),
  );
  await until(() => expect(server.openStreams()).toBe(1));
  for (const task of tasks.made) {
    task.complete(task.taskId);
    say(server, task);
  }
  const results = await Promise.all(calls);
  expect(results).toEqual(['task-1', 'task-2', 'task-3'].map(said));
});

it('a task that ended while there was no stream is found when there is one again', async () => {
  const tasks = rarely();
  const server = await serve(tasks.mischief);
  const gate = await gateTo(server);
  const client = clientOf(gate.url, quick);
  const call = client.callTool('task_a');
  await until(() => expect(server.messagesOf('tasks/get')).toHaveLength(1));
  gate.shut();
  await until(() => expect(server.openStreams()).toBe(0));
  tasks.only.complete('done');
  await gate.open();
  expect(await call).toEqual(said('done'));
  expect(server.messagesOf('tools/call')).toHaveLength(1);
});

it.each([
  ['says nothing of tasks', { accepts: () => ({}) }],
  ['knows no such request', { postFaults: [{ method: 'subscriptions/listen', status: 400 }] }],
])('a server that %s is asked, and not for that again', async (_what, mischief) => {
  const tasks = new ScriptedTasks();
  const { server, client } = await setUp({ ...tasks.mischief, ...mischief });
  const first = client.callTool('task_a');
  await until(() => expect(tasks.made).toHaveLength(1));
  await until(() => expect(server.requestsOf('POST').some(isListen)).toBe(true));
  tasks.only.complete('done');
  expect(await first).toEqual(said('done'));
  await until(() => expect(server.openStreams()).toBe(0));
  const second = client.callTool('task_b');
  await until(() => expect(tasks.made).toHaveLength(2));
  const before = server.messagesOf('tasks/get').length;
  await until(() => expect(server.messagesOf('tasks/get').length).toBeGreaterThan(before + 2));
  tasks.made[1]?.complete('too');
  expect(await second).toEqual(said('too'));
  expect(server.requestsOf('POST').filter(isListen)).toHaveLength(1);
});

function isListen({ json }: { json?: unknown }): boolean {
  return (json as { method?: string } | undefined)?.method === 'subscriptions/listen';
}
