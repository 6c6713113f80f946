/** Each bucket reaches this many times as far as the one before. */
const GROWTH = 1.15;
/** What is shorter is all in the first one, in milliseconds. */
const SHORTEST_MS = 0.1;
/** The last one begins at about 75 minutes. */
const BUCKETS = 128;

/** Durations, as counts of buckets: each is known to 7 %, whatever their number. */
export class Latencies {
  readonly #counts: number[];
  #count = 0;

  /** @param counts those of another one. */
  constructor(counts: readonly number[] = []) {
    this.#counts = Array.from({ length: BUCKETS }, (_, bucket) => counts[bucket] ?? 0);
    for (const count of this.#counts) this.#count += count;
  }

  /** How many there are. */
  get count(): number {
    return this.#count;
  }

  /** How many are in each bucket; empty buckets at the end are left out. */
  get counts(): readonly number[] {
    return this.#counts.slice(0, this.#counts.findLastIndex((count) => count > 0) + 1);
  }

  add(durationMs: number): void {
    const at = Math.ceil(
      Math.log(Math.max(durationMs, SHORTEST_MS) / SHORTEST_MS) / Math.log(GROWTH),
    );
    const bucket = Math.min(at, BUCKETS - 1);
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1;
    this.#count++;
  }

  /** The duration that this share of them does not exceed, in milliseconds; `undefined` without any. */
  percentile(share: number): number | undefined {
    if (this.#count === 0) return undefined;
    let rest = Math.max(1, Math.ceil(this.#count * share));
    for (const [bucket, count] of this.#counts.entries()) {
      rest -= count;
      if (rest <= 0) return middleOf(bucket);
    }
    return undefined;
  }

  /** Where the buckets that are not empty begin and end, in milliseconds, and how many they have. */
  *buckets(): Iterable<{ readonly fromMs: number; readonly toMs: number; readonly count: number }> {
    for (const [bucket, count] of this.#counts.entries()) {
      if (count > 0)
        yield { fromMs: bucket === 0 ? 0 : endOf(bucket - 1), toMs: endOf(bucket), count };
    }
  }
}

function endOf(bucket: number): number {
  return SHORTEST_MS * GROWTH ** bucket;
}

function middleOf(bucket: number): number {
  return endOf(bucket) / Math.sqrt(GROWTH);
}
