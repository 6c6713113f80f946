import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  chmod,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  stat,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ClassicLevel } from 'classic-level';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { expectNothingLeftOpen } from '../../../../test/support/open-handles.ts';
import { removeFolder } from '../../../../test/support/remove-folder.ts';
import { DiskTaskStore } from '../../src/tasks/disk-task-store.ts';
import type { TaskStoreLimits } from '../../src/tasks/task-index.ts';
import { LOST_TASK, type NewTask } from '../../src/tasks/task-store.ts';
import { describeTaskStore, type MadeTaskStore } from '../contracts/task-store.ts';
import { bundle } from '../support/bundle.ts';
import type { Wrote } from './store-program.ts';

expectNothingLeftOpen();

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'longwire-tasks-'));
});
afterEach(() => removeFolder(folder));

/** The database is written by threads, which no fake clock moves. */
async function made(limits: TaskStoreLimits): Promise<MadeTaskStore> {
  vi.useFakeTimers({ toFake: ['Date', 'setInterval', 'clearInterval'] });
  const place = await mkdtemp(join(tmpdir(), 'longwire-tasks-'));
  let store = await DiskTaskStore.open(place, limits);
  return {
    store,
    advance: async (milliseconds) => {
      await vi.advanceTimersByTimeAsync(milliseconds);
    },
    reopen: async () => {
      await store.close();
      store = await DiskTaskStore.open(place, limits);
      return store;
    },
    close: async () => {
      await store.close();
      vi.useRealTimers();
      await removeFolder(place);
    },
  };
}

describeTaskStore('DiskTaskStore', made, { runs: 40 });

const task = (taskId: string, more: Partial<NewTask> = {}): NewTask => ({
  taskId,
  principal: 'ada',
  tool: 'render',
  era: 'modern',
  status: 'working',
  ttlMs: 60_000,
  ...more,
});

const result = { content: [{ type: 'text', text: 'döne' }] };

/** What the database of a folder has, seen without the store. */
async function keysIn(place: string): Promise<string[]> {
  const db = new ClassicLevel(place);
  await db.open();
  const keys = await db.keys().all();
  await db.close();
  return keys;
}

describe('a store that is opened again', () => {
  it('answers for what had finished, and says what was lost', async () => {
    const before = await DiskTaskStore.open(folder);
    await before.create(task('done'));
    await before.create(task('ran'));
    await before.create(task('asked'));
    const inputRequests = { name: { method: 'roots/list' as const } };
    const done = await before.update('ada', 'done', {
      version: 1,
      changes: { status: 'completed', result },
    });
    await before.update('ada', 'asked', {
      version: 1,
      changes: { status: 'input_required', inputRequests },
    });
    await before.close();
    await using after = await DiskTaskStore.open(folder);
    expect(await after.get('ada', 'done')).toEqual(done);
    expect(await after.get('ada', 'ran')).toMatchObject({ status: 'failed', error: LOST_TASK });
    const asked = await after.get('ada', 'asked');
    expect(asked).toMatchObject({ status: 'failed', error: LOST_TASK, version: 3 });
    expect(asked).not.toHaveProperty('inputRequests');
    const again = { version: 3, changes: { status: 'working' } } as const;
    expect(await after.update('ada', 'asked', again)).toBe('conflict');
  });

  it('goes on with a list where its reader was', async () => {
    const before = await DiskTaskStore.open(folder);
    for (const taskId of ['one', 'two', 'three']) await before.create(task(taskId));
    const { nextCursor } = await before.list('ada', { limit: 2 });
    await before.close();
    await using after = await DiskTaskStore.open(folder);
    await after.create(task('four'));
    const { tasks } = await after.list('ada', { cursor: nextCursor! });
    expect(tasks.map(({ taskId }) => taskId)).toEqual(['three', 'four']);
  });

  it('counts what it finds', async () => {
    const before = await DiskTaskStore.open(folder);
    await before.create(task('one'));
    await before.close();
    await using after = await DiskTaskStore.open(folder, { maxPerPrincipal: 1 });
    expect(await after.create(task('two'))).toBe('too-many');
  });
});

describe('what has expired', () => {
  it('is deleted from the disk while the store is open, and when it is opened', async () => {
    vi.useFakeTimers({ toFake: ['Date', 'setInterval', 'clearInterval'] });
    try {
      const first = await DiskTaskStore.open(folder);
      await first.create(task('soon', { ttlMs: 1_000 }));
      await first.create(task('later', { ttlMs: 100_000 }));
      await first.create(task('kept', { ttlMs: null }));
      await vi.advanceTimersByTimeAsync(60_000);
      await first.close();
      expect(await keysIn(folder)).toHaveLength(1 + 2);
      await vi.advanceTimersByTimeAsync(60_000);
      await (await DiskTaskStore.open(folder)).close();
      expect(await keysIn(folder)).toHaveLength(1 + 1);
    } finally {
      vi.useRealTimers();
    }
  });
});

