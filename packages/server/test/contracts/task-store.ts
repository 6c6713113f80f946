import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { TaskStoreLimits } from '../../src/tasks/task-index.ts';
import {
  isFinal,
  LOST_TASK,
  type NewTask,
  type TaskRecord,
  type TaskStore,
} from '../../src/tasks/task-store.ts';
import { using, type Make, type Made } from './made.ts';

/** A store that may be opened again, as after the end of its process. */
export interface MadeTaskStore extends Made<TaskStore> {
  reopen?(): Promise<TaskStore>;
}

function task(taskId: string, principal = 'ada', more: Partial<NewTask> = {}): NewTask {
  return {
    taskId,
    principal,
    tool: 'render',
    era: 'modern',
    status: 'working',
    ttlMs: 60_000,
    ...more,
  };
}

/** What would run a task again. */
const ORIGIN: Required<Pick<NewTask, 'origin'>> = {
  origin: {
    message: { jsonrpc: '2.0', id: 'ä', method: 'tools/call', params: { name: 'render' } },
    client: { capabilities: { roots: {} }, info: { name: 'test' }, logLevel: 'info' },
    sessionId: 'session',
  },
};

async function created(store: TaskStore, given: NewTask): Promise<TaskRecord> {
  const record = await store.create(given);
  if (record === 'too-many') throw new Error('the store takes no more tasks');
  return record;
}

/** What may happen to tasks; a few ids and principals, so that they meet. */
const step = fc.record({
  does: fc.constantFrom(
    ...(['create', 'create', 'update', 'update', 'update', 'stale'] as const),
    ...(['get', 'delete', 'list', 'advance', 'reopen'] as const),
  ),
  taskId: fc.constantFrom('a', 'b', 'c', '__proto__'),
  principal: fc.constantFrom('ada', 'bob'),
  status: fc.constantFrom('working', 'input_required', 'completed', 'failed', 'cancelled'),
  ttlMs: fc.constantFrom(1_000, 5_000, null),
});

/** What a store must know after some steps. */
class TaskModel {
  readonly tasks = new Map<string, TaskRecord>();

  alive(): TaskRecord[] {
    const now = Date.now();
    return [...this.tasks.values()].filter(
      ({ createdAt, ttlMs }) => ttlMs === null || now < createdAt + ttlMs,
    );
  }

  find(principal: string, taskId: string): TaskRecord | undefined {
    return this.alive().find((it) => it.taskId === taskId && it.principal === principal);
  }

  put(record: TaskRecord): void {
    this.tasks.set(record.taskId, record);
  }

  /** What ran ends with the process. */
  restart(): void {
    for (const [taskId, record] of this.tasks) {
      if (isFinal(record.status)) continue;
      this.tasks.set(taskId, {
        ...record,
        status: 'failed',
        statusMessage: LOST_TASK.message,
        error: LOST_TASK,
        version: record.version + 1,
        lastUpdatedAt: Date.now(),
      });
    }
  }
}

