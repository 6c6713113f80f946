import type { FastifyBaseLogger } from 'fastify';
import { setTimeout as sleep } from 'node:timers/promises';
import { isFinal, type TaskChanges, type TaskRecord, type TaskStore } from './task-store.js';

/** Progress is written so often at most: a handler may tell it thousands of times a second. */
const PROGRESS_EVERY_MS = 100;
/** A store that fails is asked again, so long and so often. */
const RETRY_MS = 1_000;
const MAX_TRIES = 5;

/** What a writer tells. */
export interface TaskWriterHandlers {
  /** What is stored now. */
  written(record: TaskRecord): void;
  /** The task has ended otherwise, or is gone, or another node's. */
  lost(): void;
}

/**
 * Writes the changes of one task to its store, one after the other. Each names the version that it changes, and
 * a node that takes a task over makes a new one: what the node before still writes is refused, and it learns so.
 */
export class TaskWriter {
  readonly #store: TaskStore;
  readonly #handlers: TaskWriterHandlers;
  readonly #log: FastifyBaseLogger;
  #record: TaskRecord;
  #pending: TaskChanges | undefined;
  /** What may wait until the next change, or for a while. */
  #told: TaskChanges | undefined;
  #writing: Promise<void> | undefined;
  #writtenAt = -Infinity;
  #later: NodeJS.Timeout | undefined;
  #hasFailed = false;
  #isTaken = false;

  constructor(
    record: TaskRecord,
    {
      store,
      handlers,
      log,
    }: { store: TaskStore; handlers: TaskWriterHandlers; log: FastifyBaseLogger },
  ) {
    this.#record = record;
    this.#store = store;
    this.#handlers = handlers;
    this.#log = log;
  }

  /** As it was stored last. */
  get record(): TaskRecord {
    return this.#record;
  }

  /** Whether the store has failed for good, and does not know of the last change. */
  get hasFailed(): boolean {
    return this.#hasFailed;
  }

  /** Whether another node runs the task now: this one writes nothing more. */
  get isTaken(): boolean {
    return this.#isTaken;
  }

  /** Leaves the task to other nodes: nothing more is written. */
  letGo(): void {
    this.#isTaken = true;
    this.stop();
  }

  /** Writes a change that others wait for. Fulfilled when it is stored, or the store has failed for good. */
  change(changes: TaskChanges): Promise<void> {
    if (this.#isTaken) return Promise.resolve();
    this.#pending = { ...this.#pending, ...this.#told, ...changes };
    this.#told = undefined;
    clearTimeout(this.#later);
    this.#later = undefined;
    return (this.#writing ??= this.#write());
  }

  /** Writes a change of which only the last one counts: some of them are left out. */
  tell(changes: TaskChanges): void {
    if (this.#isTaken) return;
    this.#told = { ...this.#told, ...changes };
    const waitMs = this.#writtenAt + PROGRESS_EVERY_MS - performance.now();
    if (waitMs <= 0 && this.#writing === undefined) void this.change({});
    else this.#later ??= setTimeout(() => void this.change({}), Math.max(waitMs, 0)).unref();
  }

  /** Writes nothing more. */
  stop(): void {
    clearTimeout(this.#later);
    this.#pending = undefined;
    this.#told = undefined;
  }

  async #write(): Promise<void> {
    let tries = 0;
    while (this.#pending !== undefined) {
      const changes: TaskChanges = this.#pending;
      this.#pending = undefined;
      this.#writtenAt = performance.now();
      try {
        if (!(await this.#storeOnce(changes))) this.#putBack(changes);
        tries = 0;
        this.#hasFailed = false;
      } catch (error) {
        this.#log.error(error, 'a task could not be stored');
        this.#hasFailed = true;
        if (++tries >= MAX_TRIES) break;
        this.#putBack(changes);
        await sleep(RETRY_MS, undefined, { ref: false });
      }
    }
    this.#writing = undefined;
  }

  #putBack(changes: TaskChanges): void {
    this.#pending = { ...changes, ...this.#pending };
  }

  /** Whether that is done: a change of somebody else comes first. */
  async #storeOnce(changes: TaskChanges): Promise<boolean> {
    const { principal, taskId, version, node } = this.#record;
    const stored = await this.#store.update(principal, taskId, { version, changes });
    if (stored === 'conflict') {
      const now = await this.#store.get(principal, taskId);
      if (now !== undefined) {
        this.#record = now;
        if (now.node !== node) this.letGo();
        else if (!isFinal(now.status)) return false;
        this.#handlers.written(now);
      }
    } else if (stored !== undefined) {
      this.#record = stored;
      this.#handlers.written(stored);
      return true;
    }
    this.stop();
    this.#handlers.lost();
    return true;
  }
}
