import { runWorkerCall, type ServerFactory, type WorkerAnswer } from '@longwire/server';
import type { Job, Worker } from 'bullmq';
import type { Cluster, Redis } from 'ioredis';
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { readJson } from '../payloads.js';
import type { WorkerLog } from './worker-log.js';
import { loadBullMq } from './load-bullmq.js';
import { CALLS, QueueKeys } from './queue-keys.js';
import { LEASE_MS } from './slots.js';
import { SLOTS_SCRIPT } from './slots-script.js';
import {
  ANSWER,
  EXIST,
  EXPIRE,
  KEPT_MS,
  QUEUE_TTL_MS,
  TELL,
  WAITS,
  answerPlace,
  callPlace,
  isCall,
  toldPlace,
  type CallJob,
  type Told,
} from './told.js';
import type { WorkConnection } from './work-connection.js';
import { CANCELLED, UNREADABLE, UNWANTED, WORKER_LOST } from './worker-answers.js';

/** What a worker is made with. */
export interface CallWorkerOptions {
  readonly create: ServerFactory;
  /** Names of queues, as `queues` has them. */
  readonly queues: readonly string[];
  /** Calls of each queue at a time. */
  readonly concurrency: number;
  /** How long the worker may be silent before it counts as dead, in milliseconds. */
  readonly silenceMs: number;
  readonly log: WorkerLog;
  /** Told of each call that has ended. */
  readonly ended: ((call: WorkedCall) => void) | undefined;
}

/** A call that a worker has run. */
export interface WorkedCall {
  readonly queue: string;
  readonly tool: string;
  /** The id of the principal. */
  readonly principal: string;
  readonly durationMs: number;
  /** What the answer says, where it is an error. A tool that reports one has a result. */
  readonly error?: string;
}

/** How long an answer is tried to be kept while Redis is away. */
const ANSWER_TRIES_MS = 60_000;
const RETRY_MS = 500;
/** What is done twice as well as once. */
const AGAIN = { again: true };

/** One queue, as a worker serves it. */
interface ServedQueue {
  readonly name: string;
  readonly keys: QueueKeys;
  readonly worker: Worker<CallJob>;
  readonly calls: Map<string, AbortController>;
}

/** Runs calls of queues, each on a server of its own, until it is closed. */
export class CallWorker {
  readonly #connection: WorkConnection;
  readonly #client: Redis | Cluster;
  readonly #options: CallWorkerOptions;
  readonly #name = randomUUID();
  readonly #queues: ServedQueue[] = [];
  readonly #unsubscribe: (() => void)[] = [];
  #offering: NodeJS.Timeout | undefined;
  #closing: Promise<void> | undefined;

  private constructor(connection: WorkConnection, options: CallWorkerOptions) {
    this.#connection = connection;
    this.#options = options;
    this.#client = connection.duplicate();
  }

  /** @throws Error where BullMQ is not installed. */
  static async start(connection: WorkConnection, options: CallWorkerOptions): Promise<CallWorker> {
    const { Worker } = await loadBullMq();
    const made = new CallWorker(connection, options);
    for (const name of options.queues) made.#serve(name, Worker);
    await connection.subscribed();
    await made.#offer();
    for (const { worker } of made.#queues) {
      worker.run().catch((error: unknown) => options.log.error(error, 'a worker failed'));
    }
    made.#offering = setInterval(() => void made.#offer(), options.silenceMs / 5).unref();
    return made;
  }

  /** How many calls run now. */
  get running(): number {
    return this.#queues.reduce((sum, { calls }) => sum + calls.size, 0);
  }

  /** Takes no more calls, and lets those that run end; with `isNow` they are cut. */
  close({ isNow = false }: { readonly isNow?: boolean } = {}): Promise<void> {
    if (isNow)
      for (const { calls } of this.#queues) for (const call of calls.values()) call.abort();
    return (this.#closing ??= Promise.resolve().then(() => this.#close()));
  }

  async #close(): Promise<void> {
    await this.#offer();
    await Promise.all(this.#queues.map(({ worker }) => worker.close()));
    clearInterval(this.#offering);
    for (const unsubscribe of this.#unsubscribe.splice(0)) unsubscribe();
    for (const { keys } of this.#queues) {
      this.#expire(keys);
      await this.#slots(keys, 'withdraw', this.#memberOf(0)).catch(() => {});
    }
    this.#client.disconnect();
  }

  #serve(name: string, BullWorker: typeof Worker): void {
    const { concurrency, silenceMs, log } = this.#options;
    const keys = new QueueKeys(this.#connection.prefix, name);
    const calls = new Map<string, AbortController>();
    const worker = new BullWorker<CallJob>(CALLS, (job) => this.#run(queue, job), {
      prefix: keys.base,
      connection: this.#client,
      autorun: false,
      name: this.#memberOf(concurrency),
      concurrency,
      lockDuration: silenceMs,
      lockRenewTime: silenceMs / 5,
      stalledInterval: silenceMs,
      // Whether it may run again is for its tool to say.
      maxStalledCount: Number.MAX_SAFE_INTEGER,
      removeOnComplete: { count: 0 },
      removeOnFail: { count: 0 },
    });
    const queue: ServedQueue = { name, keys, worker, calls };
    worker.on('error', (error) => log.debug(error, 'BullMQ'));
    this.#queues.push(queue);
    this.#unsubscribe.push(
      this.#connection.subscribe(keys.cancels, (id) => calls.get(id)?.abort()),
      this.#connection.onMissed(() => void this.#resume(queue)),
    );
  }

  /** Tells the queues that there is a worker; one that closes takes no more. */
  async #offer(): Promise<void> {
    const { concurrency } = this.#options;
    try {
      for (const { keys } of this.#queues) {
        this.#expire(keys);
        if (this.#closing !== undefined) {
          await this.#slots(keys, 'offer', this.#memberOf(0));
          await this.#slots(keys, 'withdraw', this.#memberOf(concurrency));
        } else {
          await this.#slots(keys, 'offer', this.#memberOf(concurrency));
        }
      }
    } catch (error) {
      this.#options.log.warn(error, 'Redis cannot be reached: tried again');
    }
  }

  #memberOf(concurrency: number): string {
    return `${this.#name}:${concurrency}`;
  }

