/** The time of a simulation: what happens next, and when. Milliseconds. */
export class Clock {
  now = 0;
  /** A binary heap: the earliest first, and of those at one moment the one that was set first. */
  #heap = /** @type {{ at: number, order: number, act: () => void }[]} */ ([]);
  #order = 0;

  /** @param {number} delayMs @param {() => void} act */
  after(delayMs, act) {
    const heap = this.#heap;
    let at = heap.length;
    heap.push({ at: this.now + delayMs, order: ++this.#order, act });
    while (at > 0 && isBefore(heap, at, (at - 1) >> 1)) at = swap(heap, at, (at - 1) >> 1);
  }

  /** Lets everything happen that happens before a moment. @param {number} endMs */
  runUntil(endMs) {
    const heap = this.#heap;
    for (let next = heap[0]; next !== undefined && next.at <= endMs; next = heap[0]) {
      const last = heap.pop();
      if (last !== undefined && heap.length > 0) {
        heap[0] = last;
        this.#sink();
      }
      this.now = next.at;
      next.act();
    }
    this.now = endMs;
  }

  #sink() {
    const heap = this.#heap;
    for (let at = 0; ;) {
      const left = 2 * at + 1;
      if (left >= heap.length) return;
      const right = left + 1;
      const least = right < heap.length && isBefore(heap, right, left) ? right : left;
      if (!isBefore(heap, least, at)) return;
      at = swap(heap, at, least);
    }
  }
}

/** @param {readonly { at: number, order: number }[]} heap @param {number} one @param {number} other */
function isBefore(heap, one, other) {
  const [a, b] = [heap[one], heap[other]];
  if (a === undefined || b === undefined) return false;
  return a.at === b.at ? a.order < b.order : a.at < b.at;
}

/** @template Item @param {Item[]} heap @param {number} one @param {number} other @returns {number} `other` */
function swap(heap, one, other) {
  [heap[one], heap[other]] = /** @type {[Item, Item]} */ ([heap[other], heap[one]]);
  return other;
}

/** What does one thing after the other: the event loop of a node, a shard of Redis. */
export class Station {
  /** How long it has worked, in all. */
  busyMs = 0;
  /** The longest that anything has waited for its turn. */
  longestWaitMs = 0;
  #clock;
  #freeAt = 0;

  /** @param {Clock} clock */
  constructor(clock) {
    this.#clock = clock;
  }

  /** Works for so long, when its turn comes, and then goes on. @param {number} workMs @param {() => void} then */
  use(workMs, then) {
    const { now } = this.#clock;
    const waitMs = Math.max(0, this.#freeAt - now);
    this.longestWaitMs = Math.max(this.longestWaitMs, waitMs);
    this.busyMs += workMs;
    this.#freeAt = now + waitMs + workMs;
    this.#clock.after(waitMs + workMs, then);
  }
}
