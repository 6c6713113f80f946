const TICK_MS = 20;
/** A process that waits for the processor is not one that keeps others waiting. */
const BUSY_SHARE = 0.6;

/** Notices when nothing else can run in this process, because something runs and does not end. */
export class BlockWatch {
  #longestMs = 0;
  #lastAt = performance.now();
  #lastCpu = process.cpuUsage();

  constructor() {
    setInterval(() => this.#tick(), TICK_MS).unref();
  }

  /** The longest time since it was asked last. */
  take(): number {
    this.#tick();
    const longestMs = this.#longestMs;
    this.#longestMs = 0;
    return longestMs;
  }

  #tick(): void {
    const now = performance.now();
    const elapsedMs = now - this.#lastAt;
    const { user, system } = process.cpuUsage(this.#lastCpu);
    const isBusy = (user + system) / 1000 > elapsedMs * BUSY_SHARE;
    if (isBusy && elapsedMs > this.#longestMs) this.#longestMs = elapsedMs;
    this.#lastAt = now;
    this.#lastCpu = process.cpuUsage();
  }
}