describe('a folder that cannot be opened', () => {
  const opening = (): Promise<DiskTaskStore> => DiskTaskStore.open(folder);

  it('is in use', async () => {
    await using first = await opening();
    await expect(opening()).rejects.toThrow(
      `the task store ${folder} could not be opened: another process uses it`,
    );
    await first.create(task('one'));
    expect(await first.get('ada', 'one')).toMatchObject({ status: 'working' });
  });

  it('holds other files, and keeps them', async () => {
    await writeFile(join(folder, 'thesis.txt'), 'all of it');
    await expect(opening()).rejects.toThrow('it holds other files: name a folder of its own');
    expect(await readdir(folder)).toEqual(['thesis.txt']);
  });

  it('holds data of another program, and keeps it', async () => {
    const db = new ClassicLevel(folder);
    await db.put('run!0000000000000001', '{}');
    await db.close();
    await expect(opening()).rejects.toThrow('it holds other data: name a folder of its own');
    expect(await keysIn(folder)).toEqual(['run!0000000000000001']);
  });

  it('is of another version', async () => {
    const db = new ClassicLevel<string, unknown>(folder, { valueEncoding: 'json' });
    await db.put('format', 'longwire-tasks/2');
    await db.close();
    await expect(opening()).rejects.toThrow('its format is longwire-tasks/2');
  });

  it('has a record that is no task', async () => {
    await (await opening()).close();
    const db = new ClassicLevel<string, unknown>(folder, { valueEncoding: 'json' });
    await db.put('task!0000000000000001', { taskId: 'one' });
    await db.close();
    await expect(opening()).rejects.toThrow('what it has under task!0000000000000001 is no task');
  });

  it('is no folder', async () => {
    const file = join(folder, 'file');
    await writeFile(file, '');
    await expect(DiskTaskStore.open(file)).rejects.toThrow('it is no folder');
    await expect(DiskTaskStore.open('')).rejects.toThrow(TypeError);
    const mistyped = { maxTask: 5 } as object;
    await expect(DiskTaskStore.open(folder, mistyped)).rejects.toThrow(
      'limits.maxTask is not an option; there are maxPerPrincipal, maxTasks',
    );
    const wrong = DiskTaskStore.open(join(folder, 'new'), { maxTasks: 0 });
    await expect(wrong).rejects.toThrow('maxTasks must be a whole number above 0');
    expect(await readdir(folder)).toEqual(['file']);
  });

  it('needs classic-level', async () => {
    vi.doMock('classic-level', () => {
      throw new Error('no such package');
    });
    try {
      await expect(opening()).rejects.toThrow('npm install classic-level');
    } finally {
      vi.doUnmock('classic-level');
    }
  });

  it('has lost a part of a file', async () => {
    const store = await opening();
    await store.create(task('one'));
    await store.close();
    const manifest = (await readdir(folder)).find((name) => name.startsWith('MANIFEST'))!;
    await truncate(join(folder, manifest), 10);
    await expect(opening()).rejects.toThrow(`the task store ${folder} could not be opened: `);
  });
});

it('may be read by its owner only', async () => {
  await mkdir(join(folder, 'tasks'), { mode: 0o755 });
  await chmod(join(folder, 'tasks'), 0o755);
  await using _store = await DiskTaskStore.open(join(folder, 'tasks'));
  expect((await stat(join(folder, 'tasks'))).mode & 0o777).toBe(0o700);
  for (const file of await readdir(join(folder, 'tasks'))) {
    expect((await stat(join(folder, 'tasks', file))).mode & 0o077, file).toBe(0);
  }
});

it('keeps the tasks whose last write was torn', async () => {
  const store = await DiskTaskStore.open(folder);
  for (let at = 0; at < 20; at++) await store.create(task(`task-${at}`));
  await store.close();
  const log = (await readdir(folder)).find((name) => /^\d+\.log$/.test(name))!;
  const { length } = await readFile(join(folder, log));
  await truncate(join(folder, log), length - 7);
  await using torn = await DiskTaskStore.open(folder);
  const { tasks } = await torn.list('ada');
  expect(tasks.map(({ taskId }) => taskId)).toEqual(
    Array.from({ length: 19 }, (_none, at) => `task-${at}`),
  );
});

it('takes no more when it is closed, and is closed once', async () => {
  const store = await DiskTaskStore.open(folder);
  const creating = store.create(task('one'));
  await store.close();
  await store.close();
  expect(await creating).toMatchObject({ taskId: 'one' });
  await expect(store.get('ada', 'one')).rejects.toThrow(`the task store ${folder} is closed`);
  await expect(store.create(task('two'))).rejects.toThrow('is closed');
});

describe('a process that is killed', () => {
  let program: Awaited<ReturnType<typeof bundle>>;
  beforeAll(async () => {
    program = await bundle(new URL('store-program.ts', import.meta.url));
  });
  afterAll(() => program.remove());

  /** Runs the program until it has written so much, and kills it in the middle of the next. */
  async function killedAfter(count: number): Promise<readonly Wrote[]> {
    const child: ChildProcess = fork(program.path, [folder]);
    const exited = once(child, 'exit');
    const written: Wrote[] = [];
    child.on('message', (wrote: Wrote) => {
      written.push(wrote);
      if (written.length >= count) child.kill('SIGKILL');
    });
    expect((await exited)[1]).toBe('SIGKILL');
    return written;
  }

  it('has on disk what it had answered for', () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 120 }), { minLength: 1, maxLength: 3 }),
        async (kills) => {
          await removeFolder(folder);
          const known = new Map<string, string>();
          for (const kill of kills) {
            const running = new Set<string>();
            for (const { taskId, status } of await killedAfter(kill)) {
              known.set(taskId, status);
              if (status === 'working') running.add(taskId);
              else running.delete(taskId);
            }
            await using store = await DiskTaskStore.open(folder);
            for (const [taskId, status] of known) {
              const record = await store.get('ada', taskId);
              // The process may have finished a task that it could not tell of any more.
              if (running.has(taskId) && record?.status === 'completed') {
                known.set(taskId, 'completed');
              } else if (running.has(taskId)) {
                expect(record).toMatchObject({ status: 'failed', error: LOST_TASK });
                known.set(taskId, 'failed');
              } else {
                expect(record?.status).toBe(status);
              }
              if (record?.status === 'completed') {
                expect(record.result).toEqual({ content: [{ type: 'text', text: taskId }] });
              }
            }
          }
        },
      ),
      { numRuns: 8 },
    ));
});
