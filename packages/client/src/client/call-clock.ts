import { YoungMap } from '../young-map.js';
import { MAX_TIMER_MS } from '../options/checks.js';

/** Something that expires at a time, which may move. */
export interface Timed {
  /** When it is due, on the clock of `performance.now()`. */
  readonly dueAt: number;
  /** The time has come. */
  expire(): void;
  /** While it is held only its hard cap ends it; the function returned lets its idle time begin anew. */
  hold(): () => void;
}

/**
 * The time limits of many calls on one timer, which is set for the one that is due first. Setting
 * and clearing a timer for every call would cost more than all else that is done for its limits.
 */
export class CallClock {
  readonly #calls = new YoungMap<Timed, Timed>();
  #timer: NodeJS.Timeout | undefined;
  #firesAt = Infinity;

  add(call: Timed): void {
    this.#calls.set(call, call);
    if (call.dueAt < this.#firesAt) this.#set(call.dueAt);
  }

  /** The timer stays for the next call; it keeps no process alive. */
  delete(call: Timed): void {
    this.#calls.delete(call);
  }

  /**
   * Holds the calls under way: the program is asked something that they wait for. The function
   * returned ends that.
   */
  hold(): () => void {
    const held = this.#calls.values().map((call) => ({ call, release: call.hold() }));
    return () => {
      for (const { call, release } of held) {
        release();
        if (call.dueAt < this.#firesAt && this.#calls.has(call)) this.#set(call.dueAt);
      }
    };
  }

  #set(dueAt: number): void {
    clearTimeout(this.#timer);
    this.#firesAt = dueAt;
    const ms = Math.max(0, Math.ceil(dueAt - performance.now()));
    this.#timer = setTimeout(() => this.#fire(), Math.min(ms, MAX_TIMER_MS)).unref();
  }

  #fire(): void {
    this.#firesAt = Infinity;
    const now = performance.now();
    let next = Infinity;
    for (const call of this.#calls.values()) {
      if (call.dueAt <= now) {
        this.#calls.delete(call);
        call.expire();
      } else {
        next = Math.min(next, call.dueAt);
      }
    }
    if (next < this.#firesAt) this.#set(next);
  }
}
