/** Lets so many tasks run at a time; the others wait in order. */
export class RunQueue<Task> {
  readonly #concurrency: number;
  readonly #handle: (task: Task) => Promise<void>;
  #waiting: Task[] = [];
  #running = 0;
  #paused = true;

  /** Begins when it is told to. `handle` never rejects. */
  constructor(concurrency: number, handle: (task: Task) => Promise<void>) {
    this.#concurrency = concurrency;
    this.#handle = handle;
  }

  /** How many wait. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** How many run. */
  get running(): number {
    return this.#running;
  }

  add(task: Task): void {
    this.#waiting.push(task);
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
    return this.#waiting.splice(0);
  }

  #next(): void {
    while (!this.#paused && this.#running < this.#concurrency && this.#waiting.length > 0) {
      const task = this.#waiting.shift() as Task;
      this.#running += 1;
      void this.#handle(task).finally(() => {
        this.#running -= 1;
        this.#next();
      });
    }
  }
}
