import { expiryOf, TaskIndex, type IndexedTask, type TaskStoreLimits } from './task-index.js';
import {
  changed,
  created,
  isFinal,
  type NewTask,
  type TaskChanges,
  type TaskPage,
  type TaskRecord,
  type TaskStore,
} from './task-store.js';

interface KeptTask extends IndexedTask {
  record: TaskRecord;
}

/** The tasks of one node, for as long as its process lasts. */
export class MemoryTaskStore implements TaskStore {
  readonly #index: TaskIndex<KeptTask>;

  /** @throws TypeError when an option is wrong. */
  constructor(limits: TaskStoreLimits = {}) {
    this.#index = new TaskIndex(limits);
  }

  create(task: NewTask): TaskRecord | 'too-many' {
    const serial = this.#index.reserve(task);
    if (serial === 'too-many') return serial;
    const record = created(task);
    const { taskId, principal } = task;
    this.#index.add({ taskId, principal, serial, expiresAt: expiryOf(record), record });
    return { ...record };
  }

  get(principal: string, taskId: string): TaskRecord | undefined {
    const kept = this.#index.find(principal, taskId);
    return kept && { ...kept.record };
  }

  update(
    principal: string,
    taskId: string,
    { version, changes }: { readonly version: number; readonly changes: TaskChanges },
  ): TaskRecord | 'conflict' | undefined {
    const kept = this.#index.find(principal, taskId);
    if (kept === undefined) return undefined;
    const { record } = kept;
    if (record.version !== version || isFinal(record.status)) return 'conflict';
    kept.record = changed(record, changes);
    kept.expiresAt = expiryOf(kept.record);
    return { ...kept.record };
  }

  delete(principal: string, taskId: string): boolean {
    const kept = this.#index.find(principal, taskId);
    if (kept !== undefined) this.#index.remove(kept);
    return kept !== undefined;
  }

  list(principal: string, page?: { readonly cursor?: string; readonly limit?: number }): TaskPage {
    const { tasks, ...next } = this.#index.page(principal, page);
    return { tasks: tasks.map(({ record }) => ({ ...record })), ...next };
  }
}
