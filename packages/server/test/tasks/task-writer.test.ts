import { pino } from 'pino';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import {
  MemoryTaskStore,
  type TaskChanges,
  type TaskRecord,
  type TaskStore,
} from '../../src/index.ts';
import { TaskWriter } from '../../src/tasks/task-writer.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A store that has written when a test says so. */
class SlowStore {
  readonly tasks = new MemoryTaskStore();
  readonly writes: (() => void)[] = [];
  readonly changes: TaskChanges[] = [];

  readonly slow: TaskStore = {
    create: (task) => this.tasks.create(task),
    get: (principal, taskId) => this.tasks.get(principal, taskId),
    delete: (principal, taskId) => this.tasks.delete(principal, taskId),
    list: (principal, page) => this.tasks.list(principal, page),
    update: async (principal, taskId, change) => {
      this.changes.push(change.changes);
      await new Promise<void>((resolve) => this.writes.push(resolve));
      return this.tasks.update(principal, taskId, change);
    },
  };
}

it('writes progress that comes while it writes later, and only the last of it', async () => {
  const store = new SlowStore();
  const record = store.tasks.create({
    taskId: 'one',
    principal: 'ada',
    tool: 'export',
    era: 'modern',
    status: 'working',
    ttlMs: null,
  }) as TaskRecord;
  const written: (string | undefined)[] = [];
  const writer = new TaskWriter(record, {
    store: store.slow,
    log: pino({ enabled: false }),
    handlers: { written: (it) => written.push(it.statusMessage), lost: () => {} },
  });
  writer.tell({ statusMessage: 'first' });
  for (let step = 0; step < 1_000; step++) writer.tell({ statusMessage: `step ${step}` });
  store.writes.shift()?.();
  await vi.advanceTimersByTimeAsync(50);
  expect(written).toEqual(['first']);
  expect(store.changes).toHaveLength(1);
  await vi.advanceTimersByTimeAsync(60);
  store.writes.shift()?.();
  await vi.advanceTimersByTimeAsync(0);
  expect(written).toEqual(['first', 'step 999']);

  writer.tell({ statusMessage: 'last' });
  const ended = writer.change({ status: 'completed' });
  store.writes.shift()?.();
  await ended;
  expect(store.changes).toHaveLength(3);
  expect(writer.record).toMatchObject({ status: 'completed', statusMessage: 'last' });
  writer.stop();
});
