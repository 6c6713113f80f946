import type { ClassicLevel } from 'classic-level';
import { openTaskFolder, taskKey } from './task-folder.js';
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

/** What is in memory of a task: all of one that runs, and where the answer of another is. */
interface DiskTask extends IndexedTask {
  /** Until its status is final. */
  running: TaskRecord | undefined;
  /** Settles when what was written of it so far is on disk. */
  written: Promise<unknown>;
}

/**
 * The tasks of one node, on disk: a server that is started again, also after a crash, answers for what had
 * finished. A task that ran meanwhile runs again when its client asks for it, if its tool is annotated
 * `readOnlyHint` or `idempotentHint`; else it is `failed`, with an error that says that its outcome is
 * unknown. It needs the package `classic-level`.
 *
 * A task is on disk before it is answered that it exists, and its final state before anyone is told of
 * it, even if the power fails; what changes between may be lost with the machine.
 */
export class DiskTaskStore implements TaskStore {
  readonly #db: ClassicLevel<string, unknown>;
  readonly #folder: string;
  readonly #index: TaskIndex<DiskTask>;
  readonly #writing = new Set<Promise<unknown>>();
  #isClosed = false;

  private constructor(db: ClassicLevel<string, unknown>, folder: string, limits: TaskStoreLimits) {
    this.#db = db;
    this.#folder = folder;
    this.#index = new TaskIndex(limits, (task) => this.#forget(task));
  }

  /**
   * Opens the store in a folder, which is created if it is missing. The folder holds what tools answer,
   * so only its owner may read it. Deletes tasks that have expired, and marks those that ran when the
   * process before ended.
   *
   * @throws TypeError when a limit is wrong.
   * @throws Error that names the folder, if it cannot be opened: another process has it open, it holds
   * something else, it is damaged, or `classic-level` is missing.
   */
  static async open(folder: string, limits: TaskStoreLimits = {}): Promise<DiskTaskStore> {
    if (typeof folder !== 'string' || folder === '') {
      throw new TypeError('the folder of a DiskTaskStore must be a path');
    }
    // Limits are checked before anything is created.
    new TaskIndex(limits);
    const { db, tasks } = await openTaskFolder(folder);
    const store = new DiskTaskStore(db, folder, limits);
    for (const { serial, record } of tasks) store.#add(serial, record);
    return store;
  }

  async create(task: NewTask): Promise<TaskRecord | 'too-many'> {
    this.#checkOpen();
    const serial = this.#index.reserve(task);
    if (serial === 'too-many') return serial;
    const record = created(task);
    const kept = this.#add(serial, record);
    try {
      await this.#inOrder(kept, () => this.#write(serial, record));
    } catch (error) {
      this.#index.remove(kept);
      throw error;
    }
    return { ...record };
  }

  async get(principal: string, taskId: string): Promise<TaskRecord | undefined> {
    this.#checkOpen();
    const kept = this.#index.find(principal, taskId);
    return kept && (await this.#read(kept));
  }

  async update(
    principal: string,
    taskId: string,
    { version, changes }: { readonly version: number; readonly changes: TaskChanges },
  ): Promise<TaskRecord | 'conflict' | undefined> {
    this.#checkOpen();
    const kept = this.#index.find(principal, taskId);
    if (kept === undefined) return undefined;
    return this.#inOrder(kept, async () => {
      if (!this.#index.has(kept)) return undefined;
      const { running } = kept;
      if (running === undefined || running.version !== version) return 'conflict';
      const record = changed(running, changes);
      await this.#write(kept.serial, record);
      kept.running = isFinal(record.status) ? undefined : record;
      kept.expiresAt = expiryOf(record);
      return { ...record };
    });
  }

  async delete(principal: string, taskId: string): Promise<boolean> {
    this.#checkOpen();
    const kept = this.#index.find(principal, taskId);
    if (kept === undefined) return false;
    this.#index.remove(kept);
    await this.#inOrder(kept, () => this.#db.del(taskKey(kept.serial)));
    return true;
  }

  async list(
    principal: string,
    page?: { readonly cursor?: string; readonly limit?: number },
  ): Promise<TaskPage> {
    this.#checkOpen();
    const { tasks, ...next } = this.#index.page(principal, page);
    const records = await Promise.all(tasks.map((kept) => this.#read(kept)));
    return { tasks: records.filter((record) => record !== undefined), ...next };
  }

  /** Writes what is left to write, and lets another process open the folder. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#index.stop();
    await Promise.allSettled(this.#writing);
    await this.#db.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #add(serial: number, record: TaskRecord): DiskTask {
    const { taskId, principal, status } = record;
    const running = isFinal(status) ? undefined : record;
    const written = Promise.resolve();
    const kept = { taskId, principal, serial, expiresAt: expiryOf(record), running, written };
    this.#index.add(kept);
    return kept;
  }

  async #read(kept: DiskTask): Promise<TaskRecord | undefined> {
    if (kept.running !== undefined) return { ...kept.running };
    const record = (await this.#db.get(taskKey(kept.serial))) as TaskRecord | undefined;
    // It may have been deleted meanwhile.
    return this.#index.has(kept) ? record : undefined;
  }

  /** What is final is on disk even if the machine fails; so is that a task exists. */
  #write(serial: number, record: TaskRecord): Promise<void> {
    const sync = record.version === 1 || isFinal(record.status);
    return this.#db.put(taskKey(serial), record, { sync });
  }

  /** Deletes one that has expired. If that fails, the next opening does it. */
  #forget(kept: DiskTask): void {
    if (this.#isClosed) return;
    this.#inOrder(kept, () => this.#db.del(taskKey(kept.serial))).catch(() => {});
  }

  /** Runs one change of a task after the other. */
  #inOrder<T>(kept: DiskTask, change: () => Promise<T>): Promise<T> {
    const done = kept.written.then(change);
    kept.written = done.catch(() => {});
    const { written } = kept;
    this.#writing.add(written);
    void written.then(() => this.#writing.delete(written));
    return done;
  }

  #checkOpen(): void {
    if (this.#isClosed) throw new Error(`the task store ${this.#folder} is closed`);
  }
}
