import type {
  NewTask,
  TaskChanges,
  TaskPage,
  TaskRecord,
  TaskStore,
  TaskStoreLimits,
} from '@longwire/server';
import { createHash } from 'node:crypto';
import { OTHER_FORM, parseJson, type Place } from '../payloads.js';
import type { StoreClock, StoreConnection } from './store-connection.js';
import {
  CLAIM_TASK,
  CREATE_TASK,
  DELETE_TASK,
  GET_TASK,
  LIST_TASKS,
  UNCLAIM_TASK,
  UPDATE_TASK,
} from './task-scripts.js';

/** How many tasks are kept, and how much. */
export interface RedisTaskStoreLimits extends TaskStoreLimits {
  /** Tasks of all principals, on all nodes. Default: 100 000. */
  readonly maxTasks?: number;
  /**
   * Bytes of the tasks of one principal, as they are kept. Beyond that no task begins for it; those that
   * run still end with their answer. Default: 268 435 456 (256 MiB).
   */
  readonly maxBytesPerPrincipal?: number;
}

/** How many tasks a page has, unless the caller says it. */
const PAGE_SIZE = 50;
/** How long a task is kept that has no end: no key stays for ever. */
const ENDLESS_MS = 30 * 86_400_000;
/** A key is kept a little longer than what it holds counts. */
const SLACK_MS = 60_000;
/** What scripts read, and what says nothing of a call, is never sealed. */
const OPEN_FIELDS: ReadonlySet<string> = new Set([
  'taskId',
  'status',
  'ttlMs',
  'createdAt',
  'lastUpdatedAt',
  'version',
]);
/** What is only for scripts. */
const OWN_FIELD = 'expiresAt';

/** Those of a principal are in one slot, so that a script sees them all. */
interface PrincipalKeys {
  /** What the key of a task begins with. */
  readonly task: string;
  readonly order: string;
  readonly expiry: string;
  readonly sizes: string;
}

/**
 * The tasks of all nodes. Times are those of Redis. A task without an end is kept for 30 days.
 *
 * A task is a hash with one field a property, so that a change sends only what changed.
 */
export class RedisTaskStore implements TaskStore {
  readonly #connection: StoreConnection;
  readonly #limits: Required<RedisTaskStoreLimits>;
  readonly #clock: StoreClock | undefined;
  readonly #all: string;

  constructor(
    connection: StoreConnection,
    {
      maxPerPrincipal = 1_000,
      maxTasks = 100_000,
      maxBytesPerPrincipal = 256 * 1_024 * 1_024,
    }: RedisTaskStoreLimits = {},
    clock?: StoreClock,
  ) {
    this.#connection = connection;
    this.#limits = { maxPerPrincipal, maxTasks, maxBytesPerPrincipal };
    this.#clock = clock;
    this.#all = `${connection.prefix}tasks`;
  }

