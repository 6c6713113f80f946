import { McpServer } from '@modelcontextprotocol/server';
import { describe, expect, it } from 'vitest';
import { serve, type Authenticate, type TasksOptions } from '../../src/index.ts';
import { open } from '../fixture.ts';
import { ask } from '../stateless/requests.ts';
import { call, get, send, servingTasks, started, taskRequest, until } from './task-server.ts';

/** Authenticates by a header that says who it is. */
const auth: Authenticate = ({ headers }) => {
  const user = headers['x-user'];
  return { id: typeof user === 'string' ? user : 'nobody' };
};

describe('a task belongs to its principal:', () => {
  it.each(['tasks/get', 'tasks/update', 'tasks/cancel'])(
    'for %s of another one it does not exist',
    async (method) => {
      const { url, world } = await servingTasks({ auth });
      const ada = { 'x-user': 'ada' };
      const { result } = await call(url, 'gate', ada);
      const taskId = String(result?.['taskId']);
      const more = { inputResponses: {} };
      const ask = (id: string, headers: Record<string, string>) =>
        send(url, taskRequest(method, { taskId: id, ...more }), headers);
      const stolen = await ask(taskId, { 'x-user': 'bob' });
      const unknown = await ask('AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA', { 'x-user': 'bob' });
      expect(stolen).toEqual(unknown);
      expect(stolen.error).toMatchObject({ code: -32_602 });
      expect(await send(url, taskRequest('tasks/get', { taskId }), ada)).toMatchObject({
        result: { status: 'working' },
      });
      expect(world.said).not.toContain('aborted');
    },
  );
});

it('a principal is not told what the servers of others are called', async () => {
  const { url } = await servingTasks({
    auth,
    create: ({ principal }) => {
      const server = new McpServer({ name: `of ${principal.id}`, version: '1' });
      server.registerTool('quick', {}, () => ({ content: [] }));
      return server;
    },
  });
  const endOf = async (user: string): Promise<unknown> => {
    const headers = { 'x-user': user };
    const { result } = await call(url, 'quick', headers);
    const asked = taskRequest('tasks/get', { taskId: result?.['taskId'] });
    const task = async () => (await send(url, asked, headers)).result;
    await expect.poll(task).toMatchObject({ status: 'completed' });
    return task();
  };
  const named = (name: string): object => ({
    _meta: { 'io.modelcontextprotocol/serverInfo': { name } },
  });
  expect(await endOf('ada')).toMatchObject(named('of ada'));
  expect(await endOf('bob')).toMatchObject(named('of bob'));
  expect(JSON.stringify(await endOf('eve'))).not.toMatch(/of (?:ada|bob)/);
});

describe('a client without the extension', () => {
  it.each([
    ['tasks/get', { taskId: 'any' }],
    ['tasks/update', { taskId: 'any', inputResponses: {} }],
    ['tasks/cancel', { taskId: 'any' }],
    ['tools/call', { name: 'gate', arguments: {} }],
    ['subscriptions/listen', { notifications: { taskIds: ['any'] } }],
  ])('is told by %s what it lacks', async (method, params) => {
    const { url, world } = await servingTasks();
    const answer = await send(url, taskRequest(method, params, {}));
    expect(answer).toMatchObject({
      status: 400,
      error: {
        code: -32_021,
        data: { requiredCapabilities: { extensions: { 'io.modelcontextprotocol/tasks': {} } } },
      },
    });
    expect(world.said).toEqual([]);
  });

  it('is told so at once, also where the queue of the tool is full', async () => {
    const { url } = await servingTasks({ queues: { gate: { concurrency: 1 } } });
    await started(url, 'gate');
    const message = taskRequest('tools/call', { name: 'gate', arguments: {} }, {});
    expect(await send(url, message)).toMatchObject({ status: 400, error: { code: -32_021 } });
  });

  it('gets an ordinary call of an optional tool', async () => {
    const { url, world } = await servingTasks({
      tasks: { '*': { task: 'optional', auto: { afterMs: 1 } } },
    });
    const message = taskRequest('tools/call', { name: 'gate', arguments: {} }, {});
    delete (message.params['_meta'] as Record<string, unknown>)['progressToken'];
    const answered = send(url, message);
    await expect.poll(() => world.said).toContain('begun');
    world.open();
    expect((await answered).result).toMatchObject({ content: [{ text: 'gone through' }] });
  });

  it('is told of no extension where no tool has tasks', async () => {
    const { url } = await servingTasks({ tasks: { '*': 'forbidden' } });
    const { result } = await send(url, taskRequest('server/discover'));
    expect(JSON.stringify(result)).not.toContain('tasks":');
    const { error } = await send(url, taskRequest('tasks/get', { taskId: 'any' }));
    expect(error).toMatchObject({ code: -32_601 });
  });
});

