import { isObject } from '../untrusted/is-object.js';

/** How long it takes until the server is asked for another set of tasks, in milliseconds. */
const DELAY_MS = 20;
/** And so much more for each of them: all are named in every request. */
const DELAY_EACH_MS = 1;

/** Servers take only so many; the others are asked for. */
const MAX_WANTED = 1_000;

/**
 * The tasks of which a server of the modern era is asked to say what happens, on the server stream. It
 * need not: then they are asked for.
 */
export class TaskWatch {
  readonly #onChange: () => void;
  /** By id, who wants to know whether the task is heard. */
  readonly #watched = new Map<string, Set<() => void>>();
  #heard: ReadonlySet<unknown> = new Set();
  /** Whether the server of this session says what happens to tasks, as far as is known. */
  #isOffered = true;
  #timer: NodeJS.Timeout | undefined;

  /** `onChange` is called when the server is to be asked for another set of tasks. */
  constructor(onChange: () => void) {
    this.#onChange = onChange;
  }

  /**
   * Asks to be told what happens to a task. `onChange` is called whenever it changes whether the server
   * does; the function returned ends that.
   */
  watch(taskId: string, onChange: () => void): () => void {
    const watchers = this.#watched.get(taskId) ?? new Set();
    this.#watched.set(taskId, watchers.add(onChange));
    if (this.#isOffered) this.#changeSoon();
    return () => {
      watchers.delete(onChange);
      if (watchers.size === 0 && this.#watched.get(taskId) === watchers) {
        this.#watched.delete(taskId);
      }
      // Those that have ended may stay named, but for the last one.
      if (this.#watched.size === 0 && this.#isOffered) this.#changeSoon();
    };
  }

  /** Whether the server says by itself what happens to a task. */
  hears(taskId: string): boolean {
    return this.#heard.has(taskId);
  }

  /** What the server is to be asked for. */
  get wanted(): string[] {
    return this.#isOffered ? [...this.#watched.keys()].slice(0, MAX_WANTED) : [];
  }

  /** Another session begins. */
  begin(): void {
    this.#isOffered = true;
  }

  /** The server has accepted to say what happens to these; false if it does so of no task. */
  acknowledged(notifications: unknown): boolean {
    const taskIds = isObject(notifications) ? notifications['taskIds'] : undefined;
    this.#isOffered = Array.isArray(taskIds);
    this.#hear(Array.isArray(taskIds) ? taskIds : []);
    return this.#isOffered;
  }

  /** The server does not take a request that names tasks. */
  refused(): void {
    this.#isOffered = false;
    this.#hear([]);
  }

  /** The server says nothing of tasks now. */
  unheard(): void {
    this.#hear([]);
  }

  /** The session has ended. */
  end(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#hear([]);
  }

  #hear(taskIds: readonly unknown[]): void {
    const before = this.#heard;
    this.#heard = new Set(taskIds);
    for (const [taskId, watchers] of this.#watched) {
      if (before.has(taskId) === this.#heard.has(taskId)) continue;
      for (const onChange of watchers) onChange();
    }
  }

  #changeSoon(): void {
    const ms = DELAY_MS + DELAY_EACH_MS * this.#watched.size;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#onChange();
    }, ms).unref();
  }
}
