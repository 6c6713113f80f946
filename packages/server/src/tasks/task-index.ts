import { checkCount, checkNames } from '../check-options.js';
import { TASK_PAGE_SIZE, type TaskRecord } from './task-store.js';

/** How many tasks a store keeps. */
export interface TaskStoreLimits {
  /** Tasks of one principal, those included whose answer nobody fetched yet. Default: 1 000. */
  readonly maxPerPrincipal?: number;
  /** Tasks of all principals. Default: 10 000. */
  readonly maxTasks?: number;
}

/** What is kept in memory of a task. */
export interface IndexedTask {
  readonly taskId: string;
  readonly principal: string;
  /** Its place in the order of creation, which cursors name. */
  readonly serial: number;
  /** Milliseconds since 1970; `Infinity` for one that does not expire. */
  expiresAt: number;
}

/** Some of the tasks of a principal. */
interface IndexedPage<Task> {
  readonly tasks: readonly Task[];
  readonly nextCursor?: string;
}

/** How often tasks that have expired are dropped. */
const SWEEP_MS = 60_000;

/** The tasks of one process: whose they are, in which order they were created, when they expire. */
export class TaskIndex<Task extends IndexedTask> {
  readonly #maxPerPrincipal: number;
  readonly #maxTasks: number;
  readonly #onExpired: (task: Task) => void;
  readonly #tasks = new Map<string, Task>();
  /** By principal, in the order of creation. */
  readonly #ofPrincipal = new Map<string, Map<string, Task>>();
  #lastSerial = 0;
  #sweep: NodeJS.Timeout | undefined;

  /** @throws TypeError when a limit is wrong. */
  constructor(limits: TaskStoreLimits, onExpired: (task: Task) => void = () => {}) {
    checkNames('limits', limits, ['maxPerPrincipal', 'maxTasks']);
    const { maxPerPrincipal = 1_000, maxTasks = 10_000 } = limits;
    this.#maxPerPrincipal = checkCount('maxPerPrincipal', maxPerPrincipal);
    this.#maxTasks = checkCount('maxTasks', maxTasks);
    this.#onExpired = onExpired;
  }

  /**
   * The place of a new task, unless there is no room for it.
   *
   * @throws Error where there is one of this id.
   */
  reserve({ taskId, principal }: Pick<TaskRecord, 'taskId' | 'principal'>): number | 'too-many' {
    if (this.#alive(this.#tasks.get(taskId)) !== undefined) {
      throw new Error('there is a task of this id');
    }
    if (this.#isFull(principal)) {
      this.#dropExpired();
      if (this.#isFull(principal)) return 'too-many';
    }
    return this.#lastSerial + 1;
  }

  add(task: Task): void {
    const { taskId, principal, serial } = task;
    this.#lastSerial = Math.max(this.#lastSerial, serial);
    this.#tasks.set(taskId, task);
    const own = this.#ofPrincipal.get(principal) ?? new Map<string, Task>();
    this.#ofPrincipal.set(principal, own.set(taskId, task));
    this.#sweep ??= setInterval(() => this.#dropExpired(), SWEEP_MS).unref();
  }

  find(principal: string, taskId: string): Task | undefined {
    const task = this.#alive(this.#tasks.get(taskId));
    return task?.principal === principal ? task : undefined;
  }

  /** Whether it is still there. */
  has(task: Task): boolean {
    return this.#tasks.get(task.taskId) === task;
  }

  remove(task: Task): void {
    const { taskId, principal } = task;
    if (!this.has(task)) return;
    this.#tasks.delete(taskId);
    const own = this.#ofPrincipal.get(principal);
    own?.delete(taskId);
    if (own?.size === 0) this.#ofPrincipal.delete(principal);
    if (this.#tasks.size === 0) this.stop();
  }

  /** @throws RangeError for a cursor that is none. */
  page(
    principal: string,
    { cursor, limit = TASK_PAGE_SIZE }: { readonly cursor?: string; readonly limit?: number } = {},
  ): IndexedPage<Task> {
    const after = cursor === undefined ? 0 : serialOf(cursor);
    const tasks: Task[] = [];
    let last = after;
    for (const task of this.#ofPrincipal.get(principal)?.values() ?? []) {
      if (task.serial <= after || isExpired(task)) continue;
      if (tasks.length === limit) return { tasks, nextCursor: String(last) };
      tasks.push(task);
      last = task.serial;
    }
    return { tasks };
  }

  /** Looks for expired tasks no more. */
  stop(): void {
    clearInterval(this.#sweep);
    this.#sweep = undefined;
  }

  #isFull(principal: string): boolean {
    const own = this.#ofPrincipal.get(principal)?.size ?? 0;
    return own >= this.#maxPerPrincipal || this.#tasks.size >= this.#maxTasks;
  }

  #alive(task: Task | undefined): Task | undefined {
    if (task === undefined || !isExpired(task)) return task;
    this.remove(task);
    this.#onExpired(task);
    return undefined;
  }

  #dropExpired(): void {
    for (const task of this.#tasks.values()) this.#alive(task);
  }
}

/** When a task is gone, in milliseconds since 1970. */
export function expiryOf({ createdAt, ttlMs }: Pick<TaskRecord, 'createdAt' | 'ttlMs'>): number {
  return ttlMs === null ? Infinity : createdAt + ttlMs;
}

function isExpired({ expiresAt }: IndexedTask): boolean {
  return Date.now() >= expiresAt;
}

function serialOf(cursor: string): number {
  if (!/^\d{1,15}$/.test(cursor)) throw new RangeError('the cursor is none of this list');
  return Number(cursor);
}
