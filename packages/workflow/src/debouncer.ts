import type { Trigger } from './definition.js';
import { exclusionKey, type Run } from './run.js';
import type { RunTask } from './run-runner.js';

/** A run that waits for silence. */
interface Waiting {
  run: Run;
  task?: RunTask;
  timer?: NodeJS.Timeout;
}

/** Of events with one key that follow each other closely, fires only the last one. */
export class Debouncer {
  readonly #fire: (task: RunTask) => void;
  readonly #waiting = new Map<string, Waiting>();

  constructor(fire: (task: RunTask) => void) {
    this.#fire = fire;
  }

  /** How many runs wait. */
  get size(): number {
    return this.#waiting.size;
  }

  /** Replaces the waiting run of the same key, which is returned as superseded. */
  supersede(trigger: Trigger, run: Run): Run | undefined {
    if (trigger.debounceMs === undefined) return undefined;
    const key = keyOf(run);
    const earlier = this.#waiting.get(key);
    clearTimeout(earlier?.timer);
    this.#waiting.set(key, { run });
    if (earlier === undefined) return undefined;
    return { ...earlier.run, outcome: 'superseded', finishedAt: new Date().toISOString() };
  }

  /** Fires a run after the silence, unless it was superseded. */
  wait(task: RunTask, debounceMs: number): void {
    const key = keyOf(task.run);
    const waiting = this.#waiting.get(key);
    if (waiting?.run !== task.run) return;
    waiting.task = task;
    waiting.timer = setTimeout(() => {
      this.#waiting.delete(key);
      this.#fire(task);
    }, debounceMs);
  }

  /** Cancels all timers, and returns the waiting runs. */
  drain(): RunTask[] {
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const { timer } of waiting) clearTimeout(timer);
    return waiting.flatMap(({ task }) => task ?? []);
  }
}

/** Without a key, all events of the trigger share one. */
function keyOf(run: Run): string {
  return exclusionKey(run) ?? run.trigger;
}
