import { describe, expect, it } from 'vitest';
import { MemoryTaskStore } from '../../src/index.ts';
import { open } from '../fixture.ts';
import { RawStream } from '../raw-stream.ts';
import { headersOf } from '../stateless/requests.ts';
import { send, servingTasks, started, taskRequest, until } from './task-server.ts';

interface Message {
  readonly method?: string;
  readonly params: Record<string, unknown>;
  readonly result?: object;
}

/** Subscribes; what reads the next message. */
async function subscribed(url: string, notifications: object): Promise<() => Promise<Message>> {
  const message = taskRequest('subscriptions/listen', { notifications });
  const stream = await RawStream.post(url, message, headersOf(message));
  open.push(() => stream[Symbol.asyncDispose]());
  return async () => JSON.parse(await stream.nextOf('message')) as Message;
}

describe('a subscription to tasks', () => {
  it('tells each as it is, whenever it has changed, and ends with the last', async () => {
    const { url, world } = await servingTasks();
    const gate = await started(url, 'gate');
    const greet = await started(url, 'greet');
    await until(url, greet, ({ status }) => status === 'input_required');
    await until(url, gate, (task) => 'statusMessage' in task);
    const next = await subscribed(url, { taskIds: [gate, 'unknown', greet, gate] });
    expect(await next()).toMatchObject({
      method: 'notifications/subscriptions/acknowledged',
      params: { notifications: { taskIds: [gate, greet] } },
    });
    expect(await next()).toMatchObject({
      method: 'notifications/tasks',
      params: {
        taskId: gate,
        status: 'working',
        _meta: {
          'longwire/progress': { progress: 3, total: 10 },
          'io.modelcontextprotocol/subscriptionId': 1,
        },
      },
    });
    const asking = await next();
    expect(asking.params).toMatchObject({ taskId: greet, status: 'input_required' });
    const [key = ''] = Object.keys(asking.params['inputRequests'] as object);
    const inputResponses = { [key]: { action: 'accept', content: { name: 'Ada' } } };
    await send(url, taskRequest('tasks/update', { taskId: greet, inputResponses }));
    const seen: unknown[] = [];
    while (seen.at(-1) !== 'completed') seen.push((await next()).params['status']);
    expect(new Set(seen)).toEqual(new Set(['working', 'completed']));
    world.open();
    expect(await next()).toMatchObject({
      params: {
        taskId: gate,
        status: 'completed',
        result: { content: [{ text: 'gone through' }] },
      },
    });
    expect(await next()).toMatchObject({ id: 1, result: { resultType: 'complete' } });
  });

  it('tells the end of one that has ended', async () => {
    const { url } = await servingTasks();
    const taskId = await started(url, 'quick');
    await until(url, taskId, ({ status }) => status === 'completed');
    const next = await subscribed(url, { taskIds: [taskId] });
    await next();
    expect(await next()).toMatchObject({ params: { taskId, status: 'completed' } });
    expect(await next()).toMatchObject({ result: {} });
  });

  it('tells of everything else as before', async () => {
    const { url } = await servingTasks();
    const taskId = await started(url, 'gate');
    const next = await subscribed(url, { taskIds: [taskId], toolsListChanged: true });
    expect(await next()).toMatchObject({
      params: { notifications: { taskIds: [taskId], toolsListChanged: true } },
    });
    let told = await next();
    await send(url, taskRequest('tasks/cancel', { taskId }));
    while (told.params['status'] !== 'cancelled') told = await next();
    expect(told.params).toMatchObject({ taskId });
  });

  it('ends with its result when the server stops', async () => {
    const { url, close } = await servingTasks();
    const taskId = await started(url, 'gate');
    const next = await subscribed(url, { taskIds: [taskId] });
    expect((await next()).method).toBe('notifications/subscriptions/acknowledged');
    const closed = close();
    let last = await next();
    while (last.method !== undefined) last = await next();
    expect(last).toMatchObject({ result: { resultType: 'complete' } });
    await closed;
  });

  it('leaves nothing behind where the store fails', async () => {
    const tasks = new MemoryTaskStore();
    const { url } = await servingTasks({ maxSubscriptions: 1, stores: { tasks } });
    const taskId = await started(url, 'gate');
    const { get } = tasks;
    tasks.get = () => {
      throw new Error('the disk is gone');
    };
    const listen = taskRequest('subscriptions/listen', { notifications: { taskIds: [taskId] } });
    expect(await send(url, listen)).toMatchObject({ error: { code: -32_603 } });
    tasks.get = get;
    const next = await subscribed(url, { taskIds: [taskId] });
    expect(await next()).toMatchObject({ params: { notifications: { taskIds: [taskId] } } });
  });

  it.each([{ taskIds: 'one' }, { taskIds: [1] }, { taskIds: Array(1_001).fill('one') }])(
    'is refused for what is no list of ids',
    async (notifications) => {
      const { url } = await servingTasks();
      const { error } = await send(url, taskRequest('subscriptions/listen', { notifications }));
      expect(error).toMatchObject({ code: -32_602 });
    },
  );
});
