/** What of the memory of sessions may stay once they are gone: caches grow with what was seen. */
const MAY_STAY = 0.05;
/** And so much that has nothing to do with their number. */
const MAY_STAY_BYTES = 2 * 1024 * 1024;

/** @typedef {import('./trial.mjs').Measured} Measured */

/** Prints what was measured, and remembers what was broken. */
export class Report {
  /** @type {string[]} */
  #broken = [];
  #startedAt = performance.now();

  /** Whether every promise was kept. */
  get isKept() {
    return this.#broken.length === 0;
  }

  /** @param {string} title */
  title(title) {
    console.log(`\n## ${title}\n`);
  }

  /** @param {string} name @param {string} value */
  line(name, value) {
    console.log(`${name.padEnd(38)} ${value}`);
  }

  /** @param {boolean} isKept @param {string} promise */
  promise(isKept, promise) {
    console.log(`${isKept ? 'kept  ' : 'BROKEN'} ${promise}`);
    if (!isKept) this.#broken.push(promise);
  }

  /**
   * What one of so many sessions costs.
   *
   * @param {Measured} before
   * @param {Measured} with_
   * @param {number} sessions
   */
  perSession(before, with_, sessions) {
    const each = (/** @type {number} */ bytes) => `${(bytes / sessions / 1024).toFixed(1)} KiB`;
    this.line('memory of a session, heap', each(with_.heapBytes - before.heapBytes));
    this.line('memory of a session, RSS', each(with_.rssBytes - before.rssBytes));
  }

  /**
   * What one of so many tasks leaves until it expires.
   *
   * @param {Pick<Measured, 'heapBytes'>} before
   * @param {Pick<Measured, 'heapBytes'>} with_
   * @param {number} tasks
   */
  perTask(before, with_, tasks) {
    const bytes = (with_.heapBytes - before.heapBytes) / tasks;
    this.line('memory of a task that is kept, heap', `${(bytes / 1024).toFixed(2)} KiB`);
  }

  /** @param {string} when @param {import('./trial.mjs').LoopDelay} delay */
  loopDelay(when, { p50Ms, p99Ms, maxMs }) {
    const text = `p50 ${ms(p50Ms)}, p99 ${ms(p99Ms)}, at most ${ms(maxMs)}`;
    this.line(`event loop of the server, ${when}`, text);
  }

  /**
   * The heap must be as it was, but for a small share of what it had been. The resident set is
   * printed only: the allocator keeps pages for the next sessions.
   *
   * @param {{ before: Measured, during: Measured, after: Measured }} measured
   */
  memoryReturns({ before, during, after }) {
    this.line('heap before, with them, after', [before, during, after].map(heap).join(', '));
    this.line('RSS before, with them, after', [before, during, after].map(rss).join(', '));
    const held = during.heapBytes - before.heapBytes;
    const stays = after.heapBytes - before.heapBytes;
    const allowed = held * MAY_STAY + MAY_STAY_BYTES;
    this.promise(
      stays <= allowed,
      `memory returns: ${mib(stays)} of ${mib(held)} stay, at most ${mib(allowed)} may`,
    );
  }

  end() {
    const seconds = Math.round((performance.now() - this.#startedAt) / 1000);
    const outcome = this.isKept ? 'Every promise was kept' : `${this.#broken.length} broken`;
    console.log(`\n${outcome}, in ${seconds} s.`);
  }
}

/** @param {number} value */
export function ms(value) {
  return `${value.toFixed(value < 10 ? 1 : 0)} ms`;
}

/** @param {number} bytes */
function mib(bytes) {
  return `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
}

/** @param {Measured} measured */
function heap({ heapBytes }) {
  return mib(heapBytes);
}

/** @param {Measured} measured */
function rss({ rssBytes }) {
  return mib(rssBytes);
}
