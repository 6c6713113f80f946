import type { Progress } from '@modelcontextprotocol/client';
import { expect, it } from 'vitest';
import type { RpcMessage } from '../../../../test/support/strict-mcp-session.ts';
import { until } from '../../../../test/support/until.ts';
import type { ClientOptions, TaskHandle } from '../../src/index.ts';
import { failureOf } from '../support/failure-of.ts';
import { quick, said } from '../support/recovery.ts';
import { atTheEndOfEachTest } from '../support/streamable.ts';
import { EXTENSION, ScriptedTasks } from './scripted-tasks.ts';

const { setUp } = atTheEndOfEachTest();

async function start(options: ClientOptions = quick) {
  const tasks = new ScriptedTasks();
  return { tasks, ...(await setUp(tasks.mischief, options)) };
}

const capabilitiesOf = ({ params = {} }: RpcMessage): unknown =>
  (params['_meta'] as Record<string, unknown>)['io.modelcontextprotocol/clientCapabilities'];

it('gives the result of the task that a call has become', async () => {
  const { tasks, server, client } = await start();
  const call = client.callTool('task_a', { x: 1 });
  await until(() => expect(server.messagesOf('tasks/get').length).toBeGreaterThan(2));
  tasks.only.complete('done');
  expect(await call).toEqual(said('done'));
  expect(server.messagesOf('tools/call')).toHaveLength(1);
});

it('says with each call of a tool, and with what belongs to tasks, that it takes tasks', async () => {
  const { tasks, server, client } = await start();
  tasks.first['status'] = 'completed';
  tasks.first['result'] = { content: [] };
  await client.callTool('task_a');
  await client.task('task-1').status();
  await client.listTools();
  const declared = { extensions: { [EXTENSION]: {} } };
  const asked = (method: string): unknown[] => server.messagesOf(method).map(capabilitiesOf);
  expect(asked('tools/call')).toEqual([declared]);
  expect(asked('tasks/get')).toEqual([declared]);
  expect(asked('tools/list')).toEqual([{}]);
});

it('tells the handle of the task once, before anything else of it', async () => {
  const { tasks, client } = await start();
  tasks.first['statusMessage'] = 'begun';
  const told: unknown[] = [];
  const call = client.callTool(
    'task_a',
    {},
    {
      onTask: (task) => told.push(task.taskId),
      onProgress: ({ message }) => told.push(message),
    },
  );
  await until(() => expect(told).toEqual(['task-1', 'begun']));
  tasks.only.complete('done');
  await call;
  expect(told).toEqual(['task-1', 'begun']);
});

it('a task can be taken up again by its id: asked how it is, waited for, cancelled', async () => {
  const { tasks, client } = await start();
  let handle: TaskHandle | undefined;
  const call = client.callTool('task_a', {}, { onTask: (task) => (handle = task) });
  await until(() => expect(handle).toBeDefined());
  const task = client.task(String(handle?.taskId));
  expect(task).toMatchObject({ taskId: 'task-1', server: client.name });
  expect(await task.status()).toMatchObject({ taskId: 'task-1', status: 'working', ttlMs: 60_000 });
  await task.cancel();
  expect(tasks.only.cancels).toBe(1);
  const result = task.result();
  tasks.only.complete('done');
  expect(await Promise.all([call, result])).toEqual([said('done'), said('done')]);
});

it('progress is told in order, and never goes back', async () => {
  const { tasks, server, client } = await start();
  const seen: Progress[] = [];
  const call = client.callTool('task_a', {}, { onProgress: (progress) => seen.push(progress) });
  const say = async (said: Record<string, unknown>): Promise<void> => {
    tasks.only.set(said);
    const before = server.messagesOf('tasks/get').length;
    await until(() => expect(server.messagesOf('tasks/get').length).toBeGreaterThan(before + 1));
  };
  const numbers = (progress: number): Record<string, unknown> => ({
    _meta: { 'longwire/progress': { progress, total: 9 } },
  });
  await until(() => expect(tasks.made).toHaveLength(1));
  await say({ statusMessage: 'first' });
  await say({ statusMessage: 'first' });
  await say(numbers(5));
  await say(numbers(3));
  await say({ statusMessage: 'last', ...numbers(9) });
  tasks.only.complete('done');
  await call;
  expect(seen).toEqual([
    { progress: 1, message: 'first' },
    { progress: 5, total: 9 },
    { progress: 9, total: 9 },
  ]);
});

