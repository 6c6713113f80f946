import type { CallGates } from '../calls/gates.js';
import type { TellNotification } from '../operate/observer.js';
import type { ResolvedOptions } from '../options.js';
import type { MaybePromise } from '../principal.js';
import { makeServer } from '../instances/make-server.js';
import type { TaskAnswer, TaskCall } from './task-call.js';
import type { TaskRules } from './task-options.js';
import { TaskNodes, type TaskCluster } from './task-nodes.js';
import { CUT_TASK } from './task-refusals.js';
import { TaskRun, type TaskRunHost } from './task-run.js';
import { isFinal, type TaskPage, type TaskRecord, type TaskStore } from './task-store.js';

/** What an engine needs of its mount. */
export interface TaskEngineHost {
  readonly options: ResolvedOptions;
  readonly gates: CallGates;
  readonly notified: TellNotification | undefined;
  /** Missing where there is one node only. */
  readonly cluster?: TaskCluster | undefined;
  /** Told every server before it is connected. */
  watch(server: object): void;
}

/** Those who listen to one task. */
interface Heard {
  readonly listeners: Set<TaskListener>;
  /** Where it runs on another node. */
  readonly stopWatching: (() => void) | undefined;
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
  /** By principal and id. */
  readonly #heard = new Map<string, Heard>();
  readonly #nodes: TaskNodes | undefined;
  readonly #runHost: TaskRunHost;
  /** By principal: each may have servers of its own, with names that are not for others. */
  readonly #serverInfos = new Map<string, unknown>();

  constructor(rules: TaskRules, host: TaskEngineHost) {
    this.rules = rules;
    this.#host = host;
    const { options, gates, notified, cluster } = host;
    this.#store = options.stores.tasks;
    this.#nodes =
      cluster &&
      new TaskNodes(cluster, {
        store: this.#store,
        get: async (principal, taskId) => this.get(principal, taskId),
        input: (principal, taskId, answers) => {
          void this.#runOf(principal, taskId)?.input(answers);
        },
        cancelled: (principal, taskId) => void this.#runOf(principal, taskId)?.cancel(),
      });
    this.#runHost = {
      store: this.#store,
      node: cluster?.node.name,
      gates,
      notified,
      maxMessageBytes: options.maxBufferedBytes,
      changed: (record) => this.#tell(record, record),
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
    const kept = this.#store.get(principal, taskId);
    const nodes = this.#nodes;
    if (nodes === undefined) return kept;
    return Promise.resolve(kept).then((record) => nodes.settled(record));
  }

  /** @throws RangeError for a cursor that is none. */
  async list(principal: string, page?: { readonly cursor?: string }): Promise<TaskPage> {
    const { tasks, ...next } = await this.#store.list(principal, page);
    const nodes = this.#nodes;
    if (nodes === undefined) return { tasks, ...next };
    const settled = await Promise.all(tasks.map((record) => nodes.settled(record)));
    return { tasks: settled.filter((record) => record !== undefined), ...next };
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
    const record = await this.get(principal, taskId);
    if (record === undefined || isFinal(record.status)) return record;
    const run = this.#tasks.get(taskId);
    if (run === undefined) await this.#nodes?.input(record, answers);
    else await run.input(answers);
    return record;
  }

  /**
   * Cancels a task: the signal of its handler is aborted. One that has ended stays as it is.
   *
   * @returns the task before; `undefined` if there is none.
   */
  async cancel(principal: string, taskId: string): Promise<TaskRecord | undefined> {
    const record = await this.get(principal, taskId);
    if (record === undefined || isFinal(record.status)) return record;
    const run = this.#tasks.get(taskId);
    if (run === undefined) await this.#cancelElsewhere(record);
    else await run.cancel();
    return record;
  }

  /**
   * Told of each change of a task, wherever it runs, until that is taken back. Ask for the task afterwards.
   */
  listen(principal: string, taskId: string, listener: TaskListener): () => void {
    const key = keyOf(principal, taskId);
    const heard = this.#heard.get(key) ?? {
      listeners: new Set(),
      stopWatching: this.#tasks.has(taskId)
        ? undefined
        : this.#nodes?.watch(principal, taskId, (record) =>
            this.#tell({ principal, taskId }, record),
          ),
    };
    const { listeners } = heard;
    listeners.add(listener);
    this.#heard.set(key, heard);
    return () => {
      listeners.delete(listener);
      if (listeners.size > 0 || this.#heard.get(key) !== heard) return;
      this.#heard.delete(key);
      heard.stopWatching?.();
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

  #runOf(principal: string, taskId: string): TaskRun | undefined {
    const run = this.#tasks.get(taskId);
    return run?.record?.principal === principal ? run : undefined;
  }

  /** Its record says so first, so that it cannot end otherwise; then its node aborts the handler. */
  async #cancelElsewhere(record: TaskRecord): Promise<void> {
    const { principal, taskId } = record;
    const changes = {
      status: 'cancelled',
      statusMessage: undefined,
      inputRequests: undefined,
    } as const;
    let known: TaskRecord | undefined = record;
    while (known !== undefined && !isFinal(known.status)) {
      const { version } = known;
      const ended = await this.#store.update(principal, taskId, { version, changes });
      if (ended !== 'conflict') break;
      known = await this.#store.get(principal, taskId);
    }
    await this.#nodes?.cancelled(record);
  }

  #tell(
    { principal, taskId }: Pick<TaskRecord, 'principal' | 'taskId'>,
    record: TaskRecord | undefined,
  ): void {
    const { listeners = [] } = this.#heard.get(keyOf(principal, taskId)) ?? {};
    for (const listener of listeners) listener(record);
  }

  #forget(run: TaskRun): void {
    this.#runs.delete(run);
    const { record, serverInfo } = run;
    if (record === undefined) return;
    this.#noteServerInfo(record.principal, serverInfo);
    this.#tasks.delete(record.taskId);
    if (!isFinal(record.status)) this.#tell(record, undefined);
  }

  #noteServerInfo(principal: string, serverInfo: unknown): void {
    if (serverInfo === undefined) return;
    this.#serverInfos.delete(principal);
    this.#serverInfos.set(principal, serverInfo);
    const [oldest = principal] = this.#serverInfos.keys();
    if (this.#serverInfos.size > MAX_SERVER_INFOS) this.#serverInfos.delete(oldest);
  }
}

function keyOf(principal: string, taskId: string): string {
  return `${taskId} ${principal}`;
}
