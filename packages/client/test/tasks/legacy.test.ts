import { connect, type LongwireError, type TaskHandle } from '@longwire/client';
import type { Progress } from '@modelcontextprotocol/client';
import { assert, describe, expect, test } from 'vitest';
import { expectNothingLeftOpen } from '../../../../test/support/open-handles.ts';
import { until } from '../../../../test/support/until.ts';
import { failureOf } from '../support/failure-of.ts';
import {
  startSdkTaskServer,
  type RunningTask,
  type SdkTaskServer,
} from './support/sdk-task-server.ts';

expectNothingLeftOpen();

const text = (said: string) => ({ content: [{ type: 'text' as const, text: said }] });

/** The task that the server has made last, once it has made `count`. */
async function made(server: SdkTaskServer, count = 1): Promise<RunningTask> {
  await until(() => server.tasks.length >= count);
  const task = server.tasks[count - 1];
  assert(task);
  return task;
}

describe.each(['streamable', 'sse'] as const)('a task of 2025-11-25, over %s', (transport) => {
  test('is made where the server announces it, and its result is that of the call', async () => {
    await using server = await startSdkTaskServer();
    await using client = await connect(server[transport]);
    const handles: TaskHandle[] = [];
    const called = client.callTool('required', { n: 1 }, { onTask: (task) => handles.push(task) });
    const task = await made(server);
    expect([task.args, task.asked]).toEqual([{ n: 1 }, {}]);
    await until(() => handles.length === 1);
    expect(handles[0]?.taskId).toBe(task.taskId);
    expect(await handles[0]?.status()).toMatchObject({ taskId: task.taskId, status: 'working' });
    await task.finish(text('done'));
    expect(await called).toMatchObject(text('done'));
    expect(await handles[0]?.status()).toMatchObject({ status: 'completed' });
    expect(await handles[0]?.result()).toMatchObject(text('done'));

    expect(await client.callTool('plain', { n: 2 })).toEqual(text('plain'));
    expect(server.ordinary).toEqual([{ n: 2 }]);
    expect(server.methods).not.toContain('notifications/cancelled');
    expect(client.stats()).toMatchObject({ droppedAnswers: 0 });
  });

  test('of a tool for which it is optional, is made where the program wants to know of it', async () => {
    await using server = await startSdkTaskServer();
    await using client = await connect(server[transport]);
    // The server waits for the end of its task itself.
    const first = client.callTool('optional');
    await (await made(server)).finish(text('one'));
    expect(await first).toMatchObject(text('one'));
    expect(server.methods).not.toContain('tasks/result');

    const ids: string[] = [];
    const onTask = ({ taskId }: TaskHandle): void => void ids.push(taskId);
    const second = client.callTool('optional', {}, { onTask });
    const task = await made(server, 2);
    await task.finish(text('two'));
    expect(await second).toMatchObject(text('two'));
    expect(ids).toEqual([task.taskId]);
  });

  test('tells its progress, and what its status says', async () => {
    await using server = await startSdkTaskServer();
    await using client = await connect(server[transport]);
    const seen: Progress[] = [];
    const called = client.callTool('required', {}, { onProgress: (step) => seen.push(step) });
    const task = await made(server);
    await task.progress(1, 4);
    await until(() => seen.length === 1);
    await task.status('halfway');
    await until(() => seen.length === 2);
    await task.progress(3, 4);
    await until(() => seen.length === 3);
    await task.finish(text('done'));
    await called;
    expect(seen[0]).toMatchObject({ progress: 1, total: 4 });
    expect(seen[1]).toMatchObject({ progress: 1, total: 4, message: 'halfway' });
    expect(seen[2]).toMatchObject({ progress: 3, total: 4 });
  });

  test('asks the program, once', async () => {
    await using server = await startSdkTaskServer();
    const asked: string[] = [];
    await using client = await connect(server[transport], {
      handlers: {
        elicitation: ({ message }) => {
          asked.push(message);
          return { action: 'accept', content: { name: 'me' } };
        },
      },
    });
    const called = client.callTool('required');
    const task = await made(server);
    expect(await task.ask('who?')).toMatchObject({ action: 'accept', content: { name: 'me' } });
    expect(await task.ask('and who else?')).toMatchObject({ action: 'accept' });
    await task.finish(text('done'));
    expect(await called).toMatchObject(text('done'));
    expect(asked).toEqual(['who?', 'and who else?']);
  });

  test('that failed has the result of its tool, or says what its status says', async () => {
    await using server = await startSdkTaskServer();
    await using client = await connect(server[transport]);
    const first = client.callTool('required');
    await (await made(server)).finish({ ...text('no disk'), isError: true }, 'failed');
    expect(await first).toMatchObject({ ...text('no disk'), isError: true });

    const second = failureOf(client.callTool('required'));
    const task = await made(server, 2);
    await task.fail('the disk is full');
    const error = await second;
    expect(error).toMatchObject({
      code: 'server-error',
      certainty: 'answered',
      taskId: task.taskId,
    });
    expect(error.message).toContain('the disk is full');
  });

  test('that its call does not want any more is cancelled', async () => {
    await using server = await startSdkTaskServer();
    await using client = await connect(server[transport]);
    const controller = new AbortController();
    const { signal } = controller;
    const failed = failureOf(client.callTool('required', {}, { signal }));
    const task = await made(server);
    await until(() => server.methods.includes('tasks/result'));
    controller.abort();
    expect(await failed).toMatchObject({ code: 'aborted', taskId: task.taskId });
    await until(async () => (await task.state()) === 'cancelled');
  });

  test('is taken up again by another client: its status, its result, its end', async () => {
    await using server = await startSdkTaskServer();
    const first = await connect(server[transport]);
    let taskId = '';
    const lost = failureOf(
      first.callTool('required', {}, { onTask: (task) => (taskId = task.taskId) }),
    );
    const task = await made(server);
    await task.status('on its way');
    await until(() => taskId !== '');
    await first.close();
    expect(await lost).toMatchObject({ code: 'closed', taskId });
    expect(await task.state()).toBe('working');

    await using second = await connect(server[transport]);
    const handle = second.task(taskId);
    expect(await handle.status()).toMatchObject({
      status: 'working',
      statusMessage: 'on its way',
      pollIntervalMs: 50,
      ttlMs: null,
    });
    const seen: Progress[] = [];
    const result = handle.result({ onProgress: (step) => seen.push(step) });
    await until(() => seen.length === 1);
    await task.finish(text('late'));
    expect(await result).toMatchObject(text('late'));
    expect(seen[0]).toMatchObject({ message: 'on its way' });

    const other = failureOf(second.callTool('required'));
    const running = await made(server, 2);
    await second.task(running.taskId).cancel();
    expect(await other).toMatchObject({ code: 'aborted', certainty: 'outcome-unknown' });
    expect(await running.state()).toBe('cancelled');
  });

  test('goes on when its connections are cut, again and again', async () => {
    await using server = await startSdkTaskServer();
    await using client = await connect(server[transport], { retry: { firstDelayMs: 1 } });
    const called = client.callTool('required');
    const task = await made(server);
    for (let cut = 0; cut < 8; cut++) {
      const before = server.methods.filter((method) => method === 'tasks/get').length;
      server.cut();
      await until(() => server.methods.filter((method) => method === 'tasks/get').length > before);
    }
    await task.finish(text('done'));
    expect(await called).toMatchObject(text('done'));
    expect(server.tasks).toHaveLength(1);
  });

  test('goes on in a new session, with its progress', async () => {
    await using server = await startSdkTaskServer();
    await using client = await connect(server[transport], { retry: { firstDelayMs: 1 } });
    const called = client.callTool('required');
    const task = await made(server);
    await until(() => server.methods.includes('tasks/result'));
    await server.forgetSessions();
    await until(() => server.methods.filter((method) => method === 'initialize').length === 2);
    await task.finish(text('done'));
    expect(await called).toMatchObject(text('done'));
    expect(server.tasks).toHaveLength(1);
  });

  test('that its server forgot with its session is of unknown outcome', async () => {
    await using server = await startSdkTaskServer({ bound: true });
    await using client = await connect(server[transport], { retry: { firstDelayMs: 1 } });
    const failed = failureOf(client.callTool('required'));
    const { taskId } = await made(server);
    await until(() => server.methods.includes('tasks/result'));
    await server.forgetSessions();
    const error: LongwireError = await failed;
    expect(error).toMatchObject({ certainty: 'outcome-unknown', taskId });
    expect(error.message).toContain('expired, or was lost');
    expect(server.tasks).toHaveLength(1);
  });
});
