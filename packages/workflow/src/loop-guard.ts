/** A chain of runs that may each be caused by the one before. */
export interface Chain {
  /** How many runs there are before this one. */
  depth: number;
  /** When the first one began, in milliseconds since 1970. */
  since: number;
}

/** For how long after a call what its server says may still be of its making. */
const echoMs = 1000;

/** For how long a chain is counted. */
const windowMs = 60_000;

/**
 * Tells runs that cause each other. A server does not say why it sends an event; but what a call
 * causes comes while it runs, or shortly after. An event that comes then is counted as one further
 * in the chain of that call's run. A burst is no chain: all of it comes during the same few calls.
 * What counts is how long a chain grows within a minute.
 */
export class LoopGuard {
  readonly #calls = new Map<string, Set<Chain>>();
  readonly #ended = new Map<string, { chain: Chain; at: number }>();

  /** A run calls a server; the function returned says that the call has ended. */
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

  /** The chain that an event that comes now from a server belongs to. */
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
