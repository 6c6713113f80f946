import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { countOpenHandles, type OpenHandles } from '../../../../test/support/open-handles.ts';
import { until as untilSo } from '../../../../test/support/until.ts';
import { open } from '../fixture.ts';
import { RawStream } from '../raw-stream.ts';
import { headersOf } from '../stateless/requests.ts';
import type { TaskStore } from '../../src/tasks/task-store.ts';
import { MemoryCluster } from '../support/memory-cluster.ts';
import { LegacySession, messageWhere } from './legacy-session.ts';
import { get, isFinal, send, servingTasks, started, taskRequest, until } from './task-server.ts';

let before: OpenHandles;
beforeAll(async () => {
  before = await countOpenHandles();
});
afterAll(() => before.expectNoneLeft());

type Served = Awaited<ReturnType<typeof servingTasks>>;

/** Nodes that serve the same tasks. */
async function nodes<Name extends string>(
  names: readonly Name[],
  options: Parameters<typeof servingTasks>[0] = {},
): Promise<{ cluster: MemoryCluster } & Record<Name, Served>> {
  const cluster = new MemoryCluster();
  const served = await Promise.all(
    names.map(async (name) => [
      name,
      await servingTasks({ ...options, cluster: cluster.member(name) }),
    ]),
  );
  return { cluster, ...(Object.fromEntries(served) as Record<Name, Served>) };
}

/** How often tools began. */
const begun = (...served: Served[]): number =>
  served.flatMap(({ world }) => world.said).filter((said) => said === 'begun').length;

const LOST = { status: 'failed', error: { data: { certainty: 'outcome-unknown' } } };

