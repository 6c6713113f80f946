/** One that waits in a {@link WaitQueue}. */
export class Waiter<T, Who = void> {
  /** Who waits. */
  readonly who: Who;
  /** Fulfilled with what it waits for. */
  readonly promise: Promise<T>;
  /** What it was given. */
  value: T | undefined;
  #resolve!: (value: T) => void;
  #reject!: (error: Error) => void;

  constructor(who: Who) {
    this.who = who;
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  give(value: T): void {
    this.value = value;
    this.#resolve(value);
  }

  fail(error: Error): void {
    this.#reject(error);
  }
}

/** Calls that wait for something, in order, until they are taken off and given it. */
export class WaitQueue<T, Who = void> {
  readonly #waiters: Waiter<T, Who>[] = [];

  get size(): number {
    return this.#waiters.length;
  }

  get first(): Waiter<T, Who> | undefined {
    return this.#waiters[0];
  }

  /** Joins the queue at its end, or in front of all. */
  enter(who: Who, { inFront = false }: { inFront?: boolean } = {}): Waiter<T, Who> {
    const waiter = new Waiter<T, Who>(who);
    if (inFront) this.#waiters.unshift(waiter);
    else this.#waiters.push(waiter);
    return waiter;
  }

  /** Takes the first one off. */
  shift(): Waiter<T, Who> | undefined {
    return this.#waiters.shift();
  }

  /** Takes one off, wherever it is. Harmless when it is off already. */
  leave(waiter: Waiter<T, Who>): void {
    const index = this.#waiters.indexOf(waiter);
    if (index >= 0) this.#waiters.splice(index, 1);
  }

  /** Takes off all that one waits with. */
  takeAll(who: Who): Waiter<T, Who>[] {
    const taken = this.#waiters.filter((waiter) => waiter.who === who);
    for (const waiter of taken) this.leave(waiter);
    return taken;
  }

  /** Fails all of them, each with an error of its own. */
  failAll(errorOf: (who: Who) => Error): void {
    for (const waiter of this.#waiters.splice(0)) waiter.fail(errorOf(waiter.who));
  }
}
