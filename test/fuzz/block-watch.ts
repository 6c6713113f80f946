import { readFileSync } from 'node:fs';

const TICK_MS = 20;
/** Linux tells here how many nanoseconds the thread that runs JavaScript had the processor. */
const MAIN_THREAD = `/proc/self/task/${process.pid}/schedstat`;

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
  #lastCpuMs = cpuMs();

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
    const elapsedMs = performance.now() - this.#lastAt;
    // Where others have the processor, time passes in which this process holds nobody up.
    const blockedMs = Math.min(elapsedMs, cpuMs() - this.#lastCpuMs);
    this.#longestMs = Math.max(this.#longestMs, blockedMs);
    this.#peakBytes = Math.max(this.#peakBytes, process.memoryUsage.rss());
    this.#lastAt = performance.now();
    this.#lastCpuMs = cpuMs();
  }
}

/** The time of the processor that JavaScript had; elsewhere than on Linux, that all threads had. */
function cpuMs(): number {
  try {
    return Number(readFileSync(MAIN_THREAD, 'latin1').split(' ')[0]) / 1e6;
  } catch {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1000;
  }
}
