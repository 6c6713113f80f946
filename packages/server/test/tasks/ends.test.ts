import { describe, expect, it } from 'vitest';
import { MemoryTaskStore, type CallGate, type CallOutcome, type NewTask } from '../../src/index.ts';
import { deferred } from '../fixture.ts';
import { headersOf } from '../stateless/requests.ts';
import {
  call,
  get,
  isFinal,
  send,
  servingTasks,
  started,
  taskRequest,
  until,
} from './task-server.ts';

/** A gate that writes down how calls of tools end. */
function outcomes(): { readonly ended: string[]; readonly gates: readonly CallGate[] } {
  const ended: string[] = [];
  const leave = (
    { method, target }: { method: string; target: string | undefined },
    outcome: CallOutcome,
  ) => {
    if (method === 'tools/call') ended.push(`${target} ${outcome.kind}`);
  };
  return { ended, gates: [{ leave }] };
}

describe('a task', () => {
  it('is completed by a tool that reports an error', async () => {
    const { url } = await servingTasks();
    const task = await until(url, await started(url, 'throws'), isFinal);
    expect(task).toMatchObject({
      status: 'completed',
      result: { isError: true, content: [{ text: 'it went wrong' }] },
    });
  });

  it('fails with an error of JSON-RPC, and says it', async () => {
    const { url } = await servingTasks();
    const task = await until(url, await started(url, 'no_result'), isFinal);
    expect(task).toMatchObject({
      status: 'failed',
      error: { code: -32_602, message: expect.stringContaining('Invalid tools/call result') },
      statusMessage: expect.stringContaining('Invalid tools/call result'),
    });
    expect(task).not.toHaveProperty('result');
  });

  it('fails when its server closes itself', async () => {
    const { url } = await servingTasks();
    const task = await until(url, await started(url, 'closes'), isFinal);
    expect(task).toMatchObject({ status: 'failed', error: { code: -32_603 } });
  });

  it('has no result that is longer than a message may be', async () => {
    const { url } = await servingTasks({ maxBufferedBytes: 50_000 });
    const task = await until(url, await started(url, 'big'), isFinal);
    expect(task).toMatchObject({ status: 'failed', error: { code: -32_603 } });
    expect(JSON.stringify(task).length).toBeLessThan(1_000);
  });

  it('stays cancelled when its tool does not hear of it, and answers', async () => {
    const { ended, gates } = outcomes();
    const { url, world } = await servingTasks({ gates });
    const taskId = await started(url, 'deaf');
    await until(url, taskId, () => world.said.includes('begun'));
    await send(url, taskRequest('tasks/cancel', { taskId }));
    world.open();
    await until(url, taskId, () => world.said.includes('ended'));
    expect(await get(url, taskId)).toMatchObject({ status: 'cancelled' });
    expect(ended).toEqual(['deaf cancelled']);
  });

  it('is told to its gates once, at its real end', async () => {
    const { ended, gates } = outcomes();
    const { url, world } = await servingTasks({ gates });
    const taskId = await started(url, 'gate');
    expect(ended).toEqual([]);
    world.open();
    await until(url, taskId, isFinal);
    await send(url, taskRequest('tasks/cancel', { taskId }));
    expect(ended).toEqual(['gate result']);
  });

  it('is cancelled and gone when its time is over', async () => {
    const { url, world } = await servingTasks({ tasks: { '*': { task: 'required', ttlMs: 300 } } });
    const taskId = await started(url, 'gate');
    const gone = async (): Promise<unknown> => {
      for (;;) {
        const { error } = await send(url, taskRequest('tasks/get', { taskId }));
        if (error !== undefined) return error;
      }
    };
    const unknown = await send(url, taskRequest('tasks/get', { taskId: 'unknown' }));
    expect(await gone()).toEqual(unknown.error);
    expect(unknown.error).toMatchObject({ code: -32_602 });
    await expect.poll(() => world.said).toContain('aborted');
  });

  it('is refused where its principal has too many, and does not run', async () => {
    const { ended, gates } = outcomes();
    const { url, world } = await servingTasks({
      gates,
      stores: { tasks: new MemoryTaskStore({ maxPerPrincipal: 1 }) },
    });
    await started(url, 'greet');
    expect(await call(url, 'gate')).toMatchObject({
      error: { code: -32_000, data: { reason: 'too-many-tasks' } },
    });
    expect(world.said).toEqual([]);
    expect(ended).toEqual(['gate error']);
  });

  it('is an ordinary call where it is optional, and its principal has too many', async () => {
    const { url, world } = await servingTasks({
      tasks: { greet: 'required', '*': { task: 'optional', auto: { afterMs: 20 } } },
      stores: { tasks: new MemoryTaskStore({ maxPerPrincipal: 1 }) },
    });
    await started(url, 'greet');
    const message = taskRequest('tools/call', { name: 'gate', arguments: {} });
    delete (message.params['_meta'] as Record<string, unknown>)['progressToken'];
    const answered = send(url, message);
    await expect.poll(() => world.said).toContain('begun');
    world.open();
    expect((await answered).result).toMatchObject({ content: [{ text: 'gone through' }] });
  });

  it('is gone, and does not seem to work for ever, when its end cannot be stored', async () => {
    const tasks = new MemoryTaskStore();
    const { url, world } = await servingTasks({ stores: { tasks } });
    const taskId = await started(url, 'gate');
    tasks.update = () => {
      throw new Error('the disk is full');
    };
    world.open();
    const asked = async () => send(url, taskRequest('tasks/get', { taskId }));
    await expect.poll(asked).toMatchObject({ error: { code: -32_602 } });
  });

  it('is none where its client left before it was made: nobody would know its id', async () => {
    const [creating, left] = [deferred(), deferred()];
    class SlowStore extends MemoryTaskStore {
      override create(task: NewTask): never {
        creating.resolve();
        // The interface lets a store take its time.
        return left.promise.then(() => super.create(task)) as never;
      }
    }
    const { ended, gates } = outcomes();
    const tasks = new SlowStore();
    const { url, world } = await servingTasks({ gates, stores: { tasks } });
    const message = taskRequest('tools/call', { name: 'gate', arguments: {} });
    const leaving = new AbortController();
    const asked = fetch(url, {
      method: 'POST',
      headers: {
        accept: 'application/json, text/event-stream',
        'content-type': 'application/json',
        ...headersOf(message),
      },
      body: JSON.stringify(message),
      signal: leaving.signal,
    });
    await creating.promise;
    leaving.abort();
    await expect(asked).rejects.toThrow();
    await expect.poll(() => ended).toEqual(['gate cancelled']);
    left.resolve();
    await expect.poll(() => tasks.list('anonymous').tasks).toEqual([]);
    expect(world.said).toEqual([]);
  });

  it('fails with what is certain when the server is closed', async () => {
    const tasks = new MemoryTaskStore();
    const { ended, gates } = outcomes();
    const { url, close } = await servingTasks({ gates, stores: { tasks } });
    const running = await started(url, 'deaf');
    const asking = await started(url, 'greet');
    await until(url, asking, ({ status }) => status === 'input_required');
    await close();
    for (const taskId of [running, asking]) {
      expect(tasks.get('anonymous', taskId)).toMatchObject({
        status: 'failed',
        error: { data: { certainty: 'outcome-unknown' } },
      });
    }
    expect(ended.toSorted()).toEqual(['deaf error', 'greet error']);
  });
});
