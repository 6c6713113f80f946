import type { CallOrigin } from '../calls/client-call.js';
import type { MaybePromise } from '../principal.js';
import {
  isFinal,
  LOST_TASK,
  LOST_WITH_NODE,
  lostChanges,
  type TaskChanges,
  type TaskRecord,
  type TaskStore,
} from './task-store.js';

/** What would run a lost task again. One of both is called. */
export interface Rerun {
  resume(record: TaskRecord): void;
  abandon(): void;
}

/** What is needed to find and to run what others have lost. */
export interface LostTasksHost {
  readonly store: TaskStore;
  /** The name of this node, in a cluster. */
  readonly node: string | undefined;
  isAlive(node: string): MaybePromise<boolean>;
  /** Prepares to run a task again; `undefined` where it must not, or cannot. */
  prepare(lost: TaskRecord, asker: CallOrigin): Promise<Rerun | undefined>;
}

/**
 * Tasks whose process has died. Who meets one first takes it, by a change of the version that it has seen, and
 * runs it again as the same task if its tool may run twice; else it has failed, and nobody knows what it did.
 */
export class LostTasks {
  readonly #host: LostTasksHost;
  /** By task: who meets one that is being taken here waits for that. */
  readonly #settling = new Map<string, Promise<TaskRecord | undefined>>();
  /** Tasks that were to be taken here, and it is not known whether they were. */
  readonly #unsure = new Set<string>();

  constructor(host: LostTasksHost) {
    this.#host = host;
  }

  /**
   * A task as it is now.
   *
   * @param asker with whose credentials it runs again.
   */
  async settled(
    record: TaskRecord | undefined,
    asker: CallOrigin,
  ): Promise<TaskRecord | undefined> {
    if (record === undefined || !(await this.#isLost(record))) return record;
    const { taskId } = record;
    let settling = this.#settling.get(taskId);
    if (settling === undefined) {
      settling = this.#settle(record, asker).finally(() => this.#settling.delete(taskId));
      this.#settling.set(taskId, settling);
    }
    return settling;
  }

  async #settle(lost: TaskRecord, asker: CallOrigin): Promise<TaskRecord | undefined> {
    const { store, node } = this.#host;
    const { principal, taskId } = lost;
    const rerun = await this.#host.prepare(lost, asker);
    let isResumed = false;
    try {
      let known: TaskRecord | undefined = lost;
      while (known !== undefined && (await this.#isLost(known))) {
        const changes: TaskChanges =
          rerun === undefined
            ? lostChanges(node === undefined ? LOST_TASK : LOST_WITH_NODE)
            : { node, status: 'working', inputRequests: undefined };
        if (node !== undefined) this.#unsure.add(taskId);
        const { version } = known;
        const stored: TaskRecord | 'conflict' | undefined = await store.update(principal, taskId, {
          version,
          changes,
        });
        if (stored === 'conflict') {
          known = await store.get(principal, taskId);
          continue;
        }
        known = stored;
        this.#unsure.delete(taskId);
        if (known === undefined || rerun === undefined) return known;
        isResumed = true;
        rerun.resume(known);
        return known;
      }
      this.#unsure.delete(taskId);
      return known;
    } finally {
      if (!isResumed) rerun?.abandon();
    }
  }

  async #isLost({ taskId, status, node }: TaskRecord): Promise<boolean> {
    if (isFinal(status)) return false;
    // A change whose reply was lost may have been made: nothing runs here then.
    if (node === this.#host.node) return this.#unsure.has(taskId);
    if (node === undefined) return false;
    try {
      return !(await this.#host.isAlive(node));
    } catch {
      // Nobody knows it while the store is away.
      return false;
    }
  }
}