  async create(task: NewTask): Promise<TaskRecord | 'too-many'> {
    const { taskId, principal, ttlMs } = task;
    const { maxPerPrincipal, maxTasks, maxBytesPerPrincipal } = this.#limits;
    const keptMs = ttlMs ?? ENDLESS_MS;
    const claim = [taskId, maxTasks, keptMs, SLACK_MS];
    const claimed = await this.#run(CLAIM_TASK, { keys: [this.#all], args: claim });
    if (claimed === 'exists') throw new Error('there is a task of this id');
    if (claimed === 'too-many') return 'too-many';
    const keys = this.#keysOf(principal);
    const createdAt = await this.#run(CREATE_TASK, {
      keys: keysOfTask(keys, taskId),
      args: [
        taskId,
        maxPerPrincipal,
        maxBytesPerPrincipal,
        keptMs,
        SLACK_MS,
        keys.task,
        ...this.#fieldsOf(task, task),
      ],
    }).catch((error: unknown) => {
      // It may have been kept, and nobody would ever end it.
      this.delete(principal, taskId).catch(() => {});
      throw error;
    });
    if (typeof createdAt === 'number') {
      return { ...task, createdAt, lastUpdatedAt: createdAt, version: 1 };
    }
    await this.#connection.run(UNCLAIM_TASK, [this.#all], [taskId]);
    if (createdAt === 'too-many') return 'too-many';
    throw new Error('there is a task of this id');
  }

  async get(principal: string, taskId: string): Promise<TaskRecord | undefined> {
    const { task } = this.#keysOf(principal);
    const fields = await this.#run(GET_TASK, { keys: [task + taskId], again: true });
    return fields === null ? undefined : this.#recordOf({ principal, taskId }, fields as string[]);
  }

  async update(
    principal: string,
    taskId: string,
    { version, changes }: { readonly version: number; readonly changes: TaskChanges },
  ): Promise<TaskRecord | 'conflict' | undefined> {
    const entries = Object.entries(changes);
    const removed = entries.filter(([, value]) => value === undefined).map(([name]) => name);
    const { ttlMs } = changes;
    const updated = await this.#run(UPDATE_TASK, {
      keys: keysOfTask(this.#keysOf(principal), taskId),
      args: [
        taskId,
        version,
        this.#channelOf(taskId),
        ttlMs === undefined ? '' : (ttlMs ?? ENDLESS_MS),
        SLACK_MS,
        removed.length,
        ...removed,
        ...this.#fieldsOf({ principal, taskId }, changes),
      ],
      // The second time it is a conflict, and whoever asks looks at what is kept.
      again: true,
    });
    if (updated === 'conflict') return 'conflict';
    if (updated === null) return undefined;
    const [lastUpdatedAt, before] = updated as [number, string[]];
    const known = this.#recordOf({ principal, taskId }, before);
    if (known === undefined) return undefined;
    const after = { ...known, ...changes, lastUpdatedAt, version: version + 1 };
    const kept = Object.entries(after).filter(([, value]) => value !== undefined);
    return Object.fromEntries(kept) as unknown as TaskRecord;
  }

  async delete(principal: string, taskId: string): Promise<boolean> {
    const deleted = await this.#run(DELETE_TASK, {
      keys: keysOfTask(this.#keysOf(principal), taskId),
      args: [taskId, this.#channelOf(taskId)],
    });
    if (deleted === 1) await this.#connection.run(UNCLAIM_TASK, [this.#all], [taskId]);
    return deleted === 1;
  }

  async list(
    principal: string,
    { cursor, limit = PAGE_SIZE }: { readonly cursor?: string; readonly limit?: number } = {},
  ): Promise<TaskPage> {
    if (cursor !== undefined && !/^\d{1,15}$/.test(cursor)) {
      throw new RangeError('the cursor is none of this list');
    }
    const { task, order, expiry } = this.#keysOf(principal);
    const found = await this.#run(LIST_TASKS, {
      keys: [order, expiry],
      args: [cursor ?? 0, limit + 1],
      again: true,
    });
    const ids = (found as string[]).filter((_id, at) => at % 2 === 0).slice(0, limit);
    const fields = await Promise.all(
      ids.map((id) => this.#run(GET_TASK, { keys: [task + id], again: true })),
    );
    // One may have expired, or have been deleted, meanwhile.
    const tasks = fields.flatMap((it, at) => {
      const own = { principal, taskId: ids[at] ?? '' };
      return (it === null ? undefined : this.#recordOf(own, it as string[])) ?? [];
    });
    const hasMore = (found as string[]).length > 2 * limit;
    return { tasks, ...(hasMore && { nextCursor: (found as string[])[2 * limit - 1]! }) };
  }

  /**
   * Told whenever a task may have changed, by whichever node, and when changes may have been missed. Ask for
   * the task then.
   */
  listen(taskId: string, listener: () => void): () => void {
    let isLeft = false;
    const leave = [
      this.#connection.subscribe(this.#channelOf(taskId), () => listener()),
      this.#connection.onMissed(listener),
      () => (isLeft = true),
    ];
    // What changed before it was listened to.
    this.#connection.subscribed().then(
      () => isLeft || listener(),
      () => {},
    );
    return () => {
      for (const undo of leave) undo();
    };
  }

  #run(
    script: string,
    {
      keys,
      args = [],
      again = false,
    }: {
      readonly keys: readonly string[];
      readonly args?: readonly (string | number)[];
      readonly again?: boolean;
    },
  ): Promise<unknown> {
    return this.#connection.run(script, keys, [this.#clock?.() ?? '', ...args], { again });
  }

  #keysOf(principal: string): PrincipalKeys {
    const digest = createHash('sha256').update(principal).digest('base64url').slice(0, 22);
    const tag = `${this.#connection.prefix}{${digest}}:`;
    return {
      task: `${tag}task:`,
      order: `${tag}tasks`,
      expiry: `${tag}tasks-expire`,
      sizes: `${tag}tasks-bytes`,
    };
  }

  #channelOf(taskId: string): string {
    return `${this.#connection.prefix}task:${taskId}`;
  }

  #fieldsOf(task: TaskName, properties: object): string[] {
    return Object.entries(properties).flatMap(([name, value]) => {
      if (value === undefined) return [];
      const text = JSON.stringify(value);
      return [
        name,
        OPEN_FIELDS.has(name) ? text : this.#connection.seal(text, placeOf(task, name)),
      ];
    });
  }

  /** A task from its fields; `undefined` where one of them cannot be read. */
  #recordOf(task: TaskName, fields: readonly string[]): TaskRecord | undefined {
    const record: Record<string, unknown> = {};
    for (let at = 0; at < fields.length; at += 2) {
      const [name = '', stored = ''] = [fields[at], fields[at + 1]];
      if (name === OWN_FIELD) continue;
      const text = OPEN_FIELDS.has(name)
        ? stored
        : this.#connection.read(stored, placeOf(task, name));
      if (text === undefined) return undefined;
      record[name] = parseJson(text);
    }
    if (isTask(record, task)) return record;
    this.#connection.unreadable('task', OTHER_FORM);
    return undefined;
  }
}

type TaskName = Pick<TaskRecord, 'principal' | 'taskId'>;

function placeOf({ principal, taskId }: TaskName, property: string): Place {
  return ['task', principal, taskId, property];
}

const STATUSES: ReadonlySet<unknown> = new Set<TaskRecord['status']>([
  'working',
  'input_required',
  'completed',
  'failed',
  'cancelled',
]);

function isTask(
  record: Record<string, unknown>,
  { principal, taskId }: TaskName,
): record is Record<string, unknown> & TaskRecord {
  const { ttlMs, createdAt, lastUpdatedAt, version, status, tool, era, node } = record;
  return (
    record['principal'] === principal &&
    record['taskId'] === taskId &&
    typeof tool === 'string' &&
    (era === 'legacy' || era === 'modern') &&
    STATUSES.has(status) &&
    (node === undefined || typeof node === 'string') &&
    (ttlMs === null || Number.isFinite(ttlMs)) &&
    [createdAt, lastUpdatedAt, version].every((number) => Number.isFinite(number))
  );
}

function keysOfTask({ task, order, expiry, sizes }: PrincipalKeys, taskId: string): string[] {
  return [task + taskId, order, expiry, sizes];
}
