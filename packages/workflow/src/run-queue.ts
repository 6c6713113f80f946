/**
 * Lets so many tasks run at a time; the others wait in order. Of those that share a key, one runs at
 * a time, in the order in which they were added.
 */
export class RunQueue<Task> {
  readonly #concurrency: number;
  readonly #keyOf: (task: Task) => string | undefined;
  readonly #handle: (task: Task) => Promise<void>;
  /** Those that may run. */
  #ready: Task[] = [];
  /** By key, those that come after the one that may run or runs. */
  readonly #behind = new Map<string, Task[]>();
  #waiting = 0;
  #running = 0;
  #paused = true;

  /** Begins when it is told to. `handle` never rejects. */
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

  /** Begins. */
  resume(): void {
    this.#paused = false;
    this.#next();
  }

  /** Begins no more, and hands back what waits. */
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

  /** Lets the next one of the same key run. */
  #release(task: Task): void {
    const key = this.#keyOf(task);
    if (key === undefined) return;
    const next = this.#behind.get(key)?.shift();
    if (next === undefined) this.#behind.delete(key);
    else this.#ready.push(next);
  }
}
