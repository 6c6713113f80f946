const TICK_MS = 20;
/** A process that waits for the processor is not one that keeps others waiting. */
const BUSY_SHARE = 0.6;

/** What a process was like for some time. */
export interface Watched {
  /** The longest time in milliseconds for which nothing else could run. */
  longestBlockMs: number;
  /** The most memory that the process had. */
  peakBytes: number;
}

/**
 * Notices when nothing else can run in this process, because something runs and does not end; and
 * how much memory it takes. (What the system itself says of the most memory ever is, for a new
 * process, that of the process which started it.)
 */
export class BlockWatch {
  #longestMs = 0;
  #peakBytes = 0;
  #lastAt = performance.now();
  #lastCpu = process.cpuUsage();

  constructor() {
    setInterval(() => this.#tick(), TICK_MS).unref();
  }

  /** What was seen since it was asked last. */
  take(): Watched {
    this.#tick();
    const watched = { longestBlockMs: this.#longestMs, peakBytes: this.#peakBytes };
    this.#longestMs = 0;
    this.#peakBytes = 0;
    return watched;
  }

  #tick(): void {
    const now = performance.now();
    const elapsedMs = now - this.#lastAt;
    const { user, system } = process.cpuUsage(this.#lastCpu);
    const isBusy = (user + system) / 1000 > elapsedMs * BUSY_SHARE;
    if (isBusy && elapsedMs > this.#longestMs) this.#longestMs = elapsedMs;
    this.#peakBytes = Math.max(this.#peakBytes, process.memoryUsage.rss());
    this.#lastAt = now;
    this.#lastCpu = process.cpuUsage();
  }
}