  #slots({ slots, changes }: QueueKeys, op: string, member: string): Promise<unknown> {
    const args = [op, changes, '', this.#options.silenceMs, 0, 0, member];
    return this.#connection.run(SLOTS_SCRIPT, slots, args, AGAIN);
  }

  /** After Redis was away: what was cancelled meanwhile, ends. */
  async #resume({ keys, calls }: ServedQueue): Promise<void> {
    await this.#offer();
    const ids = [...calls.keys()];
    if (ids.length === 0) return;
    try {
      const names = ids.map((id) => keys.cancelled(id));
      const found = (await this.#connection.run(EXIST, names, [], AGAIN)) as number[];
      for (const [index, id] of ids.entries()) if (found[index] === 1) calls.get(id)?.abort();
    } catch (error) {
      this.#options.log.debug(error, 'it is not known what was cancelled');
    }
  }

  async #run({ name, keys, calls }: ServedQueue, job: Job<CallJob>): Promise<void> {
    const { log, create } = this.#options;
    const { id = '', data, stalledCounter } = job;
    const ending = new AbortController();
    calls.set(id, ending);
    const startedAt = performance.now();
    this.#expire(keys, id);
    try {
      const [isCancelled] = (await this.#connection.run(
        EXIST,
        [keys.cancelled(id)],
        [],
        AGAIN,
      )) as number[];
      if (isCancelled === 1) ending.abort();
      const place = callPlace(name, id, data.to);
      const call = readJson(this.#connection, { stored: data.call, place, is: isCall });
      const isWanted = await this.#isWanted(keys, data.to);
      if (call === undefined || !isWanted) {
        const mayHaveRun = stalledCounter > 0;
        const error = mayHaveRun ? WORKER_LOST : isWanted ? UNREADABLE : UNWANTED;
        await this.#answer(name, keys, { id, to: data.to, answer: { error } });
        return;
      }
      const answer = ending.signal.aborted
        ? { error: CANCELLED }
        : await runWorkerCall(
            call,
            {
              signal: ending.signal,
              notify: (method, params) =>
                this.#tell(data.to, { kind: 'notified', id, method, params }),
            },
            {
              create,
              log,
              begins: (isSafe) => {
                // Its first worker died, or was silent for too long.
                if (stalledCounter > 0 && !isSafe) return { error: WORKER_LOST };
                const worker = this.#memberOf(this.#options.concurrency);
                this.#tell(data.to, { kind: 'began', id, worker, isSafe });
                return undefined;
              },
            },
          );
      await this.#answer(name, keys, { id, to: data.to, answer });
      this.#options.ended?.({
        queue: name,
        tool: call.tool,
        principal: call.principal.id,
        durationMs: Math.round(performance.now() - startedAt),
        ...('error' in answer && { error: answer.error.message }),
      });
    } finally {
      calls.delete(id);
    }
  }

  /** Lets what BullMQ has of a queue, and of a call, end by itself one day. */
  #expire(keys: QueueKeys, id?: string): void {
    const job = id === undefined ? [] : [keys.job(id)];
    this.#connection.run(EXPIRE, [...keys.bull, ...job], [QUEUE_TTL_MS], AGAIN).catch(() => {});
  }

  /** Whether the node that waits for a call is there, or comes back within a lease. */
  async #isWanted(keys: QueueKeys, to: string): Promise<boolean> {
    const look = (): Promise<unknown> =>
      this.#connection.run(WAITS, [keys.nodes], [keys.nodeOf(to)], AGAIN);
    if ((await look()) === 1) return true;
    await delay(LEASE_MS);
    return (await look()) === 1;
  }

  #tell(channel: string, told: Told): void {
    const text = this.#connection.seal(JSON.stringify(told), toldPlace(channel));
    this.#connection.run(TELL, [channel], [text]).catch((error: unknown) => {
      this.#options.log.debug(error, 'a node could not be told');
    });
  }

  /** Keeps an answer until its node has taken it. */
  async #answer(
    queue: string,
    keys: QueueKeys,
    { id, to, answer }: { id: string; to: string; answer: WorkerAnswer },
  ): Promise<void> {
    const ended: Told = { kind: 'ended', id };
    const told = this.#connection.seal(JSON.stringify(ended), toldPlace(to));
    const text = this.#connection.seal(JSON.stringify(answer), answerPlace(queue, id));
    const until = performance.now() + ANSWER_TRIES_MS;
    for (;;) {
      try {
        await this.#connection.run(ANSWER, [keys.answer(id)], [text, KEPT_MS, to, told], AGAIN);
        return;
      } catch (error) {
        if (performance.now() > until) throw error;
        await delay(RETRY_MS);
      }
    }
  }
}