it('asks the program once for what a task asks for, and sends its answer', async () => {
  const asked: unknown[] = [];
  const { tasks, server, client } = await start({
    ...quick,
    handlers: {
      elicitation: (params) => {
        asked.push(params.message);
        return { action: 'accept', content: { name: 'Ada' } };
      },
    },
  });
  const requestedSchema = { type: 'object', properties: { name: { type: 'string' } } };
  const call = client.callTool('task_a');
  await until(() => expect(tasks.made).toHaveLength(1));
  const params = { mode: 'form', message: 'Who?', requestedSchema };
  const inputRequests = { who: { method: 'elicitation/create', params } };
  tasks.only.set({ status: 'input_required', inputRequests });
  await until(() => expect(tasks.only.updates).toHaveLength(1));
  // The server may take its time to act on an answer.
  const before = server.messagesOf('tasks/get').length;
  await until(() => expect(server.messagesOf('tasks/get').length).toBeGreaterThan(before + 2));
  tasks.only.complete('Ada');
  expect(await call).toEqual(said('Ada'));
  expect(asked).toEqual(['Who?']);
  expect(tasks.only.updates).toEqual([{ who: { action: 'accept', content: { name: 'Ada' } } }]);
});

it('cancels a task that asks for something for which there is no handler', async () => {
  const { tasks, client } = await start();
  const call = failureOf(client.callTool('task_a'));
  await until(() => expect(tasks.made).toHaveLength(1));
  const inputRequests = { roots: { method: 'roots/list' } };
  tasks.only.set({ status: 'input_required', inputRequests });
  const error = await call;
  expect(error).toMatchObject({
    code: 'protocol',
    certainty: 'outcome-unknown',
    taskId: 'task-1',
  });
  expect(error.message).toContain('roots/list');
  await until(() => expect(tasks.only.cancels).toBe(1));
});

it.each([
  ['its signal', {}, 'aborted'],
  ['its idle time', { timeoutMs: 300 }, 'timeout'],
  ['its deadline', { deadlineMs: 300 }, 'deadline'],
] as const)('a call that %s ends cancels its task once', async (_what, limits, code) => {
  const { tasks, server, client } = await start();
  if (code === 'timeout') server.mischief.hangOn = 'tasks/get';
  const aborting = new AbortController();
  const options = {
    ...limits,
    signal: aborting.signal,
    onTask: () => code === 'aborted' && aborting.abort(),
  };
  const error = await failureOf(client.callTool('task_a', {}, options));
  expect(error).toMatchObject({ code, certainty: 'outcome-unknown', taskId: 'task-1' });
  await until(() => expect(tasks.only.cancels).toBe(1));
  await client.close();
  expect(tasks.only.cancels).toBe(1);
});

it('close() cancels no task', async () => {
  const { tasks, server, client } = await start();
  const call = failureOf(client.callTool('task_a'));
  await until(() => expect(server.messagesOf('tasks/get').length).toBeGreaterThan(0));
  await client.close();
  expect(await call).toMatchObject({
    code: 'closed',
    certainty: 'outcome-unknown',
    taskId: 'task-1',
  });
  expect(tasks.only.cancels).toBe(0);
  tasks.only.complete('later');
  expect(await client.task('task-1').result()).toEqual(said('later'));
});

it('a task that failed fails its call with the error of the server', async () => {
  const { tasks, client } = await start();
  const call = failureOf(client.callTool('task_a'));
  await until(() => expect(tasks.made).toHaveLength(1));
  tasks.only.set({ status: 'failed', error: { code: -32_000, message: 'no disk' } });
  expect(await call).toMatchObject({
    code: 'server-error',
    certainty: 'answered',
    number: -32_000,
    taskId: 'task-1',
  });
});

it('a server that lost what it did says what is certain', async () => {
  const { tasks, client } = await start();
  const call = failureOf(client.callTool('task_a'));
  await until(() => expect(tasks.made).toHaveLength(1));
  const data = { certainty: 'outcome-unknown' };
  tasks.only.set({ status: 'failed', error: { code: -32_603, message: 'restarted', data } });
  expect(await call).toMatchObject({ code: 'server-error', certainty: 'outcome-unknown' });
});

it('a task that its server does not know any more has an unknown outcome', async () => {
  const { tasks, client } = await start();
  const call = failureOf(client.callTool('task_a'));
  await until(() => expect(tasks.made).toHaveLength(1));
  tasks.made.splice(0);
  expect(await call).toMatchObject({
    code: 'server-error',
    certainty: 'outcome-unknown',
    number: -32_602,
    taskId: 'task-1',
  });
});