describe('a request for a task', () => {
  it.each(['tasks/get', 'tasks/update', 'tasks/cancel'])(
    '%s is refused where Mcp-Name names another one, and taken where it is missing',
    async (method) => {
      const { url } = await servingTasks();
      const taskId = await started(url, 'gate');
      const message = taskRequest(method, { taskId, inputResponses: {} });
      expect(await send(url, message, { 'mcp-name': 'another' })).toMatchObject({
        status: 400,
        error: { code: -32_020 },
      });
      expect(await get(url, taskId)).toMatchObject({ status: 'working' });
      const { text } = await ask(url, message);
      expect(JSON.parse(text)).toMatchObject({ result: { resultType: 'complete' } });
    },
  );

  it.each([
    ['tasks/get', {}],
    ['tasks/get', { taskId: 7 }],
    ['tasks/update', { taskId: 'any' }],
    ['tasks/update', { taskId: 'any', inputResponses: { key: 'text' } }],
    ['tasks/update', { taskId: 'any', inputResponses: [] }],
  ])('%s with %j is refused', async (method, params) => {
    const { url } = await servingTasks();
    expect(await send(url, taskRequest(method, params))).toMatchObject({
      error: { code: -32_602 },
    });
  });

  it('answers each key once, and says which are open', async () => {
    const { url } = await servingTasks();
    const taskId = await started(url, 'two');
    const both = await until(
      url,
      taskId,
      ({ inputRequests }) => Object.keys(inputRequests ?? {}).length === 2,
    );
    const [first = '', second = ''] = Object.keys(both['inputRequests'] as object);
    const update = (inputResponses: object) =>
      send(url, taskRequest('tasks/update', { taskId, inputResponses }));
    await update({ [first]: { action: 'decline' } });
    const one = await get(url, taskId);
    expect(one).toMatchObject({ status: 'input_required' });
    expect(Object.keys(one['inputRequests'] as object)).toEqual([second]);
    expect(await update({ [first]: { action: 'accept', content: {} } })).toMatchObject({
      result: { resultType: 'complete' },
    });
    await update({ [second]: { action: 'cancel' } });
    const ended = await until(url, taskId, ({ status }) => status === 'completed');
    expect(ended).toMatchObject({ result: { content: [{ text: 'decline,cancel' }] } });
  });

  it('that is no task yet is cancelled when its client leaves', async () => {
    const { url, world } = await servingTasks({
      tasks: { gate: { task: 'optional', auto: { afterMs: 60_000 } }, '*': 'required' },
    });
    const leaving = new AbortController();
    const message = taskRequest('tools/call', { name: 'gate', arguments: {} });
    const sent = fetch(url, {
      method: 'POST',
      signal: leaving.signal,
      headers: {
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        'mcp-protocol-version': '2026-07-28',
        'mcp-method': 'tools/call',
        'mcp-name': 'gate',
      },
      body: JSON.stringify(message),
    });
    const { body } = await sent;
    expect(new TextDecoder().decode((await body!.getReader().read()).value)).toContain(
      'notifications/progress',
    );
    leaving.abort();
    await expect.poll(() => world.said).toContain('aborted');
  });

  it('shows the place of a call in its queue', async () => {
    const { url, world } = await servingTasks({ queues: { gate: { concurrency: 1 } } });
    const first = await started(url, 'gate');
    const second = await started(url, 'gate');
    await until(url, second, ({ statusMessage }) => statusMessage === '1st in the queue of gate');
    world.open();
    for (const taskId of [first, second]) {
      await until(url, taskId, ({ status }) => status === 'completed');
    }
  });

  it('refuses a call that its queue has no room for', async () => {
    const { url } = await servingTasks({ queues: { gate: { concurrency: 1, maxQueued: 0 } } });
    await started(url, 'gate');
    expect(await call(url, 'gate')).toMatchObject({ error: { data: { reason: 'queue-full' } } });
  });
});

describe('the option tasks', () => {
  it.each([
    [{ a: true }, /tasks\["a"\] must be forbidden, optional or required/],
    [{ a: 'sometimes' }, /tasks\["a"\] must be forbidden, optional or required/],
    [{ a: { task: 'optional', afterMs: 1 } }, /tasks\["a"\]\.afterMs is not an option/],
    [{ a: { task: 'optional', auto: { afterMs: 0 } } }, /tasks\["a"\]\.auto\.afterMs/],
    [{ a: { task: 'optional', ttlMs: -1 } }, /tasks\["a"\]\.ttlMs/],
    [{ a: { task: 'optional', pollIntervalMs: Infinity } }, /pollIntervalMs must not be Infinity/],
    [[], /tasks must be an object/],
  ])('refuses %j', async (tasks, message) => {
    const create = (): McpServer => new McpServer({ name: 'any', version: '1' });
    const serving = serve({ create, tasks: tasks as unknown as TasksOptions });
    await expect(serving).rejects.toThrow(message);
  });

  it('keeps a task for ever with Infinity', async () => {
    const { url } = await servingTasks({ tasks: { '*': { task: 'required', ttlMs: Infinity } } });
    expect((await call(url, 'quick')).result).toMatchObject({ ttlMs: null });
    expect(open.length).toBeGreaterThan(0);
  });
});
