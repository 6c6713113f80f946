import { checkCount } from '../check-options.js';
import {
  isFinal,
  TASK_PAGE_SIZE,
  type NewTask,
  type TaskChanges,
  type TaskPage,
  type TaskRecord,
  type TaskStore,
} from './task-store.js';

/** Options of {@link MemoryTaskStore}. */
export interface MemoryTaskStoreOptions {
  /** Tasks of one principal, those included whose answer nobody fetched yet. Default: 1 000. */
  readonly maxPerPrincipal?: number;
  /** Tasks of all principals. Default: 10 000. */
  readonly maxTasks?: number;
}

/** How often tasks that have expired are dropped. */
const SWEEP_MS = 60_000;

interface Kept {
  /** Its place in the order of creation, which cursors name. */
  readonly serial: number;
  record: TaskRecord;
}

/** The tasks of one node. */
export class MemoryTaskStore implements TaskStore {
  readonly #maxPerPrincipal: number;
  readonly #maxTasks: number;
  readonly #tasks = new Map<string, Kept>();
  /** By principal, in the order of creation. */
  readonly #ofPrincipal = new Map<string, Map<string, Kept>>();
  #lastSerial = 0;
  #sweep: NodeJS.Timeout | undefined;

  /** @throws TypeError when an option is wrong. */
  constructor({ maxPerPrincipal = 1_000, maxTasks = 10_000 }: MemoryTaskStoreOptions = {}) {
    this.#maxPerPrincipal = checkCount('maxPerPrincipal', maxPerPrincipal);
    this.#maxTasks = checkCount('maxTasks', maxTasks);
  }

  create(task: NewTask): TaskRecord | 'too-many' {
    const { taskId, principal } = task;
    if (this.#alive(this.#tasks.get(taskId)) !== undefined) {
      throw new Error('there is a task of this id');
    }
    if (this.#isFull(principal)) {
      this.#dropExpired();
      if (this.#isFull(principal)) return 'too-many';
    }
    const now = Date.now();
    const record: TaskRecord = { ...task, createdAt: now, lastUpdatedAt: now, version: 1 };
    const kept: Kept = { serial: ++this.#lastSerial, record };
    this.#tasks.set(taskId, kept);
    const own = this.#ofPrincipal.get(principal) ?? new Map<string, Kept>();
    this.#ofPrincipal.set(principal, own.set(taskId, kept));
    this.#sweep ??= setInterval(() => this.#dropExpired(), SWEEP_MS).unref();
    return { ...record };
  }

  get(principal: string, taskId: string): TaskRecord | undefined {
    const kept = this.#find(principal, taskId);
    return kept && { ...kept.record };
  }

  update(
    principal: string,
    taskId: string,
    { version, changes }: { readonly version: number; readonly changes: TaskChanges },
  ): TaskRecord | 'conflict' | undefined {
    const kept = this.#find(principal, taskId);
    if (kept === undefined) return undefined;
    const { record } = kept;
    if (record.version !== version || isFinal(record.status)) return 'conflict';
    const changed = { ...record, ...changes, lastUpdatedAt: Date.now(), version: version + 1 };
    const entries = Object.entries(changed).filter(([, value]) => value !== undefined);
    kept.record = Object.fromEntries(entries) as unknown as TaskRecord;
    return { ...kept.record };
  }

  delete(principal: string, taskId: string): boolean {
    const kept = this.#find(principal, taskId);
    if (kept !== undefined) this.#drop(kept);
    return kept !== undefined;
  }

  list(
    principal: string,
    { cursor, limit = TASK_PAGE_SIZE }: { readonly cursor?: string; readonly limit?: number } = {},
  ): TaskPage {
    const after = cursor === undefined ? 0 : serialOf(cursor);
    const tasks: TaskRecord[] = [];
    let last = after;
    for (const kept of this.#ofPrincipal.get(principal)?.values() ?? []) {
      if (kept.serial <= after || isExpired(kept)) continue;
      if (tasks.length === limit) return { tasks, nextCursor: String(last) };
      tasks.push({ ...kept.record });
      last = kept.serial;
    }
    return { tasks };
  }

  #isFull(principal: string): boolean {
    const own = this.#ofPrincipal.get(principal)?.size ?? 0;
    return own >= this.#maxPerPrincipal || this.#tasks.size >= this.#maxTasks;
  }

  #find(principal: string, taskId: string): Kept | undefined {
    const kept = this.#alive(this.#tasks.get(taskId));
    return kept?.record.principal === principal ? kept : undefined;
  }

  #alive(kept: Kept | undefined): Kept | undefined {
    if (kept === undefined || !isExpired(kept)) return kept;
    this.#drop(kept);
    return undefined;
  }

  #dropExpired(): void {
    for (const kept of this.#tasks.values()) this.#alive(kept);
  }

  #drop({ record: { taskId, principal } }: Kept): void {
    this.#tasks.delete(taskId);
    const own = this.#ofPrincipal.get(principal);
    own?.delete(taskId);
    if (own?.size === 0) this.#ofPrincipal.delete(principal);
    if (this.#tasks.size > 0) return;
    clearInterval(this.#sweep);
    this.#sweep = undefined;
  }
}

function isExpired({ record: { createdAt, ttlMs } }: Kept): boolean {
  return ttlMs !== null && Date.now() >= createdAt + ttlMs;
}

function serialOf(cursor: string): number {
  if (!/^\d{1,15}$/.test(cursor)) throw new RangeError('the cursor is none of this list');
  return Number(cursor);
}
