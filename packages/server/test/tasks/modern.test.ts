import { describe, expect, it } from 'vitest';
import { call, get, isFinal, send, servingTasks, taskRequest, until } from './task-server.ts';

describe('tasks of 2026-07-28', () => {
  it('are announced', async () => {
    const { url } = await servingTasks();
    const { result } = await send(url, taskRequest('server/discover'));
    expect(result).toMatchObject({
      capabilities: { extensions: { 'io.modelcontextprotocol/tasks': {} } },
    });
  });

  it('end with the result of the tool', async () => {
    const { url, world } = await servingTasks();
    const { result: created } = await call(url, 'gate');
    expect(created).toMatchObject({
      resultType: 'task',
      status: 'working',
      ttlMs: 3_600_000,
      pollIntervalMs: 1_000,
    });
    const working = await until(url, created?.['taskId'], (task) => 'statusMessage' in task);
    expect(working).toMatchObject({
      resultType: 'complete',
      status: 'working',
      statusMessage: '3 of 10',
      _meta: { 'longwire/progress': { progress: 3, total: 10 } },
    });
    world.open();
    const completed = await until(url, created?.['taskId'], isFinal);
    expect(completed).toMatchObject({
      status: 'completed',
      result: { resultType: 'complete', content: [{ type: 'text', text: 'gone through' }] },
    });
  });

  it.each(['greet', 'greet_newly'])('ask for input: %s', async (tool) => {
    const { url } = await servingTasks();
    const { result: created } = await call(url, tool);
    const taskId = created?.['taskId'];
    const asking = await until(url, taskId, ({ status }) => status === 'input_required');
    const requests = asking['inputRequests'] as Record<string, object>;
    const [key = ''] = Object.keys(requests);
    expect(requests).toMatchObject({
      [key]: { method: 'elicitation/create', params: { message: 'Your name?' } },
    });
    const inputResponses = { [key]: { action: 'accept', content: { name: 'Ada' } }, other: {} };
    const updated = await send(url, taskRequest('tasks/update', { taskId, inputResponses }));
    expect(updated.result).toMatchObject({ resultType: 'complete' });
    const completed = await until(url, taskId, isFinal);
    expect(completed).toMatchObject({ result: { content: [{ text: 'Hello, Ada' }] } });
    expect(completed).not.toHaveProperty('inputRequests');
  });

  it('are cancelled, with the signal of the handler', async () => {
    const { url, world } = await servingTasks();
    const { result: created } = await call(url, 'gate');
    const taskId = created?.['taskId'];
    await until(url, taskId, () => world.said.includes('begun'));
    const cancelled = await send(url, taskRequest('tasks/cancel', { taskId }));
    expect(cancelled.result).toMatchObject({ resultType: 'complete' });
    expect(await get(url, taskId)).toMatchObject({ status: 'cancelled' });
    expect(world.said).toContain('aborted');
    expect(world.made[0]?.signal.aborted).toBe(true);
  });

  it('are made of optional calls that take long, and of no others', async () => {
    const { url, world } = await servingTasks({
      tasks: { '*': { task: 'optional', auto: { afterMs: 30 } } },
    });
    const { result: quick } = await call(url, 'quick');
    expect(quick).toMatchObject({ resultType: 'complete', content: [{ text: 'quick' }] });
    // Progress was told on the stream before the call became a task.
    const message = taskRequest('tools/call', { name: 'gate', arguments: {} });
    delete (message.params['_meta'] as Record<string, unknown>)['progressToken'];
    const { result: slow } = await send(url, message);
    expect(slow).toMatchObject({ resultType: 'task', status: 'working' });
    world.open();
    expect(await until(url, slow?.['taskId'], isFinal)).toMatchObject({ status: 'completed' });
  });

  it('keep structured content that is no object', async () => {
    const { url } = await servingTasks();
    const { result: created } = await call(url, 'list');
    const { result } = await until(url, created?.['taskId'], isFinal);
    expect(result).toMatchObject({ structuredContent: [1, 2, 3] });
  });
});
