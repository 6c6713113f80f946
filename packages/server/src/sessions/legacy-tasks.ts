import type { CallOrigin } from '../calls/client-call.js';
import type { TaskEngine } from '../tasks/task-engine.js';
import { TaskWaits } from '../tasks/task-waits.js';

/** The tasks that the sessions of one mount ask for. */
export class LegacyTasks {
  readonly engine: TaskEngine;
  readonly #waits = new Map<string, TaskWaits>();
  readonly #node: string;
  #lastAsked = 0;

  /** @param node the name of this process among those that serve the same sessions. */
  constructor(engine: TaskEngine, node = '') {
    this.engine = engine;
    this.#node = node;
  }

  /** An id for a request to a client, which no server of a session uses. */
  nextId(): string {
    return `longwire:task:${this.#node}${++this.#lastAsked}`;
  }

  /** Those who wait for a task. */
  waitsOf(asker: CallOrigin, taskId: string): TaskWaits {
    const key = JSON.stringify([asker.principal.id, taskId]);
    const known = this.#waits.get(key);
    if (known !== undefined) return known;
    const onEmpty = (): void => void this.#waits.delete(key);
    const waits = new TaskWaits(this.engine, { asker, taskId, onEmpty });
    this.#waits.set(key, waits);
    return waits;
  }
}
