import { expect, it } from 'vitest';
import type { StreamableMischief } from '../../../../test/support/streamable-fixture.ts';
import { RpcRefusal, type RpcMessage } from '../../../../test/support/strict-mcp-session.ts';
import { until } from '../../../../test/support/until.ts';
import type { ClientOptions, LongwireError, Waiting } from '../../src/index.ts';
import { failureOf } from '../support/failure-of.ts';
import { quick, said } from '../support/recovery.ts';
import { atTheEndOfEachTest } from '../support/streamable.ts';
import { ScriptedTasks } from './scripted-tasks.ts';

const { setUp, serve, gateTo, client: clientOf } = atTheEndOfEachTest();

async function start(mischief: StreamableMischief = {}, options: ClientOptions = quick) {
  const tasks = new ScriptedTasks();
  return { tasks, ...(await setUp({ ...tasks.mischief, ...mischief }, options)) };
}

async function startBehindGate(options: ClientOptions = quick) {
  const tasks = new ScriptedTasks();
  const server = await serve(tasks.mischief);
  const gate = await gateTo(server);
  return { tasks, server, gate, client: clientOf(gate.url, options) };
}

const roots = { roots: { method: 'roots/list' } };

it('a task is followed however often the connection is cut', async () => {
  const { tasks, server, gate, client } = await startBehindGate();
  const call = client.callTool('task_write');
  // Cut before it knows its task, the call would be of unknown outcome.
  await until(() => expect(server.messagesOf('tasks/get').length).toBeGreaterThan(0));
  for (let cut = 0; cut < 5; cut++) {
    const before = server.messagesOf('tasks/get').length;
    gate.proxy.cutAll();
    await until(() => expect(server.messagesOf('tasks/get').length).toBeGreaterThan(before));
  }
  tasks.only.complete('written');
  expect(await call).toEqual(said('written'));
  expect(server.messagesOf('tools/call')).toHaveLength(1);
});

it('a task is followed when its server was away, which its call is told', async () => {
  const { tasks, server, gate, client } = await startBehindGate();
  const waits: string[] = [];
  const onWaiting = ({ what }: Waiting): number => waits.push(what);
  const call = client.callTool('task_write', {}, { onWaiting });
  await until(() => expect(server.messagesOf('tasks/get').length).toBeGreaterThan(0));
  gate.shut();
  await until(() => expect(waits).toContain('the call of task_write'));
  tasks.only.complete('written');
  await gate.open();
  expect(await call).toEqual(said('written'));
});

it('a call that is not to wait for its server fails, and its task goes on', async () => {
  const { tasks, server, gate, client } = await startBehindGate();
  const call = failureOf(client.callTool('task_write', {}, { whenAway: 'fail' }));
  await until(() => expect(server.messagesOf('tasks/get').length).toBeGreaterThan(0));
  gate.shut();
  expect(await call).toMatchObject({
    code: 'connection-lost',
    certainty: 'outcome-unknown',
    taskId: 'task-1',
  });
  await gate.open();
  tasks.only.complete('written');
  expect(await client.task('task-1').result()).toEqual(said('written'));
  expect(tasks.only.cancels).toBe(0);
});

it.each([
  ['is lost', { breaksOff: true, status: 0 }],
  ['is answered with 500', { status: 500 }],
])('an answer that %s is sent again, the same, and nobody is asked again', async (_what, fault) => {
  let asked = 0;
  const handlers = { roots: () => [{ uri: `file:///${++asked}` }] };
  const postFaults = [{ method: 'tasks/update', times: 2, ...fault }];
  const { tasks, client } = await start({ postFaults }, { ...quick, handlers });
  const call = client.callTool('task_write');
  await until(() => expect(tasks.made).toHaveLength(1));
  tasks.only.set({ status: 'input_required', inputRequests: roots });
  await until(() => expect(tasks.only.updates.length).toBeGreaterThan(0));
  tasks.only.complete('written');
  expect(await call).toEqual(said('written'));
  for (const update of tasks.only.updates) {
    expect(update).toEqual({ roots: { roots: [{ uri: 'file:///1' }] } });
  }
  expect(asked).toBe(1);
});

it('a handler is told when the task needs no answer any more', async () => {
  const events: string[] = [];
  const elicitation = (_params: unknown, { signal }: { signal: AbortSignal }): Promise<never> => {
    events.push('asked');
    signal.addEventListener('abort', () => events.push('withdrawn'));
    return new Promise(() => {});
  };
  const { tasks, client } = await start({}, { ...quick, handlers: { elicitation } });
  const call = client.callTool('task_write');
  await until(() => expect(tasks.made).toHaveLength(1));
  const params = { message: 'Sure?', requestedSchema: { type: 'object', properties: {} } };
  const inputRequests = { sure: { method: 'elicitation/create', params } };
  tasks.only.set({ status: 'input_required', inputRequests });
  await until(() => expect(events).toEqual(['asked']));
  tasks.only.set({ status: 'working', inputRequests: undefined });
  await until(() => expect(events).toEqual(['asked', 'withdrawn']));
  tasks.only.complete('written');
  expect(await call).toEqual(said('written'));
});

