import { randomUUID } from 'node:crypto';
import type { CallWorkers, WorkerAnswer, WorkerCaller } from '@longwire/server';
import type { Queue } from 'bullmq';
import type { Cluster, Redis } from 'ioredis';
import { readJson } from '../payloads.js';
import { loadBullMq } from './load-bullmq.js';
import { AwaitedCall } from './awaited-call.js';
import { CALLS, QueueKeys } from './queue-keys.js';
import {
  CANCEL,
  EXPIRE,
  FORGET,
  KEPT_MS,
  LOOK,
  QUEUE_TTL_MS,
  READ,
  answerPlace,
  callPlace,
  isAnswer,
  isTold,
  toldPlace,
  type CallJob,
} from './told.js';
import type { WorkConnection } from './work-connection.js';

type Work = Parameters<CallWorkers['run']>[0];

/** How often it is looked after calls of which nothing is heard. */
const LOOK_MS = 1_000;
/** What is done twice as well as once. */
const AGAIN = { again: true };

/** A queue with workers, as this node uses it. */
interface WorkedQueue {
  readonly name: string;
  readonly keys: QueueKeys;
  readonly jobs: Queue<CallJob>;
  /** Where this node is told of its calls. */
  readonly channel: string;
  readonly calls: Map<string, AwaitedCall>;
}

/** Hands calls to workers through BullMQ, and waits for what they come to. */
export class BullCallWorkers implements CallWorkers {
  readonly #connection: WorkConnection;
  readonly #client: Redis | Cluster;
  readonly #queues = new Map<string, WorkedQueue>();
  readonly #unsubscribe: (() => void)[] = [];
  #looking: NodeJS.Timeout | undefined;

  private constructor(connection: WorkConnection, client: Redis | Cluster) {
    this.#connection = connection;
    this.#client = client;
  }

