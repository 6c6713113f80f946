import { setTimeout as sleep } from 'node:timers/promises';
import type { CallOrigin } from '../calls/client-call.js';
import type { ClusterNode, NodeHandlers, NodeMessage } from '../cluster/cluster.js';
import type { TaskAnswer } from './task-call.js';
import { isFinal, type TaskRecord, type TaskStore } from './task-store.js';

/** The cluster that a mount is of, as far as tasks need it. */
export interface TaskCluster {
  readonly node: Pick<ClusterNode, 'name' | 'isAlive'>;
  /** `false` if that node is gone. */
  send(to: string, message: NodeMessage): Promise<boolean>;
  add(part: Partial<NodeHandlers>): void;
}

type Answers = Readonly<Record<string, TaskAnswer>>;

/** What one node tells another of a task that runs there. */
interface TaskMessage extends NodeMessage {
  readonly kind: 'task-input' | 'task-cancelled';
  readonly principal: string;
  readonly taskId: string;
  readonly answers?: Answers;
}

/** What is done for other nodes, and told of them. */
export interface TaskNodesHost {
  readonly store: TaskStore;
  /** A task as it is now, once it was looked whether its node still lives. */
  get(asker: CallOrigin, taskId: string): Promise<TaskRecord | undefined>;
  /** Another node has taken answers for a task that runs here. */
  input(principal: string, taskId: string, answers: Answers): void;
  /** Another node has cancelled a task that runs here. */
  cancelled(principal: string, taskId: string): void;
  /** This node could not be heard for a while: what it runs may be another one's by now. */
  missed(): void;
}

/** Told of a task that runs elsewhere: as it is now, `undefined` when it is gone. */
export type TaskChanged = (record: TaskRecord | undefined) => void;

/** How often it is looked whether the nodes live whose tasks are listened to. */
const LOOK_MS = 1_000;
/** How often such a task is asked for, in case that a change was not told: so many looks. */
const LOOKS_A_POLL = 5;
/** How long it is waited until a task has taken an answer that was sent to its node. */
const TAKEN_MS = 1_000;

/** The tasks that run on other nodes of a cluster. */
export class TaskNodes {
  readonly #cluster: TaskCluster;
  readonly #host: TaskNodesHost;
  readonly #watches = new Set<TaskWatch>();
  #looking: NodeJS.Timeout | undefined;
  #looks = 0;

  constructor(cluster: TaskCluster, host: TaskNodesHost) {
    this.#cluster = cluster;
    this.#host = host;
    cluster.add({
      received: (message) => this.#received(message as TaskMessage),
      gone: (node) => this.#check(node),
      missed: () => host.missed(),
    });
  }

  /** The name of this node. */
  get name(): string {
    return this.#cluster.node.name;
  }

  /** Hands answers to the node of a task. Fulfilled when it has taken them, or a moment later. */
  async input(
    { principal, taskId, node, version }: TaskRecord,
    { answers, asker }: { readonly answers: Answers; readonly asker: CallOrigin },
  ): Promise<void> {
    if (node === undefined || node === this.name) return;
    const over = new AbortController();
    const { signal } = over;
    const taken = new Promise<void>((resolve) => {
      const stop = this.watch(asker, taskId, (now) => {
        if (now === undefined || now.version > version) resolve();
      });
      signal.addEventListener('abort', stop, { once: true });
    });
    const message: TaskMessage = { ...this.#message('task-input', principal, taskId), answers };
    try {
      // Where that node is gone, whoever asks for the task next finds it so.
      if (!(await this.#cluster.send(node, message))) return;
      await Promise.race([taken, sleep(TAKEN_MS, undefined, { ref: false, signal })]);
    } finally {
      over.abort();
    }
  }

  /** Tells the node of a task that it is cancelled, which its record says already. */
  async cancelled({ principal, taskId, node }: TaskRecord): Promise<void> {
    if (node === undefined || node === this.name) return;
    // Without the message its node learns of it with the next change of the task.
    await this.#cluster
      .send(node, this.#message('task-cancelled', principal, taskId))
      .catch(() => {});
  }

  /** Told of a task that runs elsewhere, as it is and whenever it has changed, until that is taken back. */
  watch(asker: CallOrigin, taskId: string, changed: TaskChanged): () => void {
    const { store } = this.#host;
    const stop = (): void => {
      stopListening?.();
      this.#watches.delete(watch);
      if (this.#watches.size > 0) return;
      clearInterval(this.#looking);
      this.#looking = undefined;
    };
    const watch: TaskWatch = new TaskWatch({
      get: () => this.#host.get(asker, taskId),
      changed,
      ended: stop,
    });
    this.#watches.add(watch);
    const stopListening = store.listen?.(taskId, () => void watch.check());
    this.#looking ??= setInterval(() => void this.#look(), LOOK_MS).unref();
    void watch.check();
    return () => {
      watch.stop();
      stop();
    };
  }

  #message(
    kind: TaskMessage['kind'],
    principal: string,
    taskId: string,
  ): Omit<TaskMessage, 'answers'> {
    return { kind, session: '', principal, taskId };
  }

  #received({ kind, principal, taskId, answers = {} }: TaskMessage): void {
    if (kind === 'task-input') this.#host.input(principal, taskId, answers);
    else if (kind === 'task-cancelled') this.#host.cancelled(principal, taskId);
  }

  async #look(): Promise<void> {
    if (this.#looks++ % LOOKS_A_POLL === 0) {
      this.#check();
      return;
    }
    const nodes = new Set([...this.#watches].map(({ node }) => node));
    for (const node of nodes) {
      if (node === undefined || node === this.name) continue;
      const isAlive = await this.#cluster.node.isAlive(node).catch(() => true);
      if (!isAlive) this.#check(node);
    }
  }

  #check(node?: string): void {
    for (const watch of this.#watches) {
      if (node === undefined || watch.node === node) void watch.check();
    }
  }
}

/** One task that is watched for changes that others make. */
class TaskWatch {
  readonly #given: {
    readonly get: () => Promise<TaskRecord | undefined>;
    readonly changed: TaskChanged;
    readonly ended: () => void;
  };
  #version = 0;
  #node: string | undefined;
  #isOver = false;
  #isChecking = false;
  #isStale = false;

  constructor(given: {
    readonly get: () => Promise<TaskRecord | undefined>;
    readonly changed: TaskChanged;
    readonly ended: () => void;
  }) {
    this.#given = given;
  }

  /** Where it runs, as far as that is known. */
  get node(): string | undefined {
    return this.#node;
  }

  stop(): void {
    this.#isOver = true;
  }

  /** Looks whether it has changed; once more where it may have changed meanwhile. */
  async check(): Promise<void> {
    this.#isStale = true;
    if (this.#isChecking) return;
    this.#isChecking = true;
    while (this.#isStale && !this.#isOver) {
      this.#isStale = false;
      try {
        this.#take(await this.#given.get());
      } catch {
        // It is asked for again soon.
        break;
      }
    }
    this.#isChecking = false;
  }

  #take(record: TaskRecord | undefined): void {
    if (this.#isOver) return;
    const isNews = record === undefined || record.version > this.#version;
    if (record === undefined || isFinal(record.status)) {
      this.#isOver = true;
      this.#given.ended();
    } else {
      this.#version = record.version;
      this.#node = record.node;
    }
    if (isNews) this.#given.changed(record);
  }
}
