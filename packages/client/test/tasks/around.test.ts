import { expect, it } from 'vitest';
import { until } from '../../../../test/support/until.ts';
import { createGroup } from '../../src/group/index.ts';
import type { ClientOptions, McpRequest, Middleware, TaskHandle } from '../../src/index.ts';
import { metrics } from '../../src/middleware/metrics.ts';
import { timeout } from '../../src/middleware/timeout.ts';
import { createPool } from '../../src/pool/index.ts';
import { failureOf } from '../support/failure-of.ts';
import { quick, said } from '../support/recovery.ts';
import { atTheEndOfEachTest } from '../support/streamable.ts';
import { ScriptedTasks } from './scripted-tasks.ts';

const { setUp, serve, closeLater } = atTheEndOfEachTest();

async function start(options: ClientOptions = {}) {
  const tasks = new ScriptedTasks();
  return { tasks, ...(await setUp(tasks.mischief, { ...quick, ...options })) };
}

/** Ends the first task when it has been asked for a few times. */
async function finish(
  tasks: ScriptedTasks,
  result: object = said('done') as object,
): Promise<void> {
  await until(() => expect(tasks.made.length).toBeGreaterThan(0));
  for (const task of tasks.made) task.set({ status: 'completed', result });
}

it('middlewares and metrics see one call, with the result of the task', async () => {
  const seen: [string, unknown][] = [];
  const middleware: Middleware = async (request: McpRequest, next) => {
    const response = await next();
    if (!request.internal) seen.push([request.method, response.result]);
    return response;
  };
  const measured = metrics();
  const { tasks, server, client } = await start({ middleware: [middleware, measured] });
  const call = client.callTool('task_a');
  await until(() => expect(server.messagesOf('tasks/get').length).toBeGreaterThan(1));
  await finish(tasks);
  await call;
  expect(seen).toEqual([['tools/call', said('done')]]);
  expect(measured.snapshot().map(({ method, count }) => [method, count])).toEqual([
    ['tools/call', 1],
  ]);
  expect(client.stats().calls).toMatchObject({ succeeded: 1, inFlight: 0 });
});

it.each([
  ['throws', (): void => expect.fail('no room')],
  ['rejects', (): Promise<void> => Promise.reject(new Error('no room'))],
])('gives the result also when onTask %s', async (_how, onTask: () => unknown) => {
  const { tasks, client } = await start();
  const call = client.callTool('task_a', {}, { onTask });
  await finish(tasks);
  expect(await call).toEqual(said('done'));
});

it('whoever waits for the task of a call does not change what the call asks with', async () => {
  const { tasks, server, client } = await start();
  const headers = { 'x-tenant': 'blue' };
  let task: TaskHandle | undefined;
  const call = client.callTool('task_a', {}, { headers, onTask: (made) => (task = made) });
  await until(() => expect(task).toBeDefined());
  const other = task?.result();
  const asked = (tenant: string | undefined): number =>
    server.requests.filter(
      ({ headers: sent }) => sent['mcp-method'] === 'tasks/get' && sent['x-tenant'] === tenant,
    ).length;
  await until(() => expect(asked(undefined)).toBeGreaterThan(1));
  const before = asked('blue');
  await until(() => expect(asked('blue')).toBeGreaterThan(before + 1));
  await finish(tasks);
  expect(await Promise.all([call, other])).toEqual([said('done'), said('done')]);
});

it('whoever stops waiting for a task is not told that nothing has run', async () => {
  const { tasks, server, client } = await start();
  const pool = closeLater(createPool(server.url, { ...quick, size: 1 }));
  const call = failureOf(client.callTool('task_a'));
  await until(() => expect(tasks.made.length).toBe(1));
  const unknown = { certainty: 'outcome-unknown', taskId: 'task-1' };
  for (const one of [client, pool]) {
    const late = await failureOf(one.task('task-1').result({ deadlineMs: 200 }));
    expect(late).toMatchObject({ code: 'deadline', ...unknown });
    expect(late.message).not.toContain('had not been sent');
    const left = await failureOf(one.task('task-1').result({ signal: AbortSignal.abort() }));
    expect(left).toMatchObject({ code: 'aborted', ...unknown });
  }
  const waiting = failureOf(pool.task('task-1').result());
  await pool.close();
  expect(await waiting).toMatchObject({ code: 'closed', ...unknown });
  await finish(tasks);
  await client.close();
  await call;
});

it('a middleware that ends a call cancels its task', async () => {
  const { tasks, client } = await start({ middleware: [timeout({ defaultMs: 300 })] });
  const error = await failureOf(client.callTool('task_a'));
  expect(error).toMatchObject({ code: 'timeout', taskId: 'task-1' });
  await until(() => expect(tasks.only.cancels).toBe(1));
});

it('headers of a call go with what is asked for its task', async () => {
  const { tasks, server, client } = await start();
  const aborting = new AbortController();
  const headers = { 'x-tenant': 'blue' };
  const call = failureOf(client.callTool('task_a', {}, { headers, signal: aborting.signal }));
  await until(() => expect(server.messagesOf('tasks/get').length).toBeGreaterThan(0));
  aborting.abort();
  await call;
  await until(() => expect(tasks.only.cancels).toBe(1));
  const ofTask = server.requests.filter(({ headers }) =>
    String(headers['mcp-method']).startsWith('tasks/'),
  );
  expect(ofTask.length).toBeGreaterThan(1);
  for (const request of ofTask) expect(request.headers['x-tenant']).toBe('blue');
});

