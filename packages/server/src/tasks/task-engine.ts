import { ClientCall, type CallOrigin } from '../calls/client-call.js';
import type { CallGates } from '../calls/gates.js';
import type { TellNotification } from '../operate/observer.js';
import type { ResolvedOptions } from '../options.js';
import type { MaybePromise } from '../principal.js';
import { makeServer } from '../instances/make-server.js';
import { LostTasks } from './lost-tasks.js';
import type { TaskAnswer, TaskCall, TaskCaller } from './task-call.js';
import type { TaskRules } from './task-options.js';
import { TaskNodes, type TaskCluster } from './task-nodes.js';
import { changesOf } from './task-outcomes.js';
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
  /** The first of them. */
  readonly asker: CallOrigin;
  /** Where it runs on another node. */
  stopWatching: (() => void) | undefined;
}

/** Of so many principals it is kept what their servers have said of themselves. */
const MAX_SERVER_INFOS = 1_000;

/** Of a task that runs again: whoever called has its id, and asks for it. */
const NOBODY: TaskCaller = {
  tell: () => undefined,
  answer: () => undefined,
  becameTask: () => undefined,
};

/** Told of a task as it is now; `undefined` when it is gone. */
export type TaskListener = (record: TaskRecord | undefined) => void;

/**
 * The tasks of one mount, for both eras. A transport hands it a call that may become a task
 * ({@link prepare}, then `start` of the run), and is told what to answer. Everything else names a task by
 * who asks for it and its id; what a principal has not, does not exist for it.
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
  readonly #lost: LostTasks;
  #isStopping = false;
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
        get: async (asker, taskId) => this.get(asker, taskId),
        input: (principal, taskId, answers) => {
          void this.#runOf(principal, taskId)?.input(answers);
        },
        cancelled: (principal, taskId) => void this.#runOf(principal, taskId)?.cancel(),
        missed: () => {
          for (const run of this.#tasks.values()) run.verify();
        },
      });
    this.#lost = new LostTasks({
      store: this.#store,
      node: cluster?.node.name,
      isAlive: (node) => cluster?.node.isAlive(node) ?? false,
      prepare: (lost, asker) => this.#prepareAgain(lost, asker),
    });
    this.#runHost = {
      store: this.#store,
      node: cluster?.node.name,
      gates,
      notified,
      maxMessageBytes: options.maxBufferedBytes,
      changed: (record) => this.#tell(record, record),
      began: (run, taskId) => this.#began(run, taskId),
      ended: (run) => this.#forget(run),
    };
  }

  /** Tasks whose servers work; those that wait for their clients are left out. */
  get working(): number {
    let working = 0;
    for (const run of this.#tasks.values()) if (!run.isWaiting) working++;
    return working;
  }

  /** A task that this node runs, as it was stored last. */
  runningHere(principal: string, taskId: string): TaskRecord | undefined {
    return this.#runOf(principal, taskId)?.record;
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
  get(asker: CallOrigin, taskId: string): MaybePromise<TaskRecord | undefined> {
    const kept = this.#store.get(asker.principal.id, taskId);
    return kept instanceof Promise
      ? kept.then((record) => this.#lost.settled(record, asker))
      : this.#lost.settled(kept, asker);
  }

  /** @throws RangeError for a cursor that is none. */
  async list(asker: CallOrigin, page?: { readonly cursor?: string }): Promise<TaskPage> {
    const { tasks, ...next } = await this.#store.list(asker.principal.id, page);
    const settled = await Promise.all(tasks.map((record) => this.#lost.settled(record, asker)));
    return { tasks: settled.filter((record) => record !== undefined), ...next };
  }

  /**
   * Answers what a task has asked, by key. Keys that are not open are ignored, so that an answer may be
   * sent twice.
   *
   * @returns the task before; `undefined` if there is none.
   */
  async input(
    asker: CallOrigin,
    taskId: string,
    answers: Readonly<Record<string, TaskAnswer>>,
  ): Promise<TaskRecord | undefined> {
    const record = await this.get(asker, taskId);
    if (record === undefined || isFinal(record.status)) return record;
    const run = this.#tasks.get(taskId);
    if (run === undefined) await this.#nodes?.input(record, { answers, asker });
    else await run.input(answers);
    return record;
  }

  /**
   * Cancels a task: the signal of its handler is aborted. One that has ended stays as it is; one whose node is
   * gone does not run again.
   *
   * @returns the task before; `undefined` if there is none.
   */
  async cancel(asker: CallOrigin, taskId: string): Promise<TaskRecord | undefined> {
    const record = await this.#store.get(asker.principal.id, taskId);
    if (record === undefined || isFinal(record.status)) return record;
    const run = this.#tasks.get(taskId);
    if (run === undefined) await this.#cancelElsewhere(record);
    else await run.cancel();
    return record;
  }

  /**
   * Told of each change of a task, wherever it runs, until that is taken back. Ask for the task afterwards.
   */
  listen(asker: CallOrigin, taskId: string, listener: TaskListener): () => void {
    const key = keyOf(asker.principal.id, taskId);
    const heard: Heard = this.#heard.get(key) ?? {
      listeners: new Set(),
      asker,
      stopWatching: this.#tasks.has(taskId) ? undefined : this.#watch(asker, taskId),
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
    this.#isStopping = true;
    const end = async (run: TaskRun): Promise<void> => {
      // Other nodes run it again, or find that it must not be.
      const isLeft = this.#nodes !== undefined && run.record?.origin !== undefined;
      await (isLeft ? run.letGo() : run.fail(CUT_TASK));
      await run.closed;
    };
    await Promise.all([...this.#runs].map(end));
  }

  /** Makes what runs a task again; `undefined` where it must not run twice, or cannot. */
  async #prepareAgain(lost: TaskRecord, asker: CallOrigin): Promise<TaskRun | undefined> {
    const { tool, era, origin } = lost;
    const options = this.rules.find(tool);
    if (origin === undefined || options === undefined) return undefined;
    try {
      const { message, client } = origin;
      const call = new ClientCall(message, asker);
      const common = { call, message, options, era, client };
      const run = await this.prepare({ ...common, isAtOnce: true, caller: NOBODY });
      if (await run.mayRunTwice()) return run;
      run.abandon();
    } catch (error) {
      asker.request.log.error(error, 'a task whose node is gone could not be run again');
    }
    return undefined;
  }

  /** A run is a task from now on: what is heard of it is heard here. */
  #began(run: TaskRun, taskId: string): void {
    // One that has stalled, and has not found yet that others had its task.
    void this.#tasks.get(taskId)?.letGo();
    this.#tasks.set(taskId, run);
    const { record } = run;
    const heard = record && this.#heard.get(keyOf(record.principal, taskId));
    if (heard === undefined) return;
    heard.stopWatching?.();
    heard.stopWatching = undefined;
  }

  #watch(asker: CallOrigin, taskId: string): (() => void) | undefined {
    const { id: principal } = asker.principal;
    return this.#nodes?.watch(asker, taskId, (record) => this.#tell({ principal, taskId }, record));
  }

  #runOf(principal: string, taskId: string): TaskRun | undefined {
    const run = this.#tasks.get(taskId);
    return run?.record?.principal === principal ? run : undefined;
  }

  /** Its record says so first, so that it cannot end otherwise; then its node aborts the handler. */
  async #cancelElsewhere(record: TaskRecord): Promise<void> {
    const { principal, taskId } = record;
    const changes = changesOf(undefined);
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
    const { principal, taskId, status } = record;
    this.#noteServerInfo(principal, serverInfo);
    if (this.#tasks.get(taskId) !== run) return;
    this.#tasks.delete(taskId);
    const heard = this.#heard.get(keyOf(principal, taskId));
    if (!run.isTaken) {
      if (!isFinal(status)) this.#tell(record, undefined);
    } else if (heard !== undefined && !this.#isStopping) {
      heard.stopWatching = this.#watch(heard.asker, taskId);
    }
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
