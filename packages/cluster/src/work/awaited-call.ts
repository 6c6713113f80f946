import type { CallWorkers, WorkerAnswer, WorkerCaller } from '@longwire/server';
import { CANCELLED, notTaken, WORKER_LOST } from './worker-answers.js';
import type { Told } from './told.js';

type Work = Parameters<CallWorkers['run']>[0];

/** What a call that waits for its worker asks for. */
export interface AwaitedHandlers {
  /** Takes it back; `false` if a worker has taken it. */
  withdraw(): Promise<boolean>;
  /** Tells its worker that it is cancelled. */
  cancel(): Promise<void>;
}

/** A worker that does not live in so many looks, one after the other, is dead. */
const DEAD_LOOKS = 3;

/** A call that was handed to the workers. Every end of it is an answer. */
export class AwaitedCall {
  readonly answer: Promise<WorkerAnswer>;
  readonly #work: Omit<Work, 'call'>;
  readonly #caller: WorkerCaller;
  readonly #handlers: AwaitedHandlers;
  readonly #cancelled = (): void => void this.#cancel();
  #resolve!: (answer: WorkerAnswer) => void;
  #isOver = false;
  #isSafe = false;
  /** Workers that took it, and died. */
  readonly #dead = new Set<string>();
  #worker = '';
  #deadLooks = 0;
  #late: NodeJS.Timeout | undefined;

  constructor(
    { caller, ...work }: Omit<Work, 'call'> & { readonly caller: WorkerCaller },
    handlers: AwaitedHandlers,
  ) {
    this.#work = work;
    this.#caller = caller;
    this.#handlers = handlers;
    this.answer = new Promise((resolve) => (this.#resolve = resolve));
    this.#waitForWorker();
    if (caller.signal.aborted) queueMicrotask(this.#cancelled);
    else caller.signal.addEventListener('abort', this.#cancelled, { once: true });
  }

  began({ worker, isSafe }: Extract<Told, { kind: 'began' }>): void {
    this.#takenBy(worker);
    this.#isSafe = isSafe;
  }

  notified({ method, params }: Extract<Told, { kind: 'notified' }>): void {
    if (!this.#isOver) this.#caller.notify(method, params);
  }

  settle(answer: WorkerAnswer): void {
    if (this.#isOver) return;
    this.#isOver = true;
    clearTimeout(this.#late);
    this.#caller.signal.removeEventListener('abort', this.#cancelled);
    this.#resolve(answer);
  }

  /** Nobody knows what became of it. */
  lost(): void {
    this.settle({ error: WORKER_LOST });
  }

  /** Redis could not be asked. */
  unseen(): void {
    this.#deadLooks = 0;
  }

  /** How Redis has it, where there is no answer. */
  seen({ worker, lives, isThere }: { worker: string; lives: boolean; isThere: boolean }): void {
    if (lives && worker !== '') this.#takenBy(worker);
    const isAtWork = worker !== '' && !this.#dead.has(worker);
    if (lives || !(isAtWork || !isThere)) {
      this.#deadLooks = 0;
      return;
    }
    if (++this.#deadLooks < DEAD_LOOKS) return;
    this.#deadLooks = 0;
    if (!isThere || !this.#isSafe) {
      this.lost();
      // Its worker may live all the same, and nobody waits for it any more.
      void this.#handlers.cancel();
      return;
    }
    // Another worker finds it, and runs it again.
    this.#dead.add(worker);
    this.#worker = '';
    this.#waitForWorker();
  }

  #takenBy(worker: string): void {
    if (this.#worker === worker) return;
    this.#worker = worker;
    this.#deadLooks = 0;
    clearTimeout(this.#late);
  }

  #waitForWorker(): void {
    const { timeoutMs } = this.#work.limits;
    if (timeoutMs === Infinity) return;
    this.#late = setTimeout(() => void this.#giveUp(), timeoutMs).unref();
  }

  async #giveUp(): Promise<void> {
    const isUnsure = this.#dead.size > 0;
    if (await this.#handlers.withdraw()) {
      this.settle({ error: isUnsure ? WORKER_LOST : notTaken(this.#work) });
    }
  }

  async #cancel(): Promise<void> {
    await this.#handlers.cancel();
    if (await this.#handlers.withdraw()) this.settle({ error: CANCELLED });
  }
}
