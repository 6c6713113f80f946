import { CERTAINTY_TEXT } from '../certainty-text.js';
import { LongwireError, type Certainty } from '../errors.js';
import {
  checkFunction,
  checkObject,
  checkOptionNames,
  checkPositive,
  MAX_TIMER_MS,
} from '../options/checks.js';
import { YoungMap } from '../young-map.js';

/** A call that `close()` has ended. */
export interface CutCall {
  /** Which it was: `the call of echo`. */
  what: string;
  /** What is certain about it. */
  certainty: Certainty;
}

/** How to close. */
export interface CloseOptions {
  /**
   * How long calls that are under way, or wait, may take to finish, in milliseconds. Meanwhile no more
   * are taken: they fail with code `closed`. Another `close()` ends that time at once. Default 0.
   */
  drainMs?: number;
  /** Called at the end with each call that did not finish. It has failed with code `closed`. */
  onCut?: (call: CutCall) => void;
}

/** One thing under way. */
export interface Task {
  /** For messages: `the call of echo`. */
  readonly what: string;
}

/** What is under way in something that can be closed, and may finish before it is. */
export class UnderWay {
  readonly #nameOf: () => string;
  readonly #tasks = new YoungMap<Task, Task>();
  /** While it waits until nothing is under way. */
  #drain: { end: () => void; closed: Promise<void> } | undefined;
  /** How many `close({ drainMs })` are not done: until all is closed, a call would connect anew. */
  #drains = 0;
  /** Those of each `close()` of now. */
  readonly #cuts = new Set<CutCall[]>();
  #isClosing = false;

  /** `nameOf` says what is closed, for messages. */
  constructor(nameOf: () => string) {
    this.#nameOf = nameOf;
  }

  /** `close()` was called, and nothing has begun since. */
  get isClosing(): boolean {
    return this.#isClosing;
  }

  /** All of it. */
  get tasks(): Task[] {
    return this.#tasks.values();
  }

  /**
   * Whether something may begin.
   *
   * @throws LongwireError `closed` while it drains.
   */
  check(what: string): void {
    if (this.#drains > 0) throw this.#refusal(what);
  }

  /** It begins; it was checked before. */
  enter(task: Task): void {
    this.#isClosing = false;
    this.#tasks.set(task, task);
  }

  /** It has ended. */
  leave(task: Task): void {
    this.#tasks.delete(task);
    if (this.#tasks.size === 0) this.#drain?.end();
  }

  /** It has failed; gives the error for its caller, who is told which call was cut. */
  failed(task: Task, error: unknown): unknown {
    this.leave(task);
    const isCut = this.#cuts.size > 0 && error instanceof LongwireError && error.code === 'closed';
    if (!isCut) return error;
    const { what } = task;
    const { code, certainty, taskId } = error;
    for (const cut of this.#cuts) cut.push({ what, certainty });
    const summary = `${what} was cut: ${this.#nameOf()} was closed; ${CERTAINTY_TEXT[certainty]}`;
    return new LongwireError(summary, { code, certainty, taskId, cause: error });
  }

  /** Runs something as a task. */
  async run<T>(what: string, work: () => Promise<T>): Promise<T> {
    const task = { what };
    this.check(what);
    this.enter(task);
    try {
      const result = await work();
      this.leave(task);
      return result;
    } catch (error) {
      throw this.failed(task, error);
    }
  }

  /**
   * Closes by `close`, after what is under way has had its time to finish. `close` is given what is left
   * of that time.
   *
   * @throws TypeError that names the option; what `close` throws.
   */
  async close(options: CloseOptions, close: (leftMs: number) => Promise<void>): Promise<void> {
    checkCloseOptions(options);
    if (this.#drain !== undefined) {
      this.#drain.end();
      return this.#drain.closed;
    }
    const { drainMs = 0, onCut } = options;
    const until = performance.now() + drainMs;
    this.#isClosing = true;
    if (drainMs > 0) this.#drains++;
    let settle = (): void => {};
    const closed = new Promise<void>((resolve) => (settle = resolve));
    const cut: CutCall[] = [];
    try {
      const isOver = drainMs > 0 && this.#tasks.size > 0 && (await this.#wait(drainMs, closed));
      this.#cuts.add(cut);
      await close(isOver ? 0 : Math.max(0, until - performance.now()));
      // Their callers are told a few turns later.
      if (this.#tasks.size > 0) await new Promise(setImmediate);
    } finally {
      this.#cuts.delete(cut);
      if (drainMs > 0) this.#drains--;
      settle();
    }
    for (const call of cut) onCut?.(call);
  }

  /** Waits until nothing is under way; true if something is all the same. */
  async #wait(ms: number, closed: Promise<void>): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((end) => {
      this.#drain = { end, closed };
      if (ms !== Infinity) timer = setTimeout(end, Math.min(ms, MAX_TIMER_MS));
    });
    clearTimeout(timer);
    this.#drain = undefined;
    return this.#tasks.size > 0;
  }

  #refusal(what: string): LongwireError {
    return new LongwireError(`${what} was not made: ${this.#nameOf()} is closing`, {
      code: 'closed',
      certainty: 'not-sent',
      hint: 'it takes no more calls until close() is done; after that a call connects anew',
    });
  }
}

/**
 * Checks how something is to be closed.
 *
 * @throws TypeError that names the option.
 */
export function checkCloseOptions(options: CloseOptions): void {
  checkObject('options', options);
  checkOptionNames(options, ['drainMs', 'onCut']);
  if (options.drainMs !== 0) checkPositive('drainMs', options.drainMs);
  checkFunction('onCut', options.onCut);
}