it('structured content and schemas are checked as of any other result', async () => {
  const outputSchema = { type: 'object', properties: { n: { type: 'number' } }, required: ['n'] };
  const { tasks, client } = await start();
  tasks.instead = ({ method }) =>
    method === 'tools/list'
      ? { tools: [{ name: 'task_a', inputSchema: { type: 'object' }, outputSchema }] }
      : undefined;
  await client.listTools();
  const call = failureOf(client.callTool('task_a'));
  await finish(tasks, { content: [], structuredContent: { n: 'one' } });
  expect(await call).toMatchObject({ code: 'protocol', certainty: 'answered', taskId: 'task-1' });
  const thrown = failureOf(client.callTool('task_a', {}, { throwOnToolError: true }));
  await until(() => expect(tasks.made).toHaveLength(2));
  await finish(tasks, { content: [], isError: true });
  expect(await thrown).toMatchObject({ code: 'tool-error', taskId: 'task-2' });
});

it('the stream of a call has the progress of its task, and its result', async () => {
  const { tasks, client } = await start();
  tasks.first['statusMessage'] = 'begun';
  const types: string[] = [];
  for await (const event of client.stream('task_a')) {
    types.push(event.type);
    if (event.type === 'progress') await finish(tasks);
  }
  expect(types).toEqual(['progress', 'result']);
});

it('a call through client.sdk never becomes a task', async () => {
  const { server, client } = await start();
  await client.sdk.callTool({ name: 'echo', arguments: { message: 'x' } });
  const [call] = server.messagesOf('tools/call');
  expect(JSON.stringify(call)).not.toContain('extensions');
});

it('a principal has tasks of its own, by its own credentials', async () => {
  const { tasks, server, client } = await start();
  const ada = client.as('ada', { token: 'of-ada' });
  let handle: TaskHandle | undefined;
  const call = ada.callTool('task_a', {}, { onTask: (task) => (handle = task) });
  await until(() => expect(handle).toBeDefined());
  expect(await handle?.status()).toMatchObject({ status: 'working' });
  const principal = { id: 'ada' };
  expect(await client.task('task-1').status({ principal })).toMatchObject({ taskId: 'task-1' });
  await finish(tasks);
  expect(await Promise.all([call, handle?.result()])).toEqual([said('done'), said('done')]);
  const asked = server.requests.filter(({ headers }) => headers['mcp-method'] === 'tasks/get');
  for (const { headers } of asked) expect(headers['authorization']).toBe('Bearer of-ada');
});

it('a pool takes up a task on any of its connections', async () => {
  const tasks = new ScriptedTasks();
  const { url } = await serve(tasks.mischief);
  const pool = closeLater(createPool(url, { ...quick, name: 'many', size: 2 }));
  let handle: TaskHandle | undefined;
  const call = pool.callTool('task_a', {}, { onTask: (task) => (handle = task) });
  await until(() => expect(handle).toBeDefined());
  expect(handle?.server).toBe('many');
  expect(await handle?.status()).toMatchObject({ status: 'working' });
  await finish(tasks);
  expect(await Promise.all([call, pool.task('task-1').result()])).toEqual([
    said('done'),
    said('done'),
  ]);
});

it('a group says on which server a task is', async () => {
  const tasks = new ScriptedTasks();
  const { url } = await serve(tasks.mischief);
  tasks.instead = ({ method }) =>
    method === 'tools/list'
      ? { tools: [{ name: 'task_a', inputSchema: { type: 'object' } }] }
      : undefined;
  const group = closeLater(createGroup({ one: { target: url }, two: { target: url } }));
  const told: TaskHandle[] = [];
  const call = group.callTool('two__task_a', {}, { onTask: (task) => told.push(task) });
  await until(() => expect(told.map(({ server }) => server)).toEqual(['two']));
  expect(() => group.task('task-1', 'three')).toThrow(TypeError);
  expect(() => group.task('', 'two')).toThrow('taskId');
  expect(await group.task('task-1', 'two').status()).toMatchObject({ status: 'working' });
  await finish(tasks);
  expect(await Promise.all([call, told[0]?.result()])).toEqual([said('done'), said('done')]);
  const ada = group.as('ada', { token: 'of-ada' });
  expect(await ada.task('task-1', 'one').result()).toEqual(said('done'));
});

it('a tool that asks first, and then becomes a task, gives the result of the task', async () => {
  const handlers = { roots: () => [{ uri: 'file:///a' }] };
  const { tasks, server, client } = await start({ handlers });
  tasks.instead = ({ method, params }) =>
    method === 'tools/call' && params?.['inputResponses'] === undefined
      ? { resultType: 'input_required', inputRequests: { roots: { method: 'roots/list' } } }
      : undefined;
  const call = client.callTool('task_a');
  await until(() => expect(tasks.made).toHaveLength(1));
  await finish(tasks);
  expect(await call).toEqual(said('done'));
  expect(server.messagesOf('tools/call')).toHaveLength(2);
});

it('so does a tool whose arguments are in headers, too', async () => {
  const { tasks, client } = await start();
  const inputSchema = {
    type: 'object',
    properties: { region: { type: 'string', 'x-mcp-header': 'Region' } },
  };
  tasks.instead = ({ method }) =>
    method === 'tools/list' ? { tools: [{ name: 'task_a', inputSchema }] } : undefined;
  await client.listTools();
  const call = client.callTool('task_a', { region: 'north' });
  await finish(tasks);
  expect(await call).toEqual(said('done'));
  const aborting = new AbortController();
  const onTask = (): void => aborting.abort();
  const { signal } = aborting;
  const error = await failureOf(client.callTool('task_a', { region: 'x' }, { signal, onTask }));
  expect(error).toMatchObject({ code: 'aborted', taskId: 'task-2' });
  await until(() => expect(tasks.made[1]?.cancels).toBe(1));
});
