const TICK_MS = 20;

/** What a process was like for some time. */
export interface Watched {
  /** The longest time of the processor, in milliseconds, for which nothing else could run here. */
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
    // Where others have the processor, time passes in which this process holds nobody up.
    this.#longestMs = Math.max(this.#longestMs, Math.min(elapsedMs, (user + system) / 1000));
    this.#peakBytes = Math.max(this.#peakBytes, process.memoryUsage.rss());
    this.#lastAt = now;
    this.#lastCpu = process.cpuUsage();
  }
}
