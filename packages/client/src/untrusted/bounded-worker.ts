import { Worker, type ResourceLimits, type WorkerOptions } from 'node:worker_threads';
import { ProcessThread, type Thread } from './process-thread.js';

/** The outcome of a job. */
export type JobOutcome<Answer> =
  | { kind: 'answered'; answer: Answer }
  /** The job threw. */
  | { kind: 'failed'; message: string }
  /** The job ran past a limit of time or memory, and was ended with its thread. */
  | { kind: 'stopped'; message: string }
  /** The job never ran: the thread cannot start, or others took all the time. */
  | { kind: 'refused'; message: string };

/** What a {@link BoundedWorker} is made with. */
export interface BoundedWorkerOptions {
  /**
   * A CommonJS script that assigns a function to `answer`: it gets a job, and returns its answer or a
   * promise of it. `requireFrom(id)` loads a package of the module that `importMetaUrl` names. It is
   * text, so that it needs no file of its own: the same runs from sources, from `dist` and in a bundle.
   */
  script: string;
  /** The `import.meta.url` of the module that the packages belong to. */
  importMetaUrl: string;
  /** How long one job may run, in milliseconds. */
  limitMs: number;
  /** How long earlier jobs may run, in milliseconds, until a job is refused. Default: 3 × `limitMs`. */
  maxWaitMs?: number;
  /** How much memory the thread may take, in MiB. */
  maxMemoryMb: number;
  /**
   * Whether the thread has a process of its own, which costs some 40 MiB and a tenth of a second at its
   * start. Without, a job that asks for tens of MiB at once can end the user's process. Default: false.
   */
  ownProcess?: boolean;
}

/** How long a thread may take to start and load its packages. */
const START_MS = 10_000;

interface Pending<Job, Answer> {
  makeJob: (thread: number) => Job;
  settle: (outcome: JobOutcome<Answer>) => void;
  /** How long jobs had run when it came. */
  ranMs: number;
}

const PRELUDE = `'use strict';
const { parentPort, workerData } = require('node:worker_threads');
const requireFrom = require('node:module').createRequire(workerData);
let answer;
`;

const LOOP = `
parentPort.on('message', async (job) => {
  try {
    parentPort.postMessage({ answer: await answer(job) });
  } catch (error) {
    parentPort.postMessage({ error: String(error?.message ?? error).slice(0, 1000) });
  }
});
parentPort.postMessage({ ready: true });
`;

/**
 * Runs jobs that a stranger decides the cost of, one after the other, in a thread that is ended when a
 * job takes too much time or memory. The next job gets a new thread. The thread starts with the first
 * job, and holds no process up while it has nothing to do.
 */
export class BoundedWorker<Job, Answer> {
  readonly #options: BoundedWorkerOptions;
  #waiting: Pending<Job, Answer>[] = [];
  #thread: Thread | undefined;
  #isBusy = false;
  #threads = 0;
  /** How long jobs have run, all together. */
  #ranMs = 0;

  constructor(options: BoundedWorkerOptions) {
    this.#options = options;
  }

  /**
   * Runs a job, which is made when the thread is free and gets the number of the thread: what an earlier
   * job left there is gone with it. Never rejects. Jobs and answers are cloned: bound their size first.
   */
  run(makeJob: (thread: number) => Job): Promise<JobOutcome<Answer>> {
    return new Promise((settle) => {
      this.#waiting.push({ makeJob, settle, ranMs: this.#ranMs });
      void this.#next();
    });
  }