/** What every store of tasks does. */
export function describeTaskStore(
  name: string,
  make: Make<TaskStore, TaskStoreLimits> | ((limits: TaskStoreLimits) => Promise<MadeTaskStore>),
  { runs = 100 }: { readonly runs?: number } = {},
): void {
  describe(`${name} as a store of tasks`, () => {
    it('gives back what was kept, at once', () =>
      using(make({}), async ({ store }) => {
        const given = task('one', 'ada', { pollIntervalMs: 500, statusMessage: 'ä' });
        const record = await created(store, given);
        expect(record).toMatchObject({ ...given, version: 1 });
        expect(record.lastUpdatedAt).toBe(record.createdAt);
        expect(await store.get('ada', 'one')).toEqual(record);
      }));

    it('shows no task to another principal', () =>
      using(make({}), async ({ store }) => {
        await created(store, task('one'));
        expect(await store.get('bob', 'one')).toBeUndefined();
        const change = { version: 1, changes: { status: 'cancelled' } } as const;
        expect(await store.update('bob', 'one', change)).toBeUndefined();
        expect(await store.delete('bob', 'one')).toBe(false);
        expect(await store.list('bob')).toEqual({ tasks: [] });
        expect((await store.get('ada', 'one'))?.status).toBe('working');
      }));

    it('takes no second task of an id', () =>
      using(make({}), async ({ store }) => {
        await created(store, task('one'));
        await expect((async () => store.create(task('one', 'bob')))()).rejects.toThrow();
        expect((await store.get('ada', 'one'))?.principal).toBe('ada');
      }));

    it('changes a task for the first who knows its version', () =>
      using(make({}), async ({ store, advance }) => {
        const { version, createdAt } = await created(store, task('one'));
        await advance(20);
        const inputRequests = { name: { method: 'roots/list' as const } };
        const asked = await store.update('ada', 'one', {
          version,
          changes: { status: 'input_required', inputRequests, statusMessage: 'asks' },
        });
        expect(asked).toMatchObject({ status: 'input_required', inputRequests, version: 2 });
        expect((asked as TaskRecord).lastUpdatedAt).toBeGreaterThan(createdAt);
        expect(
          await store.update('ada', 'one', { version, changes: { status: 'cancelled' } }),
        ).toBe('conflict');
        const working = await store.update('ada', 'one', {
          version: 2,
          changes: { status: 'working', inputRequests: undefined },
        });
        expect(working).toMatchObject({ status: 'working', statusMessage: 'asks', version: 3 });
        expect(working).not.toHaveProperty('inputRequests');
        expect(await store.get('ada', 'one')).toEqual(working);
      }));

    it('keeps who runs a task, and what would run it again, until that changes', () =>
      using(make({}), async (made) => {
        const { reopen } = made as MadeTaskStore;
        let { store } = made;
        const { origin } = ORIGIN;
        const begun = await created(store, task('one', 'ada', { node: 'a', origin }));
        expect(await store.get('ada', 'one')).toEqual({ ...begun, node: 'a', origin });
        const taken = await store.update('ada', 'one', { version: 1, changes: { node: 'b' } });
        expect(taken).toMatchObject({ node: 'b', origin, version: 2 });
        // The node before writes nothing any more.
        const late = { status: 'completed', result: { content: [] } } as const;
        expect(await store.update('ada', 'one', { version: 1, changes: late })).toBe('conflict');
        if (reopen !== undefined) {
          store = await reopen();
          const left = await store.get('ada', 'one');
          expect(left).toMatchObject({ status: 'working', origin });
          expect(['b', undefined]).not.toContain(left?.node);
        }
        const { version = 0 } = (await store.get('ada', 'one')) ?? {};
        const changes = { ...late, origin: undefined };
        const ended = await store.update('ada', 'one', { version, changes });
        expect(ended).not.toHaveProperty('origin');
        expect(await store.get('ada', 'one')).toEqual(ended);
      }));

    it('lets one of many win who change the same version', () =>
      using(make({}), async ({ store }) => {
        await created(store, task('one'));
        const outcomes = await Promise.all(
          Array.from({ length: 20 }, async (_none, at) =>
            store.update('ada', 'one', { version: 1, changes: { statusMessage: `${at}` } }),
          ),
        );
        expect(outcomes.filter((outcome) => outcome === 'conflict')).toHaveLength(19);
      }));

    it.each(['completed', 'failed', 'cancelled'] as const)('changes nothing after %s', (status) =>
      using(make({}), async ({ store }) => {
        await created(store, task('one'));
        const result = { content: [{ type: 'text', text: 'done' }] };
        const ended = await store.update('ada', 'one', {
          version: 1,
          changes:
            status === 'failed'
              ? { status, error: { code: 1, message: 'no' } }
              : { status, result },
        });
        expect(ended).toMatchObject({ status, version: 2 });
        expect(
          await store.update('ada', 'one', { version: 2, changes: { status: 'working' } }),
        ).toBe('conflict');
        expect(await store.get('ada', 'one')).toEqual(ended);
      }),
    );

    it('keeps what it has when somebody changes what it gave', () =>
      using(make({}), async ({ store }) => {
        const record = (await created(store, task('one'))) as { status: string };
        record.status = 'completed';
        expect((await store.get('ada', 'one'))?.status).toBe('working');
      }));

    it('forgets a task that is deleted or has expired', () =>
      using(make({ maxPerPrincipal: 2 }), async ({ store, advance }) => {
        await created(store, task('one', 'ada', { ttlMs: 100 }));
        await created(store, task('two', 'ada', { ttlMs: null }));
        expect(await store.create(task('three'))).toBe('too-many');
        await advance(150);
        expect(await store.get('ada', 'one')).toBeUndefined();
        expect((await store.list('ada')).tasks.map(({ taskId }) => taskId)).toEqual(['two']);
        await created(store, task('one'));
        expect(await store.delete('ada', 'two')).toBe(true);
        expect(await store.delete('ada', 'two')).toBe(false);
        expect(await store.get('ada', 'two')).toBeUndefined();
      }));

    it('bounds the tasks of a principal, and those of all', () =>
      using(make({ maxPerPrincipal: 2, maxTasks: 3 }), async ({ store }) => {
        await created(store, task('one'));
        await created(store, task('two'));
        expect(await store.create(task('three'))).toBe('too-many');
        await created(store, task('three', 'bob'));
        expect(await store.create(task('four', 'cem'))).toBe('too-many');
        await store.delete('ada', 'one');
        await created(store, task('four', 'cem'));
      }));

    it('lists the tasks of a principal in pages, while others come and go', () =>
      using(make({}), async ({ store }) => {
        for (let at = 1; at <= 7; at++) {
          await created(store, task(`task-${at}`));
          await created(store, task(`other-${at}`, 'bob'));
        }
        const first = await store.list('ada', { limit: 3 });
        expect(first.tasks.map(({ taskId }) => taskId)).toEqual(['task-1', 'task-2', 'task-3']);
        await store.delete('ada', 'task-3');
        await store.delete('ada', 'task-5');
        const second = await store.list('ada', { cursor: first.nextCursor!, limit: 3 });
        expect(second.tasks.map(({ taskId }) => taskId)).toEqual(['task-4', 'task-6', 'task-7']);
        expect(second).not.toHaveProperty('nextCursor');
        await expect((async () => store.list('ada', { cursor: 'no cursor' }))()).rejects.toThrow(
          RangeError,
        );
      }));

    it('agrees with a model over histories', () =>
      fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 40 }), (steps) =>
          using<TaskStore>(make({ maxPerPrincipal: 3, maxTasks: 100 }), async (made) => {
            const { reopen, advance } = made as MadeTaskStore;
            let { store } = made;
            const model = new TaskModel();
            for (const { does, taskId, principal, status, ttlMs } of steps) {
              const known = model.find(principal, taskId);
              if (does === 'create') {
                const own = model.alive().filter((it) => it.principal === principal);
                const given = task(taskId, principal, { ttlMs });
                const outcome = (async () => store.create(given))();
                if (model.alive().some((it) => it.taskId === taskId)) {
                  await expect(outcome).rejects.toThrow('of this id');
                } else if (own.length >= 3) {
                  expect(await outcome).toBe('too-many');
                } else {
                  const record = (await outcome) as TaskRecord;
                  expect(record).toMatchObject({ ...given, version: 1, createdAt: Date.now() });
                  model.tasks.delete(taskId);
                  model.put(record);
                }
              } else if (does === 'update' || does === 'stale') {
                const version = (known?.version ?? 1) - (does === 'stale' ? 1 : 0);
                const result = { content: [{ type: 'text', text: `${status} of ${taskId}` }] };
                const changes = { status, ...(status === 'completed' && { result }) };
                const outcome = await store.update(principal, taskId, { version, changes });
                if (known === undefined) {
                  expect(outcome).toBeUndefined();
                } else if (does === 'stale' || isFinal(known.status)) {
                  expect(outcome).toBe('conflict');
                } else {
                  const lastUpdatedAt = Date.now();
                  expect(outcome).toEqual({
                    ...known,
                    ...changes,
                    lastUpdatedAt,
                    version: version + 1,
                  });
                  model.put(outcome as TaskRecord);
                }
              } else if (does === 'get') {
                expect(await store.get(principal, taskId)).toEqual(known);
              } else if (does === 'delete') {
                expect(await store.delete(principal, taskId)).toBe(known !== undefined);
                if (known !== undefined) model.tasks.delete(taskId);
              } else if (does === 'list') {
                const own = model.alive().filter((it) => it.principal === principal);
                expect((await store.list(principal)).tasks).toEqual(own);
              } else if (does === 'advance') {
                await advance(700);
              } else if (reopen !== undefined) {
                store = await reopen();
                model.restart();
              }
            }
            for (const principal of ['ada', 'bob']) {
              const own = model.alive().filter((it) => it.principal === principal);
              expect((await store.list(principal)).tasks).toEqual(own);
            }
          }),
        ),
        { numRuns: runs },
      ));
  });
}
