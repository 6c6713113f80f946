import type { Trigger } from './definition.js';
import { exclusionKey, type Run } from './run.js';
import type { RunTask } from './run-runner.js';

/** A run that waits for silence. */
interface Waiting {
  run: Run;
  task?: RunTask;
  timer?: NodeJS.Timeout;
}

/** Lets of the events of one key that follow each other closely only the last one through. */
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

  /** A run takes the place of the one of its key that waits, which is handed back as over. */
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

  /** Fires nothing any more, and hands back what waits. */
  drain(): RunTask[] {
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const { timer } of waiting) clearTimeout(timer);
    return waiting.flatMap(({ task }) => task ?? []);
  }
}

/** Without a key, all events of the trigger are of one. */
function keyOf(run: Run): string {
  return exclusionKey(run) ?? run.trigger;
}