  /** @throws Error where BullMQ is not installed. */
  static async connect(
    connection: WorkConnection,
    { queues, node }: { readonly queues: readonly string[]; readonly node: string },
  ): Promise<BullCallWorkers> {
    const { Queue } = await loadBullMq();
    const client = connection.duplicate();
    const workers = new BullCallWorkers(connection, client);
    for (const name of queues) {
      const keys = new QueueKeys(connection.prefix, name);
      const jobs = new Queue<CallJob>(CALLS, {
        prefix: keys.base,
        connection: client,
        skipMetasUpdate: true,
      });
      // What is away is found by who asks.
      jobs.on('error', () => {});
      const channel = keys.node(node);
      const queue = { name, keys, jobs, channel, calls: new Map<string, AwaitedCall>() };
      workers.#queues.set(name, queue);
      workers.#unsubscribe.push(
        connection.subscribe(channel, (text) => workers.#told(queue, text)),
        connection.onMissed(() => void workers.#look(queue)),
      );
    }
    await connection.subscribed();
    return workers;
  }

  async run({ queue: name, limits, call }: Work, caller: WorkerCaller): Promise<WorkerAnswer> {
    const queue = this.#queues.get(name);
    if (queue === undefined) throw new Error(`${name} is no queue with workers`);
    const id = randomUUID();
    const awaited = new AwaitedCall(
      { queue: name, limits, caller },
      {
        withdraw: () => this.#withdraw(queue, id),
        cancel: () => this.#cancel(queue, id),
      },
    );
    queue.calls.set(id, awaited);
    this.#looking ??= setInterval(() => this.#lookAll(), LOOK_MS).unref();
    try {
      const place = callPlace(name, id, queue.channel);
      const data = { to: queue.channel, call: this.#connection.seal(JSON.stringify(call), place) };
      // What ends it is kept elsewhere: BullMQ has nothing of it afterwards.
      const added = queue.jobs.add('call', data, {
        jobId: id,
        attempts: 1,
        removeOnComplete: true,
        removeOnFail: true,
      });
      added.then(
        () => this.#expire(queue.keys, id),
        () => awaited.lost(),
      );
      return await awaited.answer;
    } finally {
      queue.calls.delete(id);
      if ([...this.#queues.values()].every(({ calls }) => calls.size === 0)) {
        clearInterval(this.#looking);
        this.#looking = undefined;
      }
    }
  }

  async close(): Promise<void> {
    clearInterval(this.#looking);
    for (const unsubscribe of this.#unsubscribe.splice(0)) unsubscribe();
    for (const { calls, jobs } of this.#queues.values()) {
      for (const call of calls.values()) call.lost();
      await jobs.close();
    }
    this.#client.disconnect();
  }

  #told(queue: WorkedQueue, text: string): void {
    const place = toldPlace(queue.channel);
    const told = readJson(this.#connection, { stored: text, place, is: isTold });
    if (told === undefined) return;
    const call = queue.calls.get(told.id);
    switch (told.kind) {
      case 'began':
        call?.began(told);
        break;
      case 'notified':
        call?.notified(told);
        break;
      case 'ended':
        if (call !== undefined) void this.#take(queue, told.id, call);
        break;
    }
  }

  async #take(queue: WorkedQueue, id: string, call: AwaitedCall): Promise<void> {
    try {
      const text = await this.#connection.run(READ, [queue.keys.answer(id)], [], AGAIN);
      if (typeof text === 'string') this.#settle(queue, id, { call, text });
    } catch {
      // The next look finds it.
    }
  }

  #settle(
    { name, keys }: WorkedQueue,
    id: string,
    { call, text }: { call: AwaitedCall; text: string },
  ): void {
    const place = answerPlace(name, id);
    const answer = readJson(this.#connection, { stored: text, place, is: isAnswer });
    if (answer === undefined) call.lost();
    else call.settle(answer);
    this.#connection.run(FORGET, [keys.answer(id)], [], AGAIN).catch(() => {
      // It has a time to live.
    });
  }

  #lookAll(): void {
    for (const queue of this.#queues.values()) void this.#look(queue);
  }

  /** Finds what was not heard: answers, and that a worker died. */
  async #look(queue: WorkedQueue): Promise<void> {
    const { keys, calls } = queue;
    const ids = [...calls.keys()];
    if (ids.length === 0) return;
    let seen: [answer: string, worker: string, lives: number, isThere: number][];
    try {
      const names = ids.flatMap((id) => [keys.answer(id), keys.job(id)]);
      seen = (await this.#connection.run(LOOK, [keys.workers, ...names], [], AGAIN)) as typeof seen;
    } catch {
      // While Redis is away nobody can say that a worker has died.
      for (const id of ids) calls.get(id)?.unseen();
      return;
    }
    for (const [index, [answer, worker, lives, isThere]] of seen.entries()) {
      const id = ids[index] ?? '';
      const call = calls.get(id);
      if (call === undefined) continue;
      if (answer !== '') {
        this.#settle(queue, id, { call, text: answer });
      } else {
        call.seen({ worker, lives: lives === 1, isThere: isThere === 1 });
      }
    }
  }

  /** Takes a call back that no worker has taken. */
  async #withdraw({ jobs }: WorkedQueue, id: string): Promise<boolean> {
    try {
      return (await jobs.remove(id)) === 1;
    } catch {
      return false;
    }
  }

  async #cancel({ keys }: WorkedQueue, id: string): Promise<void> {
    try {
      await this.#connection.run(CANCEL, [keys.cancelled(id)], [KEPT_MS, keys.cancels, id], AGAIN);
    } catch {
      // Its client has left; the tool runs to its end.
    }
  }

  #expire(keys: QueueKeys, id: string): void {
    this.#connection
      .run(EXPIRE, [...keys.bull, keys.job(id)], [QUEUE_TTL_MS], AGAIN)
      .catch(() => {});
  }
}
