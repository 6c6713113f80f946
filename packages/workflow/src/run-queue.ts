/**
 * Runs a limited number of tasks at a time; the others wait in order. Of tasks with the same key, one
 * runs at a time, in the order in which they were added.
 */
export class RunQueue<Task> {
  readonly #concurrency: number;
  readonly #keyOf: (task: Task) => string | undefined;
  readonly #handle: (task: Task) => Promise<void>;
  /** Tasks that may run. */
  #ready: Task[] = [];
  /** By key, the tasks behind the one that may run or runs. */
  readonly #behind = new Map<string, Task[]>();
  #waiting = 0;
  #running = 0;
  #paused = true;

  /** Starts paused. `handle` never rejects. */
  constructor(
    concurrency: number,
    keyOf: (task: Task) => string | undefined,
    handle: (task: Task) => Promise<void>,
  ) {
    this.#concurrency = concurrency;
    this.#keyOf = keyOf;
    this.#handle = handle;
  }

  /** How many wait. */
  get waiting(): number {
    return this.#waiting;
  }

  /** How many run. */
  get running(): number {
    return this.#running;
  }

  add(task: Task): void {
    this.#waiting += 1;
    const key = this.#keyOf(task);
    const behind = key === undefined ? undefined : this.#behind.get(key);
    if (behind !== undefined) {
      behind.push(task);
      return;
    }
    if (key !== undefined) this.#behind.set(key, []);
    this.#ready.push(task);
    this.#next();
  }

  /** Starts tasks. */
  resume(): void {
    this.#paused = false;
    this.#next();
  }

  /** Starts no more tasks, and returns the waiting ones. */
  drain(): Task[] {
    this.#paused = true;
    this.#waiting = 0;
    const behind = [...this.#behind.values()].flatMap((tasks) => tasks.splice(0));
    return [...this.#ready.splice(0), ...behind];
  }

  #next(): void {
    while (!this.#paused && this.#running < this.#concurrency && this.#ready.length > 0) {
      const task = this.#ready.shift() as Task;
      this.#waiting -= 1;
      this.#running += 1;
      void this.#handle(task).finally(() => {
        this.#running -= 1;
        this.#release(task);
        this.#next();
      });
    }
  }

  /** Releases the next task with the same key. */
  #release(task: Task): void {
    const key = this.#keyOf(task);
    if (key === undefined) return;
    const next = this.#behind.get(key)?.shift();
    if (next === undefined) this.#behind.delete(key);
    else this.#ready.push(next);
  }
}