describe('a task whose node is gone', () => {
  it('runs again as the same task where it is asked for, if its tool is safe', async () => {
    const { cluster, a, b } = await nodes(['a', 'b']);
    const taskId = await started(a.url, 'gate_again');
    const known = await until(a.url, taskId, (task) => 'statusMessage' in task);
    cluster.kill('a');
    const again = await get(b.url, taskId);
    expect(again).toMatchObject({ status: 'working', createdAt: known['createdAt'] });
    expect(again).toMatchObject({ ttlMs: known['ttlMs'], statusMessage: '3 of 10' });
    await untilSo(() => begun(b) === 1);
    b.world.open();
    expect(await until(b.url, taskId, isFinal)).toMatchObject({
      status: 'completed',
      result: { content: [{ text: 'gone through' }] },
    });
    expect(cluster.tasks.get('anonymous', taskId)).not.toHaveProperty('origin');
  });

  it('has failed, and does not run again, if its tool is not safe', async () => {
    const { cluster, a, b } = await nodes(['a', 'b']);
    const taskId = await started(a.url, 'gate');
    await untilSo(() => begun(a) === 1);
    cluster.kill('a');
    expect(await get(b.url, taskId)).toMatchObject(LOST);
    expect(begun(a, b)).toBe(1);
  });

  it('has failed, if its arguments are too long to be kept', async () => {
    const { cluster, a, b } = await nodes(['a', 'b']);
    const params = { name: 'gate_again', arguments: { text: 'x'.repeat(70_000) } };
    const { result } = await send(a.url, taskRequest('tools/call', params));
    cluster.kill('a');
    expect(await get(b.url, result?.['taskId'])).toMatchObject(LOST);
    expect(begun(b)).toBe(0);
  });

  it('is taken by one of many that meet it at once', async () => {
    const { cluster, a, b, c } = await nodes(['a', 'b', 'c']);
    const ids = await Promise.all(Array.from({ length: 8 }, () => started(a.url, 'gate_again')));
    await untilSo(() => begun(a) === 8);
    cluster.kill('a');
    const met = ids.flatMap((id) => [b, c, b, c].map(({ url }) => get(url, id)));
    for (const { status } of await Promise.all(met)) expect(status).toBe('working');
    b.world.open();
    c.world.open();
    for (const id of ids) {
      expect(await until(b.url, id, isFinal)).toMatchObject({ status: 'completed' });
    }
    expect(begun(b, c)).toBe(8);
  });

  it('is taken by one of two that have prepared to run it', async () => {
    const { cluster, a, b, c } = await nodes(['a', 'b', 'c']);
    const taskId = await started(a.url, 'gate_again');
    await untilSo(() => begun(a) === 1);
    cluster.kill('a');
    const taking: (() => void)[] = [];
    const store: TaskStore = cluster.tasks;
    const update = store.update.bind(store);
    const together = vi.spyOn(store, 'update');
    for (let at = 0; at < 2; at++) {
      together.mockImplementationOnce(async (...given) => {
        await new Promise<void>((resolve) => {
          taking.push(resolve);
          if (taking.length === 2) for (const go of taking) go();
        });
        return update(...given);
      });
    }
    const met = await Promise.all([get(b.url, taskId), get(c.url, taskId)]);
    expect(met).toMatchObject([{ status: 'working' }, { status: 'working' }]);
    together.mockRestore();
    b.world.open();
    c.world.open();
    expect(await until(b.url, taskId, isFinal)).toMatchObject({ status: 'completed' });
    expect(begun(b, c)).toBe(1);
  });

  it('is not written by a node that only stalled, and its run there is aborted', async () => {
    const { cluster, a, b } = await nodes(['a', 'b']);
    const [idle, ended] = await Promise.all([
      started(a.url, 'gate_again'),
      started(a.url, 'gate_again'),
    ]);
    await untilSo(() => begun(a) === 2);
    cluster.kill('a');
    for (const id of [idle, ended]) await get(b.url, id);
    await untilSo(() => begun(b) === 2);
    const taken = cluster.tasks.get('anonymous', ended);
    cluster.revive('a');
    // Its lease had ended: it looks what is its own still.
    cluster.nodes.get('a')?.hearAgain();
    await untilSo(() => a.world.said.filter((said) => said === 'aborted').length === 2);
    a.world.open();
    await untilSo(() => a.world.said.filter((said) => said === 'ended').length === 2);
    expect(cluster.tasks.get('anonymous', ended)).toEqual(taken);
    // Both nodes answer for it, and it can be cancelled at the one that has lost it.
    await send(a.url, taskRequest('tasks/cancel', { taskId: idle }));
    expect(await get(b.url, idle)).toMatchObject({ status: 'cancelled' });
    b.world.open();
    expect(await until(a.url, ended, isFinal)).toMatchObject({ status: 'completed' });
  });

  it('comes back to a node that had lost it, which runs it once', async () => {
    const { cluster, a, b } = await nodes(['a', 'b']);
    const taskId = await started(a.url, 'gate_again');
    await untilSo(() => begun(a) === 1);
    cluster.kill('a');
    await get(b.url, taskId);
    await untilSo(() => begun(b) === 1);
    cluster.revive('a');
    cluster.kill('b');
    expect(await get(a.url, taskId)).toMatchObject({ status: 'working' });
    await untilSo(() => begun(a) === 2 && a.world.said.includes('aborted'));
    a.world.open();
    expect(await until(a.url, taskId, isFinal)).toMatchObject({ status: 'completed' });
  });

  it('runs again though the store did not say that it was taken', async () => {
    const { cluster, a, b } = await nodes(['a', 'b']);
    const taskId = await started(a.url, 'gate_again');
    await untilSo(() => begun(a) === 1);
    cluster.kill('a');
    const update = cluster.tasks.update.bind(cluster.tasks);
    const lossy = vi.spyOn(cluster.tasks, 'update').mockImplementationOnce((...given) => {
      update(...given);
      throw new Error('the reply was lost');
    });
    const { error } = await send(b.url, taskRequest('tasks/get', { taskId }));
    expect(error).toBeDefined();
    lossy.mockRestore();
    expect(await get(b.url, taskId)).toMatchObject({ status: 'working' });
    await untilSo(() => begun(b) === 1);
    b.world.open();
    expect(await until(b.url, taskId, isFinal)).toMatchObject({ status: 'completed' });
  });

  it('is cancelled without running again', async () => {
    const { cluster, a, b } = await nodes(['a', 'b']);
    const taskId = await started(a.url, 'gate_again');
    await untilSo(() => begun(a) === 1);
    cluster.kill('a');
    await send(b.url, taskRequest('tasks/cancel', { taskId }));
    expect(await get(b.url, taskId)).toMatchObject({ status: 'cancelled' });
    expect(cluster.tasks.get('anonymous', taskId)).not.toHaveProperty('origin');
    expect(begun(b)).toBe(0);
  });

  it('asks again, by another key, and is answered at any node', async () => {
    const { cluster, a, b, c } = await nodes(['a', 'b', 'c']);
    const taskId = await started(a.url, 'greet_again');
    const isAsking = ({ status }: Record<string, unknown>): boolean => status === 'input_required';
    const keyOf = (task: Record<string, unknown>): string =>
      Object.keys(task['inputRequests'] as object)[0]!;
    const first = keyOf(await until(a.url, taskId, isAsking));
    cluster.kill('a');
    const second = keyOf(await until(b.url, taskId, isAsking));
    expect(second).not.toBe(first);
    const content = { name: 'Ada' };
    const inputResponses = {
      [first]: { action: 'accept', content: { name: 'nobody' } },
      [second]: { action: 'accept', content },
    };
    await send(c.url, taskRequest('tasks/update', { taskId, inputResponses }));
    expect(await until(c.url, taskId, isFinal)).toMatchObject({
      result: { content: [{ text: 'Hello, Ada' }] },
    });
  });

  it('is told to a subscription at another node, which has it run again', async () => {
    const { cluster, a, b } = await nodes(['a', 'b']);
    const taskId = await started(a.url, 'gate_again');
    await until(a.url, taskId, (task) => 'statusMessage' in task);
    const message = taskRequest('subscriptions/listen', { notifications: { taskIds: [taskId] } });
    const listening = await RawStream.post(b.url, message, headersOf(message));
    open.push(() => listening[Symbol.asyncDispose]());
    await listening.nextOf('message');
    await listening.nextOf('message');
    cluster.kill('a');
    await untilSo(() => begun(b) === 1);
    b.world.open();
    let told: Record<string, unknown>;
    do told = JSON.parse(await listening.nextOf('message')).params;
    while (told['status'] === 'working');
    expect(told).toMatchObject({ taskId, status: 'completed' });
  });

  it('goes on for its session of 2025-11-25, with its progress, its question and its result', async () => {
    const { cluster, a, b } = await nodes(['a', 'b']);
    const session = await LegacySession.open(a.url);
    const _meta = { progressToken: 'mine' };
    const greet = await session.task('greet_again');
    const gate = await session.task('gate_again', { _meta });
    const lost = await session.task('gate');
    await untilSo(() => begun(a) === 2);
    cluster.kill('a');
    const there = session.at(b.url);
    const waiting = await there.begin('tasks/result', { taskId: greet });
    open.push(() => waiting.stream[Symbol.asyncDispose]());
    const asked = await messageWhere(waiting.stream, ({ method }) => method !== undefined);
    expect(asked.method).toBe('elicitation/create');
    await there.tell({ id: asked.id, result: { action: 'accept', content: { name: 'Bob' } } });
    expect(await messageWhere(waiting.stream, ({ id }) => id === waiting.id)).toMatchObject({
      result: { content: [{ text: 'Hello, Bob' }] },
    });
    const told = await there.listen();
    expect((await there.ask('tasks/get', { taskId: gate })).result).toMatchObject({
      status: 'working',
    });
    b.world.open();
    expect(
      await messageWhere(told, ({ method }) => method === 'notifications/tasks/status'),
    ).toMatchObject({ params: { taskId: gate, status: 'completed' } });
    expect((await there.ask('tasks/get', { taskId: lost })).result).toMatchObject({
      status: 'failed',
    });
    expect(begun(b)).toBe(1);
  });

  it('is left to the others by a node that stops before it has ended', async () => {
    const { a, b } = await nodes(['a', 'b'], { stop: { delayMs: 0, graceMs: 50 } });
    const [safe, unsafe] = [await started(a.url, 'gate_again'), await started(a.url, 'gate')];
    await untilSo(() => begun(a) === 2);
    await a.close();
    expect(await get(b.url, unsafe)).toMatchObject(LOST);
    expect(await get(b.url, safe)).toMatchObject({ status: 'working' });
    b.world.open();
    expect(await until(b.url, safe, isFinal)).toMatchObject({ status: 'completed' });
    expect(begun(b)).toBe(1);
  });
});
