import type { OnceOptions } from './next-event.js';
import type { PrincipalRecord, PrincipalSource, Principals } from './principals.js';

/** What listens through one view of a principal. As long as something does, the principal is not idle. */
export class ViewListeners<Session extends PrincipalSource> {
  readonly #principals: Principals<Session>;
  readonly #ends = new Set<() => void>();

  constructor(principals: Principals<Session>) {
    this.#principals = principals;
  }

  /** Adds a listener to the session of a principal; the function returned removes it. */
  listen(record: PrincipalRecord<Session>, add: (session: Session) => () => void): () => void {
    const release = this.#principals.hold(record);
    let stop: () => void;
    try {
      stop = add(this.#principals.sessionOf(record));
    } catch (error) {
      release();
      throw error;
    }
    return this.until(() => {
      stop();
      release();
    });
  }

  /** Has something stopped with the view, or before by the function returned. */
  until(stop: () => void): () => void {
    const end = (): void => {
      if (this.#ends.delete(end)) stop();
    };
    this.#ends.add(end);
    return end;
  }

  /** Waits for something on the session of a principal. */
  async once<Payload>(
    record: PrincipalRecord<Session>,
    { signal: given, ...rest }: OnceOptions,
    wait: (session: Session, options: OnceOptions) => Promise<Payload>,
  ): Promise<Payload> {
    const release = this.#principals.hold(record);
    const ending = new AbortController();
    const end = (): void => ending.abort();
    this.#ends.add(end);
    const signal = given === undefined ? ending.signal : AbortSignal.any([given, ending.signal]);
    try {
      return await wait(this.#principals.sessionOf(record), { ...rest, signal });
    } finally {
      this.#ends.delete(end);
      release();
    }
  }

  /** Ends all of them, and nothing else: others may act for the same principal. */
  end(): void {
    for (const end of this.#ends) end();
  }
}
