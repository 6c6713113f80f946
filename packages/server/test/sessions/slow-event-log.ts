import { setTimeout as sleep } from 'node:timers/promises';
import type { EventLog, LogExcerpt, LoggedEvent } from '../../src/events/event-log.ts';
import { MemoryEventLog } from '../../src/events/memory-event-log.ts';

/** A log that another machine keeps: it does what it is told in order, each a while later. */
export class SlowEventLog implements EventLog {
  readonly #kept = new MemoryEventLog();
  #turn: Promise<unknown> = Promise.resolve();
  #count = 0;

  get bytes(): number {
    return this.#kept.bytes;
  }

  append(sessionId: string, event: LoggedEvent): Promise<void> {
    return this.#later(() => this.#kept.append(sessionId, event));
  }

  readAfter(sessionId: string, seq: number, stream?: number): Promise<LogExcerpt> {
    return this.#later(() => this.#kept.readAfter(sessionId, seq, stream));
  }

  delete(sessionId: string): Promise<void> {
    return this.#later(() => this.#kept.delete(sessionId));
  }

  #later<Result>(work: () => Result): Promise<Result> {
    const delayMs = [1, 8, 0, 3][this.#count++ % 4];
    const turn = this.#turn.then(async () => {
      await sleep(delayMs);
      return work();
    });
    this.#turn = turn;
    return turn;
  }
}
