/**
 * What Ctrl-C means now. By default the first one aborts {@link Interruptions.signal}, which every
 * operation gets, and the second ends the command at once. A conversation sets its own meaning.
 */
export class Interruptions {
  readonly #controller = new AbortController();
  readonly #insist: () => void;
  #handlers: (() => void)[] = [];

  /** Fulfilled when the command must end at once. */
  readonly insisted: Promise<void>;

  constructor() {
    const { promise, resolve } = withResolvers();
    this.insisted = promise;
    this.#insist = resolve;
  }

  /** Aborted when the whole command is to end. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Fulfilled when the whole command is to end. */
  get ended(): Promise<void> {
    const { signal } = this;
    return new Promise((resolve) => {
      if (signal.aborted) resolve();
      else signal.addEventListener('abort', () => resolve(), { once: true });
    });
  }

  /** The user pressed Ctrl-C. */
  interrupt(): void {
    const handler = this.#handlers.at(-1);
    if (handler !== undefined) handler();
    else if (this.signal.aborted) this.#insist();
    else this.end();
  }

  /** Ends the command gracefully. */
  end(): void {
    this.#controller.abort();
  }

  /** Ends the command at once. */
  insist(): void {
    this.#insist();
  }

  /** Sets what the next interruptions mean; the returned function restores the previous meaning. */
  take(handler: () => void): () => void {
    this.#handlers.push(handler);
    return () => {
      this.#handlers = this.#handlers.filter((other) => other !== handler);
    };
  }
}

function withResolvers(): { promise: Promise<void>; resolve: () => void } {
  let resolve!: () => void;
  const promise = new Promise<void>((fulfil) => {
    resolve = fulfil;
  });
  return { promise, resolve };
}
