import type { CallGates } from '../calls/gates.js';
import type { TellNotification } from '../operate/observer.js';
import type { ResolvedOptions } from '../options.js';
import type { MaybePromise } from '../principal.js';
import { makeServer } from '../instances/make-server.js';
import type { TaskAnswer, TaskCall } from './task-call.js';
import type { TaskRules } from './task-options.js';
import { CUT_TASK } from './task-refusals.js';
import { TaskRun, type TaskRunHost } from './task-run.js';
import { isFinal, type TaskPage, type TaskRecord, type TaskStore } from './task-store.js';

/** What an engine needs of its mount. */
export interface TaskEngineHost {
  readonly options: ResolvedOptions;
  readonly gates: CallGates;
  readonly notified: TellNotification | undefined;
  /** Told every server before it is connected. */
  watch(server: object): void;
}

/** Of so many principals it is kept what their servers have said of themselves. */
const MAX_SERVER_INFOS = 1_000;

/** Told of a task as it is now; `undefined` when it is gone. */
export type TaskListener = (record: TaskRecord | undefined) => void;

/**
 * The tasks of one mount, for both eras. A transport hands it a call that may become a task
 * ({@link prepare}, then `start` of the run), and is told what to answer. Everything else names a task by
 * its principal and its id; what a principal has not, does not exist for it.
 */
export class TaskEngine {
  readonly rules: TaskRules;
  readonly #host: TaskEngineHost;
  readonly #store: TaskStore;
  /** All of them, those included that are no tasks yet. */
  readonly #runs = new Set<TaskRun>();
  readonly #tasks = new Map<string, TaskRun>();
  readonly #listeners = new Map<string, Set<TaskListener>>();
  readonly #runHost: TaskRunHost;
  /** By principal: each may have servers of its own, with names that are not for others. */
  readonly #serverInfos = new Map<string, unknown>();

  constructor(rules: TaskRules, host: TaskEngineHost) {
    this.rules = rules;
    this.#host = host;
    const { options, gates, notified } = host;
    this.#store = options.stores.tasks;
    this.#runHost = {
      store: this.#store,
      gates,
      notified,
      maxMessageBytes: options.maxBufferedBytes,
      changed: (record) => this.#tell(record.taskId, record),
      began: (run, taskId) => this.#tasks.set(taskId, run),
      ended: (run) => this.#forget(run),
    };
  }

  /** Tasks whose servers work; those that wait for their clients are left out. */
  get working(): number {
    let working = 0;
    for (const run of this.#tasks.values()) if (!run.isWaiting) working++;
    return working;
  }

  /** What a server of a principal has said of itself, if one was asked lately. */
  serverInfoOf(principal: string): unknown {
    return this.#serverInfos.get(principal);
  }

  /**
   * Makes the server of a call. Call `start` of the run, or `abandon` it.
   *
   * @throws what the factory throws; Error where nobody waits any more, or `createTimeoutMs` is over.
   */
  async prepare(taskCall: TaskCall): Promise<TaskRun & { readonly server: object }> {
    const { create, createTimeoutMs, requestStates } = this.#host.options;
    const { principal, headers, log } = taskCall.call;
    const ended = new AbortController();
    const { signal } = ended;
    const context = {
      principal,
      headers,
      sessionId: undefined,
      signal,
      era: 'legacy',
      requestState: requestStates(() => principal.id),
    } as const;
    const making = { signal: taskCall.call.signal, timeoutMs: createTimeoutMs, log };
    const server = await makeServer(() => create(context), making);
    this.#host.watch(server);
    const run = new TaskRun(taskCall, { server, ended, host: this.#runHost });
    this.#runs.add(run);
    return Object.assign(run, { server });
  }

  /** A task as it is now. */
  get(principal: string, taskId: string): MaybePromise<TaskRecord | undefined> {
    return this.#store.get(principal, taskId);
  }

  /** @throws RangeError for a cursor that is none. */
  list(principal: string, page?: { readonly cursor?: string }): MaybePromise<TaskPage> {
    return this.#store.list(principal, page);
  }

  /**
   * Answers what a task has asked, by key. Keys that are not open are ignored, so that an answer may be
   * sent twice.
   *
   * @returns the task before; `undefined` if there is none.
   */
  async input(
    principal: string,
    taskId: string,
    answers: Readonly<Record<string, TaskAnswer>>,
  ): Promise<TaskRecord | undefined> {
    const record = await this.#store.get(principal, taskId);
    if (record !== undefined) await this.#tasks.get(taskId)?.input(answers);
    return record;
  }

  /**
   * Cancels a task: the signal of its handler is aborted. One that has ended stays as it is.
   *
   * @returns the task before; `undefined` if there is none.
   */
  async cancel(principal: string, taskId: string): Promise<TaskRecord | undefined> {
    const record = await this.#store.get(principal, taskId);
    if (record === undefined || isFinal(record.status)) return record;
    const run = this.#tasks.get(taskId);
    if (run !== undefined) await run.cancel();
    else {
      // It runs elsewhere, and learns of it with its next change.
      const changes = {
        status: 'cancelled',
        statusMessage: undefined,
        inputRequests: undefined,
      } as const;
      await this.#store.update(principal, taskId, { version: record.version, changes });
    }
    return record;
  }

  /** Told of each change of a task that runs here, until that is taken back. Ask for the task afterwards. */
  listen(taskId: string, listener: TaskListener): () => void {
    const listeners = this.#listeners.get(taskId) ?? new Set();
    this.#listeners.set(taskId, listeners.add(listener));
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0 && this.#listeners.get(taskId) === listeners) {
        this.#listeners.delete(taskId);
      }
    };
  }

  /** Ends what runs: the server stops. Fulfilled when that is stored, and the servers are closed. */
  async cancelAll(): Promise<void> {
    const end = async (run: TaskRun): Promise<void> => {
      await run.fail(CUT_TASK);
      await run.closed;
    };
    await Promise.all([...this.#runs].map(end));
  }

  #tell(taskId: string, record: TaskRecord | undefined): void {
    for (const listener of this.#listeners.get(taskId) ?? []) listener(record);
  }

  #forget(run: TaskRun): void {
    this.#runs.delete(run);
    const { record, serverInfo } = run;
    if (record === undefined) return;
    this.#noteServerInfo(record.principal, serverInfo);
    this.#tasks.delete(record.taskId);
    if (!isFinal(record.status)) this.#tell(record.taskId, undefined);
  }

  #noteServerInfo(principal: string, serverInfo: unknown): void {
    if (serverInfo === undefined) return;
    this.#serverInfos.delete(principal);
    this.#serverInfos.set(principal, serverInfo);
    const [oldest = principal] = this.#serverInfos.keys();
    if (this.#serverInfos.size > MAX_SERVER_INFOS) this.#serverInfos.delete(oldest);
  }
}
