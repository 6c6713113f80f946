import { chmod, mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { ClassicLevel } from 'classic-level';
import { expiryOf } from './task-index.js';
import { changed, isFinal, LOST_TASK, lostChanges, type TaskRecord } from './task-store.js';

/** A task, and its place in the order of creation. */
export interface StoredTask {
  readonly serial: number;
  readonly record: TaskRecord;
}

type Operation = { type: 'put'; key: string; value: unknown } | { type: 'del'; key: string };

/** Under which key the version of the format is. Those of tasks begin with `task!`. */
const FORMAT_KEY = 'format';

/** A folder of another format is not opened. */
const FORMAT = 'longwire-tasks/1';

const TASK_PREFIX = 'task!';

/** No node runs it any more. */
const LEFT_BEHIND = {
  status: 'working',
  inputRequests: undefined,
  node: 'before the restart',
} as const;

/** The files of a LevelDB. */
const OWN_FILES = /^(?:CURRENT|LOCK|LOG(?:\.old)?|MANIFEST-\d+|\d+\.(?:log|ldb|sst))$/;

/**
 * Opens the database of a folder. No other process has it open then, so what runs according to it was
 * lost with the process before, and is marked so: it runs again if somebody asks for it whose tool may run
 * twice, or has failed.
 *
 * @throws Error that names the folder and what is wrong with it.
 */
export async function openTaskFolder(
  folder: string,
): Promise<{ db: ClassicLevel<string, unknown>; tasks: readonly StoredTask[] }> {
  const Database = await loadDatabase(folder);
  await makePrivate(folder);
  const db = new Database<string, unknown>(folder, { valueEncoding: 'json' });
  try {
    await db.open();
  } catch (error) {
    const cause = (error as Error).cause as NodeJS.ErrnoException | undefined;
    throw folderError(folder, reasonOf(cause ?? (error as Error)), error);
  }
  try {
    await closeFiles(folder);
    await checkFormat(db);
    return { db, tasks: await takeOver(db) };
  } catch (error) {
    await db.close();
    throw folderError(folder, (error as Error).message, error);
  }
}

/** So that the order of keys is that of numbers. */
export function taskKey(serial: number): string {
  return `${TASK_PREFIX}${String(serial).padStart(16, '0')}`;
}

async function checkFormat(db: ClassicLevel<string, unknown>): Promise<void> {
  const format = await db.get(FORMAT_KEY);
  if (format === FORMAT) return;
  if (typeof format === 'string' && format.startsWith('longwire-tasks/')) {
    throw new Error(`its format is ${format}, which this version does not know: name another one`);
  }
  const [key] = await db.keys({ limit: 1 }).all();
  if (key !== undefined) throw new Error('it holds other data: name a folder of its own');
  await db.put(FORMAT_KEY, FORMAT, { sync: true });
}

/** Reads what the process before left: deletes what has expired, and marks what ran. */
async function takeOver(db: ClassicLevel<string, unknown>): Promise<readonly StoredTask[]> {
  const tasks: StoredTask[] = [];
  const operations: Operation[] = [];
  for await (const [key, value] of db.iterator({ gte: TASK_PREFIX, lt: 'task"' })) {
    const record = recordOf(key, value);
    const serial = Number(key.slice(TASK_PREFIX.length));
    if (expiryOf(record) <= Date.now()) {
      operations.push({ type: 'del', key });
    } else if (isFinal(record.status)) {
      tasks.push({ serial, record });
    } else {
      const canRun = record.origin !== undefined;
      const lost = changed(record, canRun ? LEFT_BEHIND : lostChanges(LOST_TASK));
      operations.push({ type: 'put', key, value: lost });
      tasks.push({ serial, record: lost });
    }
  }
  if (operations.length > 0) await db.batch(operations, { sync: true });
  return tasks;
}

function recordOf(key: string, value: unknown): TaskRecord {
  const { taskId, principal, tool, status, createdAt, ttlMs, version } = (value ??
    {}) as Partial<TaskRecord>;
  const isTask =
    /^task!\d{16}$/.test(key) &&
    [taskId, principal, tool, status].every((it) => typeof it === 'string') &&
    typeof createdAt === 'number' &&
    (ttlMs === null || typeof ttlMs === 'number') &&
    typeof version === 'number';
  if (!isTask) throw new Error(`what it has under ${key} is no task: name another one`);
  return value as TaskRecord;
}

/** Creates the folder, or makes an existing one private. */
async function makePrivate(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const files = await readdir(folder);
    if (files.length > 0 && !files.includes('CURRENT')) {
      // A crash while it was created leaves files of its own, without `CURRENT`.
      const foreign = files.some((name) => !OWN_FILES.test(name) && !name.endsWith('.dbtmp'));
      if (foreign) throw new Error('it holds other files: name a folder of its own');
    }
    await chmod(folder, 0o700);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const reason = code === 'EEXIST' || code === 'ENOTDIR' ? 'it is no folder' : message;
    throw folderError(folder, reason, error);
  }
}

/** The library creates files that all may read; the folder would not protect a copy of one. */
async function closeFiles(folder: string): Promise<void> {
  for (const file of (await readdir(folder)).filter((name) => OWN_FILES.test(name))) {
    // The library may have deleted it meanwhile.
    await chmod(join(folder, file), 0o600).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error;
    });
  }
}

/** It has binaries, and a server whose tasks are in memory does not install it. */
async function loadDatabase(folder: string): Promise<typeof ClassicLevel> {
  try {
    return (await import('classic-level')).ClassicLevel;
  } catch (cause) {
    const reason =
      'it needs the package classic-level, which cannot be loaded: npm install classic-level';
    throw folderError(folder, reason, cause);
  }
}

function reasonOf({ code, message }: NodeJS.ErrnoException): string {
  if (code === 'LEVEL_LOCKED')
    return 'another process uses it: end that one, or name another folder';
  if (code === 'LEVEL_CORRUPTION') return `it is damaged: restore it, or delete it (${message})`;
  return message;
}

function folderError(folder: string, reason: string, cause: unknown): Error {
  return new Error(`the task store ${folder} could not be opened: ${reason}`, { cause });
}