const GARBAGE: [string, Record<string, unknown>][] = [
  ['nothing', {}],
  ['another task', { taskId: 'other', status: 'completed', result: { content: [] } }],
  ['no status', { taskId: 'task-1', status: 'sleeping' }],
];

it.each(GARBAGE)(
  'a server that once says %s is asked again, and that is told',
  async (_what, garbage) => {
    const { tasks, server, client } = await start();
    const errors: LongwireError[] = [];
    client.on('error', (error) => errors.push(error));
    const call = client.callTool('task_write');
    await until(() => expect(server.messagesOf('tasks/get').length).toBeGreaterThan(0));
    tasks.instead = ({ method }) => {
      if (method !== 'tasks/get') return undefined;
      tasks.instead = () => undefined;
      tasks.only.complete('written');
      return garbage;
    };
    expect(await call).toEqual(said('written'));
    expect(errors).toMatchObject([{ code: 'protocol', taskId: 'task-1' }]);
  },
);

it.each([
  ...GARBAGE.map(([what, garbage]) => [`says ${what}`, () => garbage, 'protocol'] as const),
  ['has failed', () => new RpcRefusal(-32_603, 'oops'), 'server-error'] as const,
])(
  'a server that always %s ends the waiting, which the task may survive',
  async (_what, answer, code) => {
    const { tasks, client } = await start();
    tasks.instead = ({ method }) => (method === 'tasks/get' ? answer() : undefined);
    const error = await failureOf(client.callTool('task_write'));
    expect(error).toMatchObject({ code, certainty: 'outcome-unknown', taskId: 'task-1' });
    expect(tasks.only.cancels).toBe(0);
  },
);

it.each([
  ['no id', {}],
  ['an id that is no text', { taskId: 7, status: 'working' }],
  ['no status', { taskId: 'task-1' }],
])('a task that has %s at first cannot be followed', async (_what, task) => {
  const { tasks, client } = await start();
  tasks.instead = ({ method }) =>
    method === 'tools/call' ? { ...task, resultType: 'task' } : undefined;
  expect(await failureOf(client.callTool('task_write'))).toMatchObject({
    code: 'protocol',
    certainty: 'outcome-unknown',
  });
});

it.each([
  ['a list of tools', 'tools/list'],
  ['a resource', 'resources/read'],
  ['a prompt', 'prompts/get'],
])('a task in place of %s breaks the protocol', async (_what, of) => {
  const { tasks, server, client } = await start();
  const task = { resultType: 'task', taskId: 'task-1', status: 'working' };
  tasks.instead = ({ method }: RpcMessage) => (method === of ? task : undefined);
  const ask = {
    'tools/list': () => client.listTools(),
    'resources/read': () => client.readResource('file:///a'),
    'prompts/get': () => client.getPrompt('a'),
  }[of] as () => Promise<unknown>;
  expect(await failureOf(ask())).toMatchObject({ code: 'protocol', certainty: 'answered' });
  expect(server.messagesOf('tasks/get')).toEqual([]);
});

it('a task that has no result object has ended all the same', async () => {
  const { tasks, client } = await start();
  const call = failureOf(client.callTool('task_write'));
  await until(() => expect(tasks.made).toHaveLength(1));
  tasks.only.set({ status: 'completed', result: 'fine' });
  expect(await call).toMatchObject({ code: 'protocol', certainty: 'answered', taskId: 'task-1' });
});

it.each([
  [0, 'ttl 0', { ttlMs: 0, pollIntervalMs: 0 }],
  [1, 'no dates', { createdAt: 7, lastUpdatedAt: 'yesterday', ttlMs: 'long' }],
  [2, 'a poll interval below zero', { pollIntervalMs: -1 }],
])('case %d: a task with %s is followed as any other', async (_case, _what, odd) => {
  const { tasks, server, client } = await start();
  Object.assign(tasks.first, odd);
  const call = client.callTool('task_write');
  await until(() => expect(server.messagesOf('tasks/get').length).toBeGreaterThan(1));
  tasks.only.said = { ...tasks.only.said, status: 'completed', result: said('written') };
  expect(await call).toEqual(said('written'));
});

it('a server that never takes an answer ends the call, and the task is cancelled', async () => {
  const handlers = { roots: () => [] };
  const { tasks, server, client } = await start({}, { ...quick, handlers });
  tasks.instead = ({ method }) =>
    method === 'tasks/update' ? new RpcRefusal(-32_603, 'full') : undefined;
  const call = failureOf(client.callTool('task_write'));
  await until(() => expect(tasks.made).toHaveLength(1));
  tasks.only.set({ status: 'input_required', inputRequests: roots });
  expect(await call).toMatchObject({
    code: 'protocol',
    certainty: 'outcome-unknown',
    taskId: 'task-1',
  });
  expect(server.messagesOf('tasks/update')).toHaveLength(5);
  await until(() => expect(tasks.only.cancels).toBe(1));
});
