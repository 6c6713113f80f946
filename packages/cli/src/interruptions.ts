/**
 * What Ctrl-C means right now. By default the first one aborts {@link Interruptions.signal}, which
 * everything that waits is given, and the second gives up waiting. A conversation takes over.
 */
export class Interruptions {
  readonly #controller = new AbortController();
  readonly #insist: () => void;
  #handlers: (() => void)[] = [];

  /** Fulfilled when there is nothing left to wait for: end at once. */
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

  /** Someone pressed Ctrl-C, by whatever way it came. */
  interrupt(): void {
    const handler = this.#handlers.at(-1);
    if (handler !== undefined) handler();
    else if (this.signal.aborted) this.#insist();
    else this.end();
  }

  /** Ends the command in good order. */
  end(): void {
    this.#controller.abort();
  }

  /** Gives up waiting: the command ends at once. */
  insist(): void {
    this.#insist();
  }

  /** Decides what the next interruptions mean; the function returned hands that back. */
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