  async #next(): Promise<void> {
    if (this.#isBusy || this.#waiting.length === 0) return;
    const { limitMs, maxWaitMs = 3 * limitMs } = this.#options;
    this.#isBusy = true;
    try {
      const thread = (this.#thread ??= await this.#start());
      const pending = this.#waiting.shift();
      if (pending === undefined) return;
      const waitedMs = this.#ranMs - pending.ranMs;
      if (waitedMs > maxWaitMs) {
        pending.settle({ kind: 'refused', message: `others took ${maxWaitMs} ms before it` });
        return;
      }
      const startedAt = performance.now();
      pending.settle(await this.#ask(thread, pending.makeJob));
      this.#ranMs += performance.now() - startedAt;
    } catch (error) {
      // Every one of them would meet the same.
      const message = `no thread could be started: ${messageOf(error)}`;
      for (const { settle } of this.#waiting.splice(0)) settle({ kind: 'refused', message });
    } finally {
      this.#isBusy = false;
      void this.#next();
    }
  }

  async #ask(thread: Thread, makeJob: (thread: number) => Job): Promise<JobOutcome<Answer>> {
    const { limitMs, maxMemoryMb } = this.#options;
    thread.ref();
    try {
      const reply = await replyOf(thread, limitMs, () =>
        thread.postMessage(makeJob(this.#threads)),
      );
      if (reply.kind === 'message') {
        const { answer, error } = reply.message as { answer: Answer; error?: string };
        return error === undefined
          ? { kind: 'answered', answer }
          : { kind: 'failed', message: error };
      }
      this.#end(thread);
      const isMemory = reply.kind === 'ended' && reply.code === 'ERR_WORKER_OUT_OF_MEMORY';
      const message =
        reply.kind === 'overdue'
          ? `it took longer than ${limitMs} ms`
          : isMemory
            ? `it took more than ${maxMemoryMb} MiB of memory`
            : `its thread ended: ${reply.message}`;
      return { kind: 'stopped', message };
    } catch (error) {
      // It cannot be cloned.
      return { kind: 'failed', message: messageOf(error) };
    } finally {
      thread.unref();
    }
  }

  async #start(): Promise<Thread> {
    const { script, importMetaUrl, maxMemoryMb, ownProcess = false } = this.#options;
    const resourceLimits: ResourceLimits = { maxOldGenerationSizeMb: maxMemoryMb, stackSizeMb: 4 };
    const options: WorkerOptions = {
      workerData: importMetaUrl,
      resourceLimits,
      // Nothing of the process is its business, and nothing that it says belongs on a terminal.
      env: {},
      argv: [],
      execArgv: [],
      stdout: true,
      stderr: true,
    };
    const code = PRELUDE + script + LOOP;
    const thread = ownProcess
      ? new ProcessThread(code, options)
      : new Worker(code, { ...options, eval: true });
    // A job that waits fails; a thread that ends without a job is only replaced.
    thread.on('error', () => this.#end(thread));
    thread.on('exit', () => this.#end(thread));
    this.#threads += 1;
    const reply = await replyOf(thread, START_MS, () => {});
    if (reply.kind === 'message') return thread;
    this.#end(thread);
    throw new Error(reply.kind === 'overdue' ? 'it took too long' : reply.message);
  }

  #end(thread: Thread): void {
    if (this.#thread === thread) this.#thread = undefined;
    thread.unref();
    void thread.terminate();
  }
}

type WorkerAnswer =
  | { kind: 'message'; message: unknown }
  | { kind: 'overdue' }
  | { kind: 'ended'; code?: string | undefined; message: string };

/** The next message of a thread, its end, or the end of the time. */
async function replyOf(thread: Thread, limitMs: number, ask: () => void): Promise<WorkerAnswer> {
  let stop = (): void => {};
  try {
    return await new Promise<WorkerAnswer>((resolve) => {
      const onMessage = (message: unknown): void => resolve({ kind: 'message', message });
      const onError = (error: NodeJS.ErrnoException): void =>
        resolve({ kind: 'ended', code: error.code, message: error.message });
      const onExit = (): void => resolve({ kind: 'ended', message: 'it exited' });
      // A process that was busy itself finds the time up and the answer there: the answer counts.
      const overdue = (): void => resolve({ kind: 'overdue' });
      const timer = setTimeout(() => setImmediate(overdue), limitMs);
      thread.once('message', onMessage).once('error', onError).once('exit', onExit);
      stop = () => {
        clearTimeout(timer);
        thread.off('message', onMessage).off('error', onError).off('exit', onExit);
      };
      ask();
    });
  } finally {
    stop();
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
