/** A session of a server, as far as it is kept. */
export interface KeptSession {
  readonly id: string;
  /** Stops everything of it. */
  close(): void;
}

/** The sessions of a server. Those that are unused for a while are dropped. */
export class SessionStore<Session extends KeptSession> {
  readonly #sessions = new Map<string, Session>();
  readonly #expiries = new Map<string, NodeJS.Timeout>();
  #opened = 0;

  /** Sessions that were ever opened. */
  get opened(): number {
    return this.#opened;
  }

  /** Sessions that exist now. */
  get size(): number {
    return this.#sessions.size;
  }

  add(session: Session): void {
    this.#opened += 1;
    this.#sessions.set(session.id, session);
  }

  get(id: string): Session | undefined {
    return this.#sessions.get(id);
  }

  all(): Session[] {
    return [...this.#sessions.values()];
  }

  /** Drops a session later, unless it is kept by then. */
  endIn(id: string, ms: number): void {
    this.keep(id);
    if (this.#sessions.has(id)) {
      this.#expiries.set(
        id,
        setTimeout(() => this.end(id), ms),
      );
    }
  }

  /** Keeps a session from expiring. */
  keep(id: string): void {
    clearTimeout(this.#expiries.get(id));
    this.#expiries.delete(id);
  }

  /** Drops a session. Whether there was one. */
  end(id: string): boolean {
    this.keep(id);
    this.#sessions.get(id)?.close();
    return this.#sessions.delete(id);
  }

  /** Drops all of them. */
  endAll(): void {
    for (const id of this.#sessions.keys()) this.end(id);
  }
}
