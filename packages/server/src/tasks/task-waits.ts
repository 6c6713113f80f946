import type { CallOrigin } from '../calls/client-call.js';
import { legacyAnswer, withRelatedTask } from './legacy-forms.js';
import type { TaskEngine } from './task-engine.js';
import { NO_TASK } from './task-refusals.js';
import type { TaskAnswer } from './task-call.js';
import { isFinal, type TaskRecord } from './task-store.js';

/** A request `tasks/result` that waits. */
export interface TaskWaiter {
  /** Whether its stream has a reader at this moment. */
  isHeard(): boolean;
  /** Asks the client on the stream of the request. `answered` is called at most once. */
  ask(
    request: { readonly method: string; readonly params: Record<string, unknown> },
    answered: (answer: TaskAnswer) => void,
  ): AskedClient;
  tellProgress(record: TaskRecord): void;
  answer(answer: TaskAnswer): void;
}

/** A request to a client. */
export interface AskedClient {
  /** Tells the client that its answer is not wanted any more. */
  withdraw(): void;
}

/** The engine, as far as those who wait need it. */
export type WaitedEngine = Pick<TaskEngine, 'get' | 'listen' | 'input'>;

/** What a client was asked, and where. */
interface Asked {
  readonly waiter: TaskWaiter;
  readonly client: AskedClient;
}

/**
 * Those who wait for one task in `tasks/result`. What the task asks for is asked of one of them: of the
 * last one that came, again only if the one before cannot hear it any more.
 */
export class TaskWaits {
  readonly #engine: WaitedEngine;
  /** The first who waits. */
  readonly #asker: CallOrigin;
  readonly #taskId: string;
  readonly #waiters = new Set<TaskWaiter>();
  /** By the key of the question. */
  readonly #asked = new Map<string, Asked>();
  /** Keys of answers that the task may not know yet. */
  readonly #answered = new Set<string>();
  readonly #stopListening: () => void;
  readonly #onEmpty: () => void;
  #last: TaskRecord | undefined;
  /** Answers on their way to the task. */
  #inputs = 0;
  #isClosed = false;

  constructor(
    engine: WaitedEngine,
    {
      asker,
      taskId,
      onEmpty,
    }: { readonly asker: CallOrigin; readonly taskId: string; readonly onEmpty: () => void },
  ) {
    this.#engine = engine;
    this.#asker = asker;
    this.#taskId = taskId;
    this.#onEmpty = onEmpty;
    this.#stopListening = engine.listen(asker, taskId, (record) => this.#changed(record));
  }

  /** Waits, until the task ends or that is taken back. */
  async add(waiter: TaskWaiter): Promise<void> {
    this.#waiters.add(waiter);
    try {
      const record = await this.#engine.get(this.#asker, this.#taskId);
      if (record === undefined || this.#last === undefined || record.version > this.#last.version) {
        this.#changed(record);
      } else {
        this.#ask(this.#last);
      }
    } catch (error) {
      this.remove(waiter);
      throw error;
    }
  }

  /** It waits no longer; what it was asked is asked of another one. */
  remove(waiter: TaskWaiter): void {
    if (!this.#waiters.delete(waiter)) {
      this.#closeIfDone();
      return;
    }
    for (const [key, asked] of this.#asked) {
      if (asked.waiter !== waiter) continue;
      this.#asked.delete(key);
      asked.client.withdraw();
    }
    this.#closeIfDone();
    if (this.#last !== undefined) this.#ask(this.#last);
  }

  #changed(record: TaskRecord | undefined): void {
    const before = this.#last;
    if (record === undefined) {
      this.#answerAll({ error: NO_TASK });
      return;
    }
    if (before !== undefined && record.version <= before.version) return;
    this.#last = record;
    if (record.progress !== before?.progress) {
      for (const waiter of this.#waiters) waiter.tellProgress(record);
    }
    this.#ask(record);
    if (isFinal(record.status)) this.#answerAll(legacyAnswer(record));
  }

  /** Asks what is open and was not asked, and takes back what is not open any more. */
  #ask({ inputRequests = {} }: TaskRecord): void {
    for (const [key, { client }] of this.#asked) {
      if (Object.hasOwn(inputRequests, key)) continue;
      this.#asked.delete(key);
      client.withdraw();
    }
    const waiters = [...this.#waiters];
    // Without a reader the question is kept: a client that resumes the stream gets it.
    const waiter = waiters.findLast((it) => it.isHeard()) ?? waiters.at(-1);
    if (waiter === undefined) return;
    for (const [key, { method, params = {} }] of Object.entries(inputRequests)) {
      if (this.#answered.has(key)) continue;
      const before = this.#asked.get(key);
      if (before !== undefined && (before.waiter.isHeard() || !waiter.isHeard())) continue;
      before?.client.withdraw();
      const request = { method, params: withRelatedTask(params, this.#taskId) };
      const client = waiter.ask(request, (answer) => void this.#input(key, answer));
      this.#asked.set(key, { waiter, client });
    }
  }

  async #input(key: string, answer: TaskAnswer): Promise<void> {
    this.#asked.delete(key);
    this.#answered.add(key);
    this.#inputs++;
    try {
      await this.#engine.input(this.#asker, this.#taskId, { [key]: answer });
    } catch {
      // The store failed, and the task did not get it: whoever comes next is asked.
      this.#answered.delete(key);
    } finally {
      this.#inputs--;
      this.#closeIfDone();
    }
  }

  #answerAll(answer: TaskAnswer): void {
    const waiters = [...this.#waiters];
    this.#waiters.clear();
    this.#close();
    for (const waiter of waiters) waiter.answer(answer);
  }

  #closeIfDone(): void {
    if (this.#waiters.size === 0 && this.#inputs === 0) this.#close();
  }

  #close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const { client } of this.#asked.values()) client.withdraw();
    this.#asked.clear();
    this.#stopListening();
    this.#onEmpty();
  }
}
