/** A chain of runs, each perhaps caused by the one before. */
export interface Chain {
  /** How many runs there are before this one. */
  depth: number;
  /** When the first one began, in milliseconds since 1970. */
  since: number;
}

/** For how long after a call its server's events may still be caused by it. */
const echoMs = 1000;

/** For how long a chain is counted. */
const windowMs = 60_000;

/**
 * Detects runs that cause each other. A server does not say why it sends an event, but the events of a
 * call come while it runs or shortly after. Such an event extends the chain of that call's run. A burst
 * is no chain, because all of it comes during the same few calls. What counts is how long a chain
 * grows within a minute.
 */
export class LoopGuard {
  readonly #calls = new Map<string, Set<Chain>>();
  readonly #ended = new Map<string, { chain: Chain; at: number }>();

  /** Reports that a run calls a server; call the returned function when the call has ended. */
  called(server: string, chain: Chain): () => void {
    // One object for each call: several of one run may be in flight.
    const call = { ...chain };
    const calls = this.#calls.get(server) ?? new Set();
    this.#calls.set(server, calls.add(call));
    return () => {
      calls.delete(call);
      const now = Date.now();
      const last = this.#ended.get(server);
      if (last === undefined || now - last.at > echoMs || last.chain.depth <= call.depth) {
        this.#ended.set(server, { chain: call, at: now });
      }
    };
  }

  /** The chain of an event that a server sends now. */
  chainOf(server: string): Chain {
    const now = Date.now();
    const last = this.#ended.get(server);
    const causes = [...(this.#calls.get(server) ?? [])];
    if (last !== undefined && now - last.at <= echoMs) causes.push(last.chain);
    const recent = causes.filter(({ since }) => now - since <= windowMs);
    const deepest = recent.sort((a, b) => b.depth - a.depth)[0];
    return deepest === undefined
      ? { depth: 0, since: now }
      : { depth: deepest.depth + 1, since: deepest.since };
  }
}
